import { Problem } from '../../base/problem.ts';

/** `urn:…:User:name.givenName` is `{ urn: 'urn:…:User', attr: 'name', sub: 'givenName' }`. Names are as the caller wrote them. */
export type AttrPath = { urn?: string; attr: string; sub?: string };

export type CompareOp = 'eq' | 'ne' | 'co' | 'sw' | 'ew' | 'gt' | 'ge' | 'lt' | 'le';

export type Compare = { op: CompareOp; path: AttrPath; value: string | number | boolean | null };

/** A filter of RFC 7644 section 3.4.2.2. `has` is a value path such as `emails[type eq "work"]`; the paths in its part are relative. */
export type Filter =
  | Compare
  | { op: 'pr'; path: AttrPath }
  | { op: 'and' | 'or'; parts: Filter[] }
  | { op: 'not'; part: Filter }
  | { op: 'has'; path: AttrPath; part: Filter };

/** A PATCH path (RFC 7644 section 3.5.2): an attribute, or chosen values of one, or a sub-attribute of either. */
export type Path = AttrPath & { filter?: Filter };

/** Longest filter or path, in characters. */
export const maxFilterLength = 8192;
/** Deepest nesting of brackets and `not`. */
export const maxFilterDepth = 40;

type Code = 'invalidFilter' | 'invalidPath';
type Reader = {
  readonly text: string;
  readonly grammar: Grammar;
  at: number;
  depth: number;
  inside: boolean;
  code: Code;
};

type Grammar = 'scim 2.0' | 'scim 1.1';

/** By both letters, in lower case. */
const operators: ReadonlyMap<number, CompareOp | 'pr'> = new Map(
  (['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le', 'pr'] as const).map((op) => [pairCode(op, 0), op]),
);
const only20 = ['ne', 'ew'];

function pairCode(text: string, at: number): number {
  return ((text.charCodeAt(at) | 32) << 8) | (text.charCodeAt(at + 1) | 32);
}

// What a character may be part of: 1 = a name's start, 2 = a name, 4 = a URN, 8 = white space, 16 = a number.
const kinds = new Uint8Array(128);
for (let c = 0; c < 128; c++) {
  const letter = (c >= 65 && c <= 90) || (c >= 97 && c <= 122);
  const digit = c >= 48 && c <= 57;
  const char = String.fromCharCode(c);
  kinds[c] =
    (letter || char === '$' ? 1 : 0) |
    (letter || digit || '$-_'.includes(char) ? 2 : 0) |
    (letter || digit || "-._~%!$&'*+,;=@/?#:".includes(char) ? 4 : 0) |
    (' \t\r\n'.includes(char) ? 8 : 0) |
    (digit || '+-.eE'.includes(char) ? 16 : 0);
}

function isKind(code: number, kind: number): boolean {
  return code < 128 && (kinds[code]! & kind) !== 0;
}

/**
 * Reads a filter in one pass. Throws `Problem('invalidFilter')` that says the position (from 1) and what was expected
 * there. Tolerated beyond the grammar: runs of white space, and `emails[type eq "work"].value eq "x"`, which is read
 * as `emails[type eq "work" and value eq "x"]` (see `quirks`).
 */
export function parseFilter(text: string): Filter {
  return readWhole(openReader(text, 'invalidFilter'));
}

/** The same for the grammar of SCIM 1.1, which has fewer operators, no `not`, no value paths and values without quotation marks. */
export function parseScim1Filter(text: string): Filter {
  return readWhole(openReader(text, 'invalidFilter', 'scim 1.1'));
}

function readWhole(reader: Reader): Filter {
  const filter = readOr(reader);
  if (reader.at < reader.text.length) fail(reader, "'and', 'or' or the end of the filter");
  return filter;
}

/** Reads a PATCH path. Throws `Problem('invalidPath')`, or `invalidFilter` when the fault lies inside the brackets. */
export function parsePath(text: string): Path {
  const reader = openReader(text, 'invalidPath');
  const path: Path = readAttrPath(reader);
  if (reader.text.charCodeAt(reader.at) === 91) {
    if (path.sub !== undefined) fail(reader, 'the end of the path: a sub-attribute has no values to choose from');
    reader.code = 'invalidFilter';
    path.filter = readBrackets(reader);
    reader.code = 'invalidPath';
    if (reader.text.charCodeAt(reader.at) === 46) {
      reader.at++;
      path.sub = readName(reader, 'the name of a sub-attribute');
    }
  }
  skipSpace(reader);
  if (reader.at < text.length) fail(reader, 'the end of the path');
  return path;
}

/** Reads an attribute name in the notation of RFC 7644 section 3.10. Throws `Problem('invalidPath')`. */
export function parseAttrPath(text: string): AttrPath {
  const reader = openReader(text, 'invalidPath');
  const path = readAttrPath(reader);
  skipSpace(reader);
  if (reader.at < text.length) fail(reader, 'the end of the attribute name');
  return path;
}

function openReader(text: string, code: Code, grammar: Grammar = 'scim 2.0'): Reader {
  const what = code === 'invalidFilter' ? 'filter' : 'path';
  if (text.length > maxFilterLength) {
    throw new Problem(code, `The ${what} has ${text.length} characters; at most ${maxFilterLength} are read.`);
  }
  const reader: Reader = { text, grammar, at: 0, depth: 0, inside: false, code };
  skipSpace(reader);
  return reader;
}

function fail(reader: Reader, expected: string): never {
  const what = reader.code === 'invalidFilter' ? 'filter' : 'path';
  const found =
    reader.at < reader.text.length ? JSON.stringify(reader.text.slice(reader.at, reader.at + 12)) : 'the end';
  throw new Problem(
    reader.code,
    `The ${what} cannot be read at position ${reader.at + 1}: expected ${expected}, found ${found}.`,
  );
}

function skipSpace(reader: Reader): void {
  const { text } = reader;
  let at = reader.at;
  while (isKind(text.charCodeAt(at), 8)) at++;
  reader.at = at;
}

function readOr(reader: Reader): Filter {
  const first = readAnd(reader);
  if (!takeWord(reader, 'or')) return first;
  const parts = [first, readAnd(reader)];
  while (takeWord(reader, 'or')) parts.push(readAnd(reader));
  return { op: 'or', parts };
}

function readAnd(reader: Reader): Filter {
  const first = readTerm(reader);
  if (!takeWord(reader, 'and')) return first;
  const parts = [first, readTerm(reader)];
  while (takeWord(reader, 'and')) parts.push(readTerm(reader));
  return { op: 'and', parts };
}

/** Takes `and` or `or` (any case) with the white space around it; what follows a value is always at such a place. */
function takeWord(reader: Reader, word: 'and' | 'or'): boolean {
  const { text, at } = reader;
  for (let i = 0; i < word.length; i++) {
    if ((text.charCodeAt(at + i) | 32) !== word.charCodeAt(i)) return false;
  }
  const next = text.charCodeAt(at + word.length);
  if (next !== 40 && !isKind(next, 8) && at + word.length < text.length) return false;
  reader.at = at + word.length;
  skipSpace(reader);
  return true;
}

function readTerm(reader: Reader): Filter {
  const { text } = reader;
  const code = text.charCodeAt(reader.at);
  if (code === 40) return readGroup(reader);
  if ((code | 32) === 110 && takeNot(reader)) {
    if (reader.grammar === 'scim 1.1') fail(reader, "a comparison: SCIM 1.1 has no 'not'");
    goDeeper(reader);
    const part = readGroup(reader);
    reader.depth--;
    return { op: 'not', part };
  }
  const path = readAttrPath(reader);
  if (text.charCodeAt(reader.at) === 91) {
    if (reader.grammar === 'scim 1.1') fail(reader, "an operator: SCIM 1.1 has no value paths such as 'emails[…]'");
    if (reader.inside) fail(reader, 'an operator: a value path may not stand inside another');
    return readHas(reader, path);
  }
  skipSpace(reader);
  return readComparison(reader, path);
}

/** Takes `not` when a round bracket follows; `not` can also be the name of an attribute. */
function takeNot(reader: Reader): boolean {
  const { text, at } = reader;
  if ((text.charCodeAt(at + 1) | 32) !== 111 || (text.charCodeAt(at + 2) | 32) !== 116) return false;
  let next = at + 3;
  while (isKind(text.charCodeAt(next), 8)) next++;
  if (text.charCodeAt(next) !== 40) return false;
  reader.at = next;
  return true;
}

function readGroup(reader: Reader): Filter {
  goDeeper(reader);
  reader.at++;
  skipSpace(reader);
  const filter = readOr(reader);
  if (reader.text.charCodeAt(reader.at) !== 41) fail(reader, "'and', 'or' or ')'");
  reader.at++;
  skipSpace(reader);
  reader.depth--;
  return filter;
}

/** Reads `[filter]`, leaving the reader directly behind the bracket. */
function readBrackets(reader: Reader): Filter {
  goDeeper(reader);
  reader.at++;
  reader.inside = true;
  skipSpace(reader);
  const filter = readOr(reader);
  reader.inside = false;
  if (reader.text.charCodeAt(reader.at) !== 93) fail(reader, "'and', 'or' or ']'");
  reader.at++;
  reader.depth--;
  return filter;
}

function readHas(reader: Reader, path: AttrPath): Filter {
  const part = readBrackets(reader);
  if (reader.text.charCodeAt(reader.at) !== 46) {
    skipSpace(reader);
    return { op: 'has', path, part };
  }
  reader.at++;
  const attr = readName(reader, 'the name of a sub-attribute');
  skipSpace(reader);
  const last = readComparison(reader, { attr });
  return { op: 'has', path, part: { op: 'and', parts: part.op === 'and' ? [...part.parts, last] : [part, last] } };
}

function goDeeper(reader: Reader): void {
  reader.depth++;
  if (reader.depth > maxFilterDepth) fail(reader, `at most ${maxFilterDepth} levels of brackets`);
}

function readComparison(reader: Reader, path: AttrPath): Filter {
  const { text, at } = reader;
  let end = at;
  while (isKind(text.charCodeAt(end), 2)) end++;
  const op = end - at === 2 ? operators.get(pairCode(text, at)) : undefined;
  const older = reader.grammar === 'scim 1.1';
  if (op === undefined || (older && only20.includes(op))) {
    fail(
      reader,
      `one of the operators ${older ? 'of SCIM 1.1: eq' : 'eq, ne'}, co, sw, ${older ? '' : 'ew, '}gt, ge, lt, le, pr`,
    );
  }
  reader.at = end;
  skipSpace(reader);
  if (op === 'pr') return { op, path };
  return { op, path, value: readValue(reader) };
}

function readValue(reader: Reader): string | number | boolean | null {
  const { text, at } = reader;
  const code = text.charCodeAt(at);
  if (code !== 34 && reader.grammar === 'scim 1.1') return readBareText(reader);
  const value =
    code === 34
      ? readString(reader)
      : code === 45 || (code >= 48 && code <= 57)
        ? readNumber(reader)
        : readLiteral(reader);
  const next = text.charCodeAt(reader.at);
  if (isKind(next, 8)) skipSpace(reader);
  else if (reader.at < text.length && next !== 41 && next !== 93) fail(reader, 'a space after the value');
  return value;
}

/** Up to `and`, `or`, a closing bracket or the end: names without quotation marks have spaces in them too. */
function readBareText(reader: Reader): string {
  const { text, at } = reader;
  const end = at + text.slice(at).search(/\)|[ \t\r\n](?:and|or)[ \t\r\n(]|$/i);
  const value = text.slice(at, end).trimEnd();
  if (value === '' || value.includes('"') || !value.isWellFormed()) fail(reader, 'a value');
  reader.at = end;
  skipSpace(reader);
  return value;
}

function readString(reader: Reader): string {
  const { text } = reader;
  const start = reader.at;
  let at = start + 1;
  let escaped = false;
  let surrogates = false;
  for (;;) {
    const code = text.charCodeAt(at);
    if (code === 34) break;
    if (code === 92) {
      escaped = true;
      at++;
    }
    if (!(code >= 32)) {
      reader.at = Math.min(at, text.length);
      fail(reader, at < text.length ? 'an escape (\\u…) for a control character' : 'a closing quotation mark');
    }
    if (code >= 0xd800) surrogates = true;
    at++;
  }
  const value = escaped ? readEscapes(reader, text.slice(start, at + 1)) : text.slice(start + 1, at);
  if (((surrogates || escaped) && !value.isWellFormed()) || (escaped && value.includes('\0'))) {
    fail(reader, 'a string without U+0000 and without half a surrogate pair');
  }
  reader.at = at + 1;
  return value;
}

function readEscapes(reader: Reader, quoted: string): string {
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return fail(reader, 'a JSON string; one of its escapes is not valid');
  }
}

const numberForm = /^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$/;

function readNumber(reader: Reader): number {
  const { text, at } = reader;
  let end = at;
  while (isKind(text.charCodeAt(end), 16)) end++;
  const digits = text.slice(at, end);
  const value = Number(digits);
  if (!numberForm.test(digits) || !Number.isFinite(value)) fail(reader, 'a JSON number');
  reader.at = end;
  return value;
}

function readLiteral(reader: Reader): boolean | null {
  const { text, at } = reader;
  for (const [word, value] of literals) {
    const end = at + word.length;
    // RFC 7159 literals are lower case; clients that print them from their own language are understood.
    if (text.slice(at, end).toLowerCase() === word && !isKind(text.charCodeAt(end), 2)) {
      reader.at = end;
      return value;
    }
  }
  return fail(reader, 'a value: a string in quotation marks, a number, true, false or null');
}

const literals: readonly (readonly [string, boolean | null])[] = [
  ['true', true],
  ['false', false],
  ['null', null],
];

/** `[URN ":"] name ["." name]`; the URN ends at the last colon, because URNs of schemas have dots and colons. */
function readAttrPath(reader: Reader): AttrPath {
  const { text, at } = reader;
  let end = at;
  while (isKind(text.charCodeAt(end), 2)) end++;
  const stop = text.charCodeAt(end);
  if (stop !== 46 && !isKind(stop, 4)) return { attr: readName(reader, 'the name of an attribute') };
  if (stop === 46) {
    let after = end + 1;
    while (isKind(text.charCodeAt(after), 2)) after++;
    if (!isKind(text.charCodeAt(after), 4)) {
      const attr = readName(reader, 'the name of an attribute');
      reader.at++;
      return { attr, sub: readName(reader, 'the name of a sub-attribute') };
    }
  }
  return readUrnPath(reader);
}

/** SCIM 1.1 joins URN and attribute by a dot as well: `urn:scim:schemas:extension:enterprise:1.0.department`. */
const dottedUrn = /^(.+:\d+(?:\.\d+)*)\.([a-z$][\w$-]*)(?:\.([a-z$][\w$-]*))?$/i;

function readUrnPath(reader: Reader): AttrPath {
  const { text, at } = reader;
  let end = at;
  while (isKind(text.charCodeAt(end), 4)) end++;
  if (reader.grammar === 'scim 1.1') {
    const [, urn, attr, sub] = dottedUrn.exec(text.slice(at, end)) ?? [];
    if (urn !== undefined && attr !== undefined) {
      reader.at = end;
      return sub === undefined ? { urn, attr } : { urn, attr, sub };
    }
  }
  const colon = text.lastIndexOf(':', end - 1);
  if (!isKind(text.charCodeAt(at), 1)) fail(reader, 'the name of an attribute');
  const path: AttrPath = colon <= at ? { attr: '' } : { urn: text.slice(at, colon), attr: '' };
  if (colon > at) reader.at = colon + 1;
  path.attr = readName(reader, 'the name of an attribute after the URN');
  if (text.charCodeAt(reader.at) === 46) {
    reader.at++;
    path.sub = readName(reader, 'the name of a sub-attribute');
  }
  if (reader.at < end) fail(reader, 'the end of the attribute name');
  return path;
}

function readName(reader: Reader, expected: string): string {
  const { text, at } = reader;
  if (!isKind(text.charCodeAt(at), 1)) fail(reader, expected);
  let end = at + 1;
  while (isKind(text.charCodeAt(end), 2)) end++;
  reader.at = end;
  return text.slice(at, end);
}

export function formatAttrPath(path: AttrPath): string {
  const name = path.sub === undefined ? path.attr : `${path.attr}.${path.sub}`;
  return path.urn === undefined ? name : `${path.urn}:${name}`;
}

/** The text of a filter, such that parsing it gives the same filter again. Strings are quoted and escaped as JSON. */
export function formatFilter(filter: Filter): string {
  switch (filter.op) {
    case 'pr':
      return `${formatAttrPath(filter.path)} pr`;
    case 'and':
      return filter.parts
        .map((part) => (part.op === 'and' || part.op === 'or' ? `(${formatFilter(part)})` : formatFilter(part)))
        .join(' and ');
    case 'or':
      return filter.parts
        .map((part) => (part.op === 'or' ? `(${formatFilter(part)})` : formatFilter(part)))
        .join(' or ');
    case 'not':
      return `not (${formatFilter(filter.part)})`;
    case 'has':
      return `${formatAttrPath(filter.path)}[${formatFilter(filter.part)}]`;
    default:
      return `${formatAttrPath(filter.path)} ${filter.op} ${JSON.stringify(filter.value)}`;
  }
}

/** The text of a PATCH path. */
export function formatPath(path: Path): string {
  if (path.filter === undefined) return formatAttrPath(path);
  const { sub, filter, ...head } = path;
  return `${formatAttrPath(head)}[${formatFilter(filter)}]${sub === undefined ? '' : `.${sub}`}`;
}
