import { claimsOfScopes, isRequested, type PersonClaim } from '../../provisioning/requested-claims.ts';
import { escapeHtml, writePage } from '../sign-in-page.ts';

/** An identity provider that is offered to sign in through. `address`: where that begins. */
export type Offer = { label: string; address: string };

export function writeSignInPage(given: {
  application: string;
  place: string;
  name: string;
  trouble?: string;
  offers: readonly Offer[];
  /** Whether an address alone may say where somebody signs in. */
  byAddress: boolean;
}): string {
  const { application, place, name, trouble, offers, byAddress } = given;
  return writePage({
    title: 'Sign in',
    body: `
<p>to go on to <strong>${escapeHtml(application)}</strong></p>
${trouble === undefined ? '' : `<p class="trouble" role="alert">${escapeHtml(trouble)}</p>`}
<form method="post" action="${escapeHtml(place)}/login">
<label>Username
<input name="name" autocomplete="username" value="${escapeHtml(name)}" required autofocus autocapitalize="none" spellcheck="false">
</label>
<label>Password
<input name="password" type="password" autocomplete="current-password"${byAddress ? '' : ' required'}>
</label>
<button>Sign in</button>
</form>
${writeOffers(offers)}${writeAway(place)}`,
  });
}

/** Links and no forms: a form would be held to this server, and they lead to another. */
function writeOffers(offers: readonly Offer[]): string {
  if (offers.length === 0) return '';
  const items = offers.map(
    ({ label, address }) =>
      `<li><a class="button" href="${escapeHtml(address)}">Sign in with ${escapeHtml(label)}</a></li>`,
  );
  return `<ul class="through">\n${items.join('\n')}\n</ul>\n`;
}

/** Of a scope as a whole. */
const meanings: Readonly<Record<string, string>> = {
  openid: 'who you are',
  profile: 'your name, user name, language and time zone',
  email: 'your e-mail address',
  groups: 'the groups you are in',
  offline_access: 'all of this also while you are away, until you or your administrator end it',
};

const claimWords: Readonly<Record<(typeof claimsOfScopes)['profile'][number], string>> = {
  name: 'name',
  given_name: 'given name',
  family_name: 'family name',
  preferred_username: 'user name',
  locale: 'language',
  zoneinfo: 'time zone',
  updated_at: 'time of the last change',
};

/** What a scope tells where only some claims are requested; undefined: nothing. */
function describeScope(scope: string, requested: readonly PersonClaim[]): string | undefined {
  const claims = Object.hasOwn(claimsOfScopes, scope)
    ? claimsOfScopes[scope as keyof typeof claimsOfScopes]
    : undefined;
  if (!claims || requested.length === 0) return meanings[scope] ?? scope;
  const told = claims.filter((claim) => isRequested(requested, claim));
  if (told.length === 0) return undefined;
  if (told.length === claims.length) return meanings[scope];
  const words = told.map((claim) => claimWords[claim as keyof typeof claimWords]);
  return `your ${words.length === 1 ? words[0] : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`}`;
}

export function writeConsentPage(given: {
  application: string;
  place: string;
  name: string;
  scopes: readonly string[];
  /** Empty: all that the scopes tell. */
  requested: readonly PersonClaim[];
}): string {
  const { application, place, name, scopes, requested } = given;
  const items = scopes
    .flatMap((scope) => describeScope(scope, requested) ?? [])
    .map((meaning) => `<li>${escapeHtml(meaning)}</li>`)
    .join('\n');
  return writePage({
    title: `${application} asks to know`,
    body: `
<ul>
${items}
</ul>
<p class="quiet">You are signed in as ${escapeHtml(name)}.</p>
<form method="post" action="${escapeHtml(place)}/consent">
<button>Allow</button>
</form>
${writeAway(place)}`,
  });
}

function writeAway(place: string): string {
  return `<form method="post" action="${escapeHtml(place)}/cancel"><button class="away">Cancel</button></form>`;
}
