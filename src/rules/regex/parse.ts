import {
  anyButNewline,
  anyOfSets,
  type CharSet,
  charRange,
  complement,
  escapes,
  oneChar,
  property,
  without,
} from './charset.ts';

export type Pattern =
  | { readonly kind: 'set'; readonly set: CharSet }
  | { readonly kind: 'start' | 'end' }
  | { readonly kind: 'sequence'; readonly parts: readonly Pattern[] }
  | { readonly kind: 'choice'; readonly parts: readonly Pattern[] }
  | { readonly kind: 'repeat'; readonly part: Pattern; readonly min: number; readonly max: number };

/** Why a text is no regular expression. */
export class BadPattern extends Error {}

const maxNesting = 100;
const singleEscapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };

/**
 * Parses the regular expressions of XML Schema (part 2 appendix F) as `fn:matches` of XPath 2.0 extends them: `^` and
 * `$`, reluctant quantifiers (which do not change whether a text matches). Back references are not regular and are
 * refused. Throws `BadPattern`.
 */
export function parsePattern(source: string): Pattern {
  const chars = Array.from(source, (c) => c);
  let at = 0;
  let nesting = 0;

  const fail = (reason: string): never => {
    throw new BadPattern(`${reason} at character ${at + 1} of the regular expression`);
  };

  function parseChoice(): Pattern {
    if (++nesting > maxNesting) fail('too many nested groups');
    const parts = [parseSequence()];
    while (chars[at] === '|') {
      at++;
      parts.push(parseSequence());
    }
    nesting--;
    return parts.length === 1 ? parts[0]! : { kind: 'choice', parts };
  }

  function parseSequence(): Pattern {
    const parts: Pattern[] = [];
    while (at < chars.length && chars[at] !== '|' && chars[at] !== ')') parts.push(parsePiece());
    return parts.length === 1 ? parts[0]! : { kind: 'sequence', parts };
  }

  function parsePiece(): Pattern {
    const part = parseAtom();
    const c = chars[at];
    let range: [number, number];
    if (c === '?') range = [0, 1];
    else if (c === '*') range = [0, Number.POSITIVE_INFINITY];
    else if (c === '+') range = [1, Number.POSITIVE_INFINITY];
    else if (c === '{') range = parseCount();
    else return part;
    at++;
    if (chars[at] === '?') at++;
    if (chars[at] !== undefined && '?*+{'.includes(chars[at]!)) fail('a quantifier follows a quantifier');
    return { kind: 'repeat', part, min: range[0], max: range[1] };
  }

  /** Leaves `at` on the closing brace. */
  function parseCount(): [number, number] {
    const end = chars.indexOf('}', at);
    const found = /^(\d{1,6})(?:(,)(\d{1,6})?)?$/.exec(end === -1 ? '' : chars.slice(at + 1, end).join(''));
    if (found === null) return fail('a brace does not hold a count');
    const min = Number(found[1]);
    const max = found[2] === undefined ? min : found[3] === undefined ? Number.POSITIVE_INFINITY : Number(found[3]);
    if (max < min) fail('a count ends before it begins');
    at = end;
    return [min, max];
  }

  function parseAtom(): Pattern {
    const c = chars[at]!;
    if (c === '(') {
      at++;
      if (chars[at] === '?') {
        if (chars[at + 1] !== ':') fail('only plain groups are known');
        at += 2;
      }
      const inner = parseChoice();
      if (chars[at] !== ')') fail('a group is not closed');
      at++;
      return inner;
    }
    if (c === '[') return { kind: 'set', set: parseClass() };
    if (c === '\\') return { kind: 'set', set: parseEscape() };
    if ('?*+{}]'.includes(c)) fail(`"${c}" stands where it means nothing`);
    at++;
    if (c === '^') return { kind: 'start' };
    if (c === '$') return { kind: 'end' };
    if (c === '.') return { kind: 'set', set: anyButNewline };
    return { kind: 'set', set: oneChar(c.codePointAt(0)!) };
  }

  /** A set, or for a single-character escape the set of that one character. */
  function parseEscape(): CharSet {
    const c = chars[at + 1];
    if (c === undefined) return fail('the expression ends in a backslash');
    if (c === 'p' || c === 'P') {
      const end = chars.indexOf('}', at);
      const set = chars[at + 2] === '{' && end !== -1 ? property(chars.slice(at + 3, end).join('')) : undefined;
      if (set === undefined) return fail('an unknown category or block');
      at = end + 1;
      return c === 'p' ? set : complement(set);
    }
    const set = escapes[c];
    if (set !== undefined && Object.hasOwn(escapes, c)) {
      at += 2;
      return set;
    }
    const code = parseSingleEscape();
    return oneChar(code);
  }

  function parseSingleEscape(): number {
    const c = chars[at + 1];
    if (c === undefined) return fail('the expression ends in a backslash');
    if (/[0-9]/.test(c)) return fail('back references are not supported');
    if (!/[nrt\\|.?*+(){}\x2D\x5B\x5D\x5E$]/.test(c)) return fail(`"\\${c}" is no escape`);
    at += 2;
    return (singleEscapes[c] ?? c).codePointAt(0)!;
  }

  /** From `[` through its `]`, with subtraction (`[a-z-[aeiou]]`). */
  function parseClass(): CharSet {
    if (++nesting > maxNesting) fail('too many nested groups');
    at++;
    const negative = chars[at] === '^';
    if (negative) at++;
    const sets: CharSet[] = [];
    let taken: CharSet | undefined;
    while (chars[at] !== ']') {
      if (at >= chars.length) fail('a character class is not closed');
      if (chars[at] === '-' && chars[at + 1] === '[') {
        if (sets.length === 0) fail('a character class subtracts from nothing');
        at++;
        taken = parseClass();
        if (chars[at] !== ']') fail('a subtraction must end its character class');
        break;
      }
      if (chars[at] === '[') fail('"[" must be escaped in a character class');
      if (chars[at] === '\\' && /[pPsSiIcCdDwW]/.test(chars[at + 1] ?? '')) {
        sets.push(parseEscape());
        continue;
      }
      const from = parseClassChar();
      if (chars[at] === '-' && chars[at + 1] !== ']' && chars[at + 1] !== '[' && chars[at + 1] !== undefined) {
        at++;
        const to = parseClassChar();
        if (to < from) fail('a range ends before it begins');
        sets.push(charRange(from, to));
      } else sets.push(oneChar(from));
    }
    at++;
    nesting--;
    if (sets.length === 0) fail('a character class is empty');
    const positive = anyOfSets(sets);
    const base = negative ? complement(positive) : positive;
    return taken === undefined ? base : without(base, taken);
  }

  function parseClassChar(): number {
    if (chars[at] === '\\') return parseSingleEscape();
    return chars[at++]!.codePointAt(0)!;
  }

  const pattern = parseChoice();
  if (at < chars.length) fail('a group is closed that was not opened');
  return pattern;
}
