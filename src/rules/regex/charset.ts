/** A set of Unicode code points. */
export interface CharSet {
  has(code: number): boolean;
}

/** Answers for ASCII come from a table: nearly every character asked about is one of them. */
function charSet(test: (code: number) => boolean): CharSet {
  const ascii = new Uint8Array(128);
  for (let code = 0; code < 128; code++) ascii[code] = test(code) ? 1 : 0;
  return { has: (code) => (code < 128 ? ascii[code] === 1 : test(code)) };
}

export function oneChar(code: number): CharSet {
  return { has: (other) => other === code };
}

export function charRange(from: number, to: number): CharSet {
  return { has: (code) => code >= from && code <= to };
}

export function anyOfSets(sets: readonly CharSet[]): CharSet {
  return sets.length === 1 ? sets[0]! : charSet((code) => sets.some((set) => set.has(code)));
}

export function without(set: CharSet, other: CharSet): CharSet {
  return charSet((code) => set.has(code) && !other.has(code));
}

export function complement(set: CharSet): CharSet {
  return charSet((code) => !set.has(code));
}

function unicode(pattern: string): CharSet {
  const expression = new RegExp(`^${pattern}$`, 'u');
  return charSet((code) => expression.test(String.fromCodePoint(code)));
}

const nameStart = unicode('[\\p{L}\\p{Nl}_:]');
const nameChar = unicode('[\\p{L}\\p{N}\\p{M}._:\\u00b7-]');
const space = charSet((code) => code === 32 || code === 9 || code === 10 || code === 13);
const digit = unicode('\\p{Nd}');
const word = unicode('[^\\p{P}\\p{Z}\\p{C}]');

/** XML Schema part 2 appendix F: the multi-character escapes. */
export const escapes: Readonly<Record<string, CharSet>> = {
  s: space,
  S: complement(space),
  i: nameStart,
  I: complement(nameStart),
  c: nameChar,
  C: complement(nameChar),
  d: digit,
  D: complement(digit),
  w: word,
  W: complement(word),
};

/** `.`: everything but the end of a line. */
export const anyButNewline = charSet((code) => code !== 10 && code !== 13);

const category = /^(?:L[ultmo]?|M[nce]?|N[dlo]?|P[cdseifo]?|Z[slp]?|S[mcko]?|C[cfon]?)$/;

/** The blocks people name in expressions, by their first and last code point. */
const blocks: Readonly<Record<string, readonly [number, number]>> = {
  BasicLatin: [0x0, 0x7f],
  'Latin-1Supplement': [0x80, 0xff],
  'LatinExtended-A': [0x100, 0x17f],
  'LatinExtended-B': [0x180, 0x24f],
  IPAExtensions: [0x250, 0x2af],
  CombiningDiacriticalMarks: [0x300, 0x36f],
  Greek: [0x370, 0x3ff],
  GreekandCoptic: [0x370, 0x3ff],
  Cyrillic: [0x400, 0x4ff],
  Armenian: [0x530, 0x58f],
  Hebrew: [0x590, 0x5ff],
  Arabic: [0x600, 0x6ff],
  Devanagari: [0x900, 0x97f],
  Bengali: [0x980, 0x9ff],
  Thai: [0xe00, 0xe7f],
  Georgian: [0x10a0, 0x10ff],
  LatinExtendedAdditional: [0x1e00, 0x1eff],
  GreekExtended: [0x1f00, 0x1fff],
  GeneralPunctuation: [0x2000, 0x206f],
  CurrencySymbols: [0x20a0, 0x20cf],
  Arrows: [0x2190, 0x21ff],
  MathematicalOperators: [0x2200, 0x22ff],
  Hiragana: [0x3040, 0x309f],
  Katakana: [0x30a0, 0x30ff],
  CJKUnifiedIdeographs: [0x4e00, 0x9fff],
  HangulSyllables: [0xac00, 0xd7a3],
};

/** The set of `\p{name}`, or undefined when the name is neither a general category nor a known block. */
export function property(name: string): CharSet | undefined {
  if (category.test(name)) return unicode(`\\p{${name}}`);
  const block = name.startsWith('Is') ? blocks[name.slice(2)] : undefined;
  return block === undefined ? undefined : charRange(block[0], block[1]);
}
