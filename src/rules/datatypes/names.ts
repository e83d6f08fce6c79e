/** An X.500 name: `text` as written, `parts` its RDNs from the first written to the root, each in comparable form. */
export interface X500Name {
  readonly text: string;
  readonly parts: readonly string[];
}

/** An RFC 822 mailbox; the local part keeps its case, the domain is compared without it (section A.3.1). */
export interface MailName {
  readonly local: string;
  readonly domain: string;
}

/** Short names of RFC 4514 section 3 beside their object identifiers, which may be written instead. */
const attributeNames: ReadonlyMap<string, string> = new Map([
  ['2.5.4.3', 'cn'],
  ['2.5.4.7', 'l'],
  ['2.5.4.8', 'st'],
  ['2.5.4.10', 'o'],
  ['2.5.4.11', 'ou'],
  ['2.5.4.6', 'c'],
  ['2.5.4.9', 'street'],
  ['0.9.2342.19200300.100.1.25', 'dc'],
  ['0.9.2342.19200300.100.1.1', 'uid'],
  ['1.2.840.113549.1.9.1', 'emailaddress'],
  ['email', 'emailaddress'],
  ['e', 'emailaddress'],
  ['s', 'st'],
]);

/** RFC 2253 text (with the `;` and quotes of RFC 1779), as section A.2 has it. */
export function parseX500Name(text: string): X500Name | undefined {
  const trimmed = text.trim();
  if (trimmed === '') return { text: '', parts: [] };
  const parts: string[] = [];
  for (const rdn of splitUnescaped(trimmed, ',;')) {
    const pairs: string[] = [];
    for (const pair of splitUnescaped(rdn, '+')) {
      const equals = pair.indexOf('=');
      if (equals < 1) return undefined;
      const type = pair
        .slice(0, equals)
        .trim()
        .toLowerCase()
        .replace(/^oid\./, '');
      if (!/^(?:[a-z][a-z0-9-]*|\d+(?:\.\d+)*)$/.test(type)) return undefined;
      const value = unescapeValue(pair.slice(equals + 1).trim());
      if (value === undefined) return undefined;
      pairs.push(`${attributeNames.get(type) ?? type}=${value.toLowerCase().replace(/\s+/g, ' ').trim()}`);
    }
    parts.push(pairs.sort().join('\u0000+'));
  }
  return { text: trimmed, parts };
}

function splitUnescaped(text: string, separators: string): string[] {
  const out: string[] = [];
  let from = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (c === '\\') i++;
    else if (c === '"') quoted = !quoted;
    else if (!quoted && separators.includes(c)) {
      out.push(text.slice(from, i));
      from = i + 1;
    }
  }
  out.push(text.slice(from));
  return out;
}

function unescapeValue(text: string): string | undefined {
  const quoted = text.length >= 2 && text.startsWith('"') && text.endsWith('"');
  const body = quoted ? text.slice(1, -1) : text;
  const bytes: number[] = [];
  let out = '';
  const flush = () => {
    out += Buffer.from(bytes).toString('utf8');
    bytes.length = 0;
  };
  for (let i = 0; i < body.length; i++) {
    const c = body[i]!;
    if (c !== '\\') {
      flush();
      if (c === '"') return undefined;
      out += c;
      continue;
    }
    const hex = body.slice(i + 1, i + 3);
    if (/^[0-9a-fA-F]{2}$/.test(hex)) {
      bytes.push(Number.parseInt(hex, 16));
      i += 2;
      continue;
    }
    flush();
    const next = body[i + 1];
    if (next === undefined) return undefined;
    out += next;
    i += 1;
  }
  flush();
  return out;
}

export function keyOfX500Name(value: X500Name): string {
  return value.parts.join('\u0000,');
}

export function parseMailName(text: string): MailName | undefined {
  const at = text.lastIndexOf('@');
  if (at < 1 || at === text.length - 1) return undefined;
  const local = text.slice(0, at);
  const domain = text.slice(at + 1);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it refuses
  if (/[\s\u0000-\u001f<>]/.test(domain) || (/[\s@\u0000-\u001f]/.test(local) && !/^".*"$/.test(local)))
    return undefined;
  return { local, domain };
}
