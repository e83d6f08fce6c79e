/** A number as it is written: `1` is an integer and `1.0` a double, and no digit is lost. */
export class JsonNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

const deepest = 30;

/**
 * Reads JSON. Refused beside what is none: a name that occurs twice in an object, which readers take differently, and
 * nesting deeper than any request needs. Answers why not as text.
 */
export function parseJson(text: string): { ok: true; value: unknown } | { ok: false; reason: string } {
  const seen = scan(text);
  if (seen.depth > deepest) return { ok: false, reason: `it is nested deeper than ${deepest}` };
  let value: unknown;
  let names = 0;
  const keepNumbers = (_: string, one: unknown, { source }: { source?: string } = {}): unknown => {
    if (typeof one === 'number') return new JsonNumber(source ?? String(one));
    if (typeof one === 'object' && one !== null && !Array.isArray(one) && !(one instanceof JsonNumber)) {
      names += Object.keys(one).length;
    }
    return one;
  };
  try {
    value = JSON.parse(text, keepNumbers as Parameters<typeof JSON.parse>[1]);
  } catch (error) {
    return { ok: false, reason: `it is not JSON: ${(error as Error).message}` };
  }
  if (names !== seen.names) return { ok: false, reason: 'a name occurs twice in one object' };
  return { ok: true, value };
}

/** How deep it goes, and how many names it has, counting those that a later one of the same object overwrites. */
function scan(text: string): { depth: number; names: number } {
  let depth = 0;
  let open = 0;
  let names = 0;
  for (let at = 0; at < text.length; at++) {
    const sign = text[at];
    if (sign === '{' || sign === '[') depth = Math.max(depth, ++open);
    else if (sign === '}' || sign === ']') open--;
    // Outside of texts a colon stands behind names alone.
    else if (sign === ':') names++;
    else if (sign === '"') {
      for (at++; at < text.length && text[at] !== '"'; at++) if (text[at] === '\\') at++;
    }
  }
  return { depth, names };
}
