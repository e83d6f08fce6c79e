import { escapeHtml, writePage } from '../sign-in-page.ts';

/** Whether somebody wants to sign out. `secret`: what the form has to bring back. */
export function writeSignOutPage(given: {
  place: string;
  secret: string;
  /** Undefined: whoever is signed in is not here any more. */
  name: string | undefined;
  /** Undefined: no application asks. */
  application: string | undefined;
  /** Identity providers that people may have come through. */
  others: readonly string[];
}): string {
  const { place, secret, name, application, others } = given;
  const asks =
    application === undefined
      ? ''
      : `<p><strong>${escapeHtml(application)}</strong> asks whether your sign-in here ends too.</p>\n`;
  const who = name === undefined ? '' : `<p>You are signed in as <strong>${escapeHtml(name)}</strong>. `;
  return writePage({
    title: 'Sign out of Purvey?',
    body: `
${asks}${who || '<p>'}After that, applications that you use in this browser ask you to sign in again.</p>
${writeOthers(others)}<form method="post" action="${escapeHtml(place)}/confirm">
<input type="hidden" name="xsrf" value="${escapeHtml(secret)}">
<button name="logout" value="yes" autofocus>Sign out</button>
<button class="away">Stay signed in</button>
</form>`,
  });
}

/** That a sign-in ends here ends none elsewhere, which counts where others use the same machine. */
function writeOthers(others: readonly string[]): string {
  if (others.length === 0) return '';
  const names = others.map(escapeHtml).join(', ');
  return `<p class="quiet">If you came through another identity provider (${names}), you stay signed in there: sign out there too where others use this browser.</p>\n`;
}

export const wordOf = (isOut: boolean) => (isOut ? 'You are signed out' : 'You are still signed in');

export function writeSignedOutPage(isOut: boolean): string {
  return writePage({ title: wordOf(isOut), body: '<p>You can close this page.</p>' });
}
