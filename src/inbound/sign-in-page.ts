import type { FastifyReply } from 'fastify';

/** What all pages share that people see who sign in. Plain HTML with one sheet of style, and no script at all. */

export const stylePath = '/sign-in.css';
/** Where the sheet is, whichever page asks. */
const styleAddress = `/oauth2${stylePath}`;

/** `head`: more of it. */
export function writePage({ title, body, head = '' }: { title: string; body: string; head?: string }): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)} · Purvey</title>
<link rel="stylesheet" href="${styleAddress}">
${head}</head>
<body>
<main>
<h1>${escapeHtml(title)}</h1>
${body.trim()}
</main>
</body>
</html>
`;
}

/** `onward`: what else can be done, where there is something. */
export function writeErrorPage(why: string, onward?: { word: string; address: string }): string {
  const again =
    onward === undefined
      ? '<p>Go back to the application and start again. If it happens again, show this page to your administrator.</p>'
      : `<p>If it happens again, show this page to your administrator.</p>
<p><a class="button" href="${escapeHtml(onward.address)}">${escapeHtml(onward.word)}</a></p>`;
  return writePage({
    title: 'This did not work',
    body: `
<p class="trouble" role="alert">${escapeHtml(why)}</p>
${again}`,
  });
}

/**
 * After a form: the browser goes on by itself. A redirect would not do, as browsers hold a form to where it may lead
 * through every redirect that follows, on other servers too, and nobody here knows those.
 */
export function writeOnwardPage({ title, says, address }: { title: string; says: string; address: string }): string {
  const where = escapeHtml(address);
  return writePage({
    title,
    head: `<meta http-equiv="refresh" content="0;url=${where}">\n`,
    body: `
<p>${escapeHtml(says)}</p>
<p><a class="button" href="${where}">Go on</a></p>`,
  });
}

const policy = [
  `default-src 'none'`,
  `style-src 'self'`,
  `form-action 'self'`,
  `base-uri 'none'`,
  `frame-ancestors 'none'`,
];

/** What is sent with each of the pages. */
export const pageHeaders = {
  'content-security-policy': policy.join('; '),
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'content-type': 'text/html; charset=utf-8',
} as const;

export function sendPage(reply: FastifyReply, page: string): FastifyReply {
  return reply.headers(pageHeaders).send(page);
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export function escapeHtml(text: string): string {
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
input[aria-invalid] { border-color: var(--trouble); }
label.tick { display: flex; gap: 8px; font-weight: 400; }
label.tick input { width: auto; margin: 5px 0 0; }
label.tick span { flex: 1; }
.beside { margin-top: -12px; font-size: 14px; }
.fault { color: var(--trouble); }
button {
  width: 100%; padding: 10px; font: inherit; font-weight: 600; cursor: pointer;
  color: var(--on-accent); background: var(--accent); border: 0; border-radius: 8px;
}
button.away { margin-top: 8px; color: var(--muted); background: none; }
ul.through { list-style: none; padding: 0; margin: 24px 0 0; border-top: 1px solid var(--line); }
ul.through li { margin-top: 12px; }
a { color: var(--accent); }
a.button {
  display: block; padding: 9px; text-align: center; text-decoration: none; font-weight: 600; overflow-wrap: anywhere;
  color: var(--text); border: 1px solid var(--line); border-radius: 8px;
}
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
`;
