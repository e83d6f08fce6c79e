/** The pages that people see who sign in. Plain HTML with one sheet of style, and no script at all. */

/** A form of a page: where it is sent below the page's address, and its buttons. */
type Page = { title: string; body: string };

export const stylePath = '/sign-in.css';

export function writeSignInPage(given: { application: string; place: string; name: string; trouble?: string }): string {
  const { application, place, name, trouble } = given;
  return write({
    title: 'Sign in',
    body: `
<p>to go on to <strong>${escapeHtml(application)}</strong></p>
${trouble === undefined ? '' : `<p class="trouble" role="alert">${escapeHtml(trouble)}</p>`}
<form method="post" action="${escapeHtml(place)}/login">
<label>Username
<input name="name" autocomplete="username" value="${escapeHtml(name)}" required autofocus autocapitalize="none" spellcheck="false">
</label>
<label>Password
<input name="password" type="password" autocomplete="current-password" required>
</label>
<button>Sign in</button>
</form>
${writeAway(place)}`,
  });
}

const meanings: Readonly<Record<string, string>> = {
  openid: 'who you are',
  profile: 'your name, user name, language and time zone',
  email: 'your e-mail address',
  groups: 'the groups you are in',
  offline_access: 'all of this also while you are away, until you or your administrator end it',
};

export function writeConsentPage(given: {
  application: string;
  place: string;
  name: string;
  scopes: readonly string[];
}): string {
  const { application, place, name, scopes } = given;
  const items = scopes.map((scope) => `<li>${escapeHtml(meanings[scope] ?? scope)}</li>`).join('\n');
  return write({
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

export function writeErrorPage(why: string): string {
  return write({
    title: 'This did not work',
    body: `
<p class="trouble" role="alert">${escapeHtml(why)}</p>
<p>Go back to the application and start again. If it happens again, show this page to your administrator.</p>`,
  });
}

function writeAway(place: string): string {
  return `<form method="post" action="${escapeHtml(place)}/cancel"><button class="away">Cancel</button></form>`;
}

function write({ title, body }: Page): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)} · Purvey</title>
<link rel="stylesheet" href="/oauth2${stylePath}">
</head>
<body>
<main>
<h1>${escapeHtml(title)}</h1>
${body.trim()}
</main>
</body>
</html>
`;
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (one) => entities[one]!);
}

export const style = `
:root {
  color-scheme: light dark;
  --page: #f5f6f8; --surface: #fff; --line: #cbd0d8; --text: #1a1f27; --muted: #56606d;
  --accent: #3a49c4; --on-accent: #fff; --trouble: #96480a; --trouble-soft: #fdeedd;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #101318; --surface: #181c23; --line: #3d4551; --text: #e7eaef; --muted: #a0aab8;
    --accent: #a3aeff; --on-accent: #101318; --trouble: #f3b071; --trouble-soft: #3b2611;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 16px;
  background: var(--page); color: var(--text); font: 15px/1.5 system-ui, sans-serif;
}
main {
  width: min(400px, 100%); padding: 32px; background: var(--surface);
  border: 1px solid var(--line); border-radius: 12px;
}
h1 { margin: 0 0 8px; font-size: 22px; line-height: 1.3; overflow-wrap: anywhere; }
p { margin: 0 0 16px; color: var(--muted); }
p strong { color: var(--text); }
ul { margin: 0 0 16px; padding-left: 20px; }
.trouble { padding: 10px 12px; border-radius: 8px; background: var(--trouble-soft); color: var(--trouble); }
label { display: block; margin-bottom: 16px; font-weight: 600; }
input {
  display: block; width: 100%; margin-top: 4px; padding: 10px 12px; font: inherit; font-weight: 400;
  color: inherit; background: var(--page); border: 1px solid var(--line); border-radius: 8px;
}
button {
  width: 100%; padding: 10px; font: inherit; font-weight: 600; cursor: pointer;
  color: var(--on-accent); background: var(--accent); border: 0; border-radius: 8px;
}
button.away { margin-top: 8px; color: var(--muted); background: none; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
`;
