import type { JitPrompt } from '../../provisioning/federation-settings.ts';
import { escapeHtml, writePage } from '../sign-in-page.ts';

export type Field = 'userName' | 'password' | 'again' | 'agree';
/** What is wrong, by the field it is said at. */
export type Faults = Partial<Record<Field, string>>;

export const shortestPassword = 12;

/** `password` stands for the repeated one too. */
export function isAsked(prompt: JitPrompt, what: 'userName' | 'password'): boolean {
  return prompt === 'userName' || (prompt === 'password' && what === 'password');
}

/** Asks somebody new before they are made. What was typed is there again, except passwords. */
export function writeNewcomerPage(given: {
  /** What the identity provider is called. */
  label: string;
  application: string;
  /** Where the form goes. */
  address: string;
  prompt: JitPrompt;
  userName: string;
  /** That is put before the user name; undefined for that of names without one. */
  domain: string | undefined;
  /** What else will be known here, each with its label. */
  shows: readonly (readonly [label: string, text: string])[];
  agreed: boolean;
  faults: Faults;
}): string {
  const { label, application, address, prompt, userName, domain, agreed, faults } = given;
  const fullName = domain === undefined ? userName : `${domain}/${userName}`;
  const shows = isAsked(prompt, 'userName') ? given.shows : [['User name', fullName] as const, ...given.shows];
  const items = shows.map(([name, text]) => `<li>${escapeHtml(name)}: <strong>${escapeHtml(text)}</strong></li>`);
  const [wrong] = (['userName', 'password', 'again', 'agree'] as const).filter((field) => faults[field] !== undefined);
  const row = (field: Field, input: string, hint?: string) => writeField(field, input, { faults, wrong, hint });
  const where = escapeHtml(address);
  return writePage({
    title: 'You are new here',
    body: `
<p>To go on to <strong>${escapeHtml(application)}</strong>, an account is made for you here${items.length > 0 ? `, with what <strong>${escapeHtml(label)}</strong> says of you:` : '.'}</p>
${items.length > 0 ? `<ul>\n${items.join('\n')}\n</ul>\n` : ''}${wrong === undefined ? '' : '<p class="trouble" role="alert">Nothing is made yet: something below has to be put right.</p>\n'}<form method="post" action="${where}">
${isAsked(prompt, 'userName') ? row('userName', writeUserName(userName), domain === undefined ? undefined : `You sign in here with ${domain}/ before it.`) : ''}${isAsked(prompt, 'password') ? row('password', writePassword('password', 'A password for here'), `At least ${shortestPassword} characters.`) + row('again', writePassword('again', 'The same password again')) : ''}${row('agree', writeAgree(agreed))}<button>Go on</button>
</form>
<form method="post" action="${where}/cancel"><button class="away">Cancel</button></form>`,
  });
}

const writeUserName = (value: string) =>
  `<label>User name
<input name="userName" autocomplete="username" value="${escapeHtml(value)}" required autocapitalize="none" spellcheck="false">
</label>`;

const writePassword = (name: string, label: string) =>
  `<label>${label}
<input name="${name}" type="password" autocomplete="new-password" minlength="${shortestPassword}" required>
</label>`;

const writeAgree = (agreed: boolean) =>
  `<label class="tick"><input name="agree" type="checkbox" value="yes" required${agreed ? ' checked' : ''}>
<span>I agree that this is kept here of me.</span>
</label>`;

/** With what is to be known of a field and what is wrong with it, tied to it for whoever does not see the page. */
function writeField(
  field: Field,
  input: string,
  { faults, wrong, hint }: { faults: Faults; wrong: Field | undefined; hint: string | undefined },
): string {
  const fault = faults[field];
  const ids = [...(hint === undefined ? [] : [`${field}-hint`]), ...(fault === undefined ? [] : [`${field}-fault`])];
  const attributes = [
    ids.length > 0 ? ` aria-describedby="${ids.join(' ')}"` : '',
    fault === undefined ? '' : ' aria-invalid="true"',
    field === wrong ? ' autofocus' : '',
  ].join('');
  return [
    input.replace('<input ', `<input${attributes} `),
    hint === undefined ? '' : `<p class="beside" id="${field}-hint">${escapeHtml(hint)}</p>`,
    fault === undefined ? '' : `<p class="beside fault" id="${field}-fault">${escapeHtml(fault)}</p>`,
    '',
  ].join('\n');
}
