import type { Secret } from '../base/secret.ts';

export const redacted = '[redacted]';

/** Longer texts of an exchange are cut here (UTF-16 units). */
export const longestText = 64 * 1024;

/** Shorter secrets cannot be told from ordinary letters; they are still hidden wherever their field's name is known. */
const shortestSecret = 3;

/** Texts without any of this hold no field to hide and no escape that could disguise one: they are kept as they are. */
const suspicious =
  /pass.?(?:word|wd|phrase|code)|secret|token|authoriz|api.?key|private.?key|assertion|credential|cookie|pwd|otp|"pin"|\\u00|\\\//i;

const sensitiveName =
  /password|passwd|passphrase|passcode|secret|authorization|apikey|privatekey|assertion|credential|cookie|pwd$|token$|^pin$|^otp$/;

/** Whether a field, parameter or attribute path of this name holds something secret. */
export function isSensitiveName(name: string): boolean {
  return isSensitiveWord(name) || isSensitiveWord(lastPart(name));
}

function isSensitiveWord(name: string): boolean {
  return sensitiveName.test(name.replace(/[^a-z0-9]/gi, '').toLowerCase());
}

/** The forms in which a secret may be echoed: itself, inside JSON, inside a URL or form, and as base64. */
export function formsOf(secret: Secret): string[] {
  const value = secret.reveal();
  if (value.length < shortestSecret) return [];
  return formsOfText(value);
}

function formsOfText(value: string): string[] {
  const bytes = Buffer.from(value, 'utf8');
  const forms = new Set([
    value,
    JSON.stringify(value).slice(1, -1),
    encodeURIComponent(value.toWellFormed()),
    new URLSearchParams({ v: value }).toString().slice(2),
    bytes.toString('base64'),
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
  ]);
  // The longest first, so that a form that contains another is hidden whole.
  return [...forms].sort((left, right) => right.length - left.length);
}

/** Whether a request header of this (lower-case) name carries credentials. */
export function carriesCredential(header: string): boolean {
  if (header === 'content-type' || header === 'accept' || header === 'user-agent') return false;
  return header === 'authorization' || isSensitiveName(header);
}

/** The forms of the value of such a header: the credential without its scheme, and the password that Basic hides. */
export function formsOfCredential(value: string): string[] {
  const credential = value.slice(value.indexOf(' ') + 1);
  if (credential.length < shortestSecret) return [];
  const forms = [credential];
  if (/^basic /i.test(value)) {
    const pair = Buffer.from(credential, 'base64').toString('utf8');
    const password = pair.slice(pair.indexOf(':') + 1);
    if (password.length >= shortestSecret) forms.push(...formsOfText(password));
  }
  return forms;
}

/** Hides every one of `forms` in a text. */
export function hideForms(text: string, forms: readonly string[]): string {
  let out = text;
  for (const form of forms) if (out.includes(form)) out = out.replaceAll(form, redacted);
  return out;
}

/** Hides `secrets` in a text that is going to be shown (a reason, for instance). */
export function hideSecrets(text: string, secrets: readonly Secret[]): string {
  return hideForms(text, secrets.flatMap(formsOf));
}

/**
 * A body as it may be kept: values of sensitive fields replaced at any depth (JSON, form, or by likeness in anything
 * else), then `forms` hidden wherever they stand, then cut.
 */
export function redactText(text: string, forms: readonly string[]): string {
  let out = text;
  if (suspicious.test(text)) {
    out = redactJsonText(text) ?? redactLoosely(text);
  }
  out = hideForms(out, forms);
  return out.length > longestText ? `${out.slice(0, longestText).toWellFormed()}…` : out;
}

/** A form body as it may be kept. */
export function redactForm(form: Readonly<Record<string, string>>, forms: readonly string[]): string {
  const fields = new URLSearchParams();
  for (const name in form) fields.append(name, isSensitiveName(name) ? redacted : form[name]!);
  return redactText(fields.toString().replaceAll(encodeURIComponent(redacted), redacted), forms);
}

/** A URL as it may be kept: without user and password, sensitive parameters and `forms` hidden. */
export function redactUrl(url: string, forms: readonly string[]): string {
  let out = url;
  if (url.includes('@') || suspicious.test(url)) {
    const parsed = URL.parse(url);
    if (!parsed) return hideForms(redactLoosely(url), forms);
    parsed.username = '';
    parsed.password = '';
    for (const name of new Set(parsed.searchParams.keys())) {
      if (isSensitiveName(name)) parsed.searchParams.set(name, redacted);
    }
    out = parsed.href.replaceAll(encodeURIComponent(redacted), redacted);
  }
  return hideForms(out, forms);
}

function redactJson(value: unknown, hide = false): unknown {
  if (typeof value === 'string' || typeof value === 'number') return hide ? redacted : value;
  if (Array.isArray(value)) return value.map((item) => redactJson(item, hide));
  if (typeof value !== 'object' || value === null) return value;
  const source = value as Record<string, unknown>;
  const named = ['path', 'name', 'attribute', 'key', 'type'].some(
    (key) => typeof source[key] === 'string' && isSensitiveName(source[key]),
  );
  const entries = Object.entries(source).map(([key, item]) => [
    key,
    redactJson(item, hide || isSensitiveName(key) || (named && /^values?$/i.test(key))),
  ]);
  return Object.fromEntries(entries);
}

/** The last name of an attribute path: `urn:…:User:password` and `credentials.secret` end in what they are about. */
function lastPart(path: string): string {
  return path.slice(Math.max(path.lastIndexOf(':'), path.lastIndexOf('.')) + 1);
}

/** For texts that are not whole JSON (half an answer, HTML, a form): whatever looks like `name=value` or `"name":"value"`. */
function redactLoosely(text: string): string {
  return text
    .replace(/(["'])([\w.:$-]{1,200})\1(\s*:\s*)("(?:[^"\\]|\\.)*"?|[^\s,}\]]+)/g, (whole, quote, name, colon) =>
      isSensitiveName(name) ? `${quote}${name}${quote}${colon}"${redacted}"` : whole,
    )
    .replace(/([\w.$-]{1,200})=([^&\s"'<>]+)/g, (whole, name) =>
      isSensitiveName(name) ? `${name}=${redacted}` : whole,
    )
    .replace(/\b(bearer|basic)\s+[\w.~+/=-]{6,}/gi, (_, scheme) => `${scheme} ${redacted}`);
}

/** Undefined when the text is not JSON, or nested deeper than can be walked. */
function redactJsonText(text: string): string | undefined {
  try {
    return JSON.stringify(redactJson(JSON.parse(text)));
  } catch {
    return undefined;
  }
}
