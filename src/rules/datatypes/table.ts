import type { Namespaces } from '../../protocol/xml/xpath.ts';
import { parseDayTime, parseYearMonth, printDayTime, printYearMonth } from './duration.ts';
import { keyOfX500Name, type MailName, parseMailName, parseX500Name, type X500Name } from './names.ts';
import { parseDnsName, parseIpAddress } from './network.ts';
import {
  compareTemporal,
  instantOf,
  parseDate,
  parseDateTime,
  parseTime,
  printDate,
  printDateTime,
  printTime,
  type Temporal,
} from './temporal.ts';

/** What a value is told apart by: two values of one type are equal when their keys are. */
export type Key = string | number | bigint | boolean;

/**
 * A data type of section 10.2.7. Values are plain: string, boolean, bigint (integer and dayTimeDuration), number
 * (double and yearMonthDuration) or frozen data. `zone` is the zone, in minutes east of UTC, of values that have none.
 */
export interface DataType {
  readonly id: string;
  /** As function names have it: `string`, `dayTimeDuration`, … */
  readonly name: string;
  /** Undefined when the text is no value of the type. */
  parse(text: string): unknown;
  print(value: unknown): string;
  key(value: unknown, zone: number): Key;
  /** Below zero, zero, above zero. Only ordered types have it. */
  readonly compare: ((a: unknown, b: unknown, zone: number) => number) | undefined;
  /** The key is the value itself. */
  readonly plain: boolean;
}

/** An XPath with where it was written: its prefixes, and the category whose content it reads. */
export interface XPathValue {
  readonly path: string;
  readonly namespaces: Namespaces;
  readonly category: string;
}

interface Definition<T> {
  parse(text: string): T | undefined;
  print?(value: T): string;
  key?(value: T, zone: number): Key;
  compare?(a: T, b: T, zone: number): number;
}

function define<T>(id: string, name: string, definition: Definition<T>): DataType {
  const { key, compare } = definition;
  return Object.freeze({
    id,
    name,
    parse: definition.parse,
    print: (definition.print ?? String) as DataType['print'],
    key: (key ?? ((value: T) => value as Key)) as DataType['key'],
    compare: compare as DataType['compare'],
    plain: key === undefined,
  });
}

const schema = 'http://www.w3.org/2001/XMLSchema#';

/**
 * XML Schema's `collapse` for values that hold no white space inside. Not a regular expression, which would take
 * quadratic time over a long run of spaces.
 */
export function trim(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && isSpace(text.charCodeAt(from))) from++;
  while (to > from && isSpace(text.charCodeAt(to - 1))) to--;
  return from === 0 && to === text.length ? text : text.slice(from, to);
}

function isSpace(code: number): boolean {
  return code === 32 || code === 9 || code === 10 || code === 13;
}

/** Strings are ordered by code point, which is not the order of UTF-16 beyond U+FFFF. */
function compareStrings(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    const xHigh = x >= 0xd800 && x <= 0xdfff;
    const yHigh = y >= 0xd800 && y <= 0xdfff;
    return xHigh === yHigh ? x - y : xHigh ? 1 : -1;
  }
  return a.length - b.length;
}

const doubleText = /^(?:[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)$/;

function parseDouble(text: string): number | undefined {
  const trimmed = trim(text);
  if (trimmed === 'INF') return Number.POSITIVE_INFINITY;
  if (trimmed === '-INF') return Number.NEGATIVE_INFINITY;
  if (trimmed === 'NaN') return Number.NaN;
  return doubleText.test(trimmed) ? Number(trimmed) : undefined;
}

function printDouble(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return 'INF';
  if (value === Number.NEGATIVE_INFINITY) return '-INF';
  return Object.is(value, -0) ? '-0' : String(value).replace('e+', 'E').replace('e', 'E');
}

/** Longest integer taken, in decimal digits: arithmetic on longer ones would cost more than a decision may. */
export const maxIntegerDigits = 1000;

function parseInteger(text: string): bigint | undefined {
  const trimmed = trim(text);
  if (!/^[+-]?\d+$/.test(trimmed) || trimmed.length > maxIntegerDigits) return undefined;
  return BigInt(trimmed.startsWith('+') ? trimmed.slice(1) : trimmed);
}

function parseBoolean(text: string): boolean | undefined {
  const trimmed = trim(text);
  if (trimmed === 'true' || trimmed === '1') return true;
  return trimmed === 'false' || trimmed === '0' ? false : undefined;
}

function parseAnyUri(text: string): string | undefined {
  const trimmed = trim(text);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it refuses
  return /[\s\u0000-\u001f]/.test(trimmed) ? undefined : trimmed;
}

function parseHex(text: string): string | undefined {
  const trimmed = trim(text);
  return /^(?:[0-9a-fA-F]{2})*$/.test(trimmed) ? trimmed.toUpperCase() : undefined;
}

function parseBase64(text: string): string | undefined {
  const packed = text.replace(/[ \t\r\n]+/g, '');
  if (packed.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(packed)) return undefined;
  const canonical = Buffer.from(packed, 'base64').toString('base64');
  return canonical === packed ? canonical : undefined;
}

function temporal(
  id: string,
  parse: (text: string) => Temporal | undefined,
  print: (value: Temporal) => string,
): DataType {
  return define<Temporal>(schema + id, id, {
    parse: (text) => parse(trim(text)),
    print,
    key: (value, zone) => `${instantOf(value, zone)}.${value.nanos}`,
    compare: compareTemporal,
  });
}

export const types = {
  string: define<string>(`${schema}string`, 'string', { parse: (text) => text, compare: compareStrings }),
  boolean: define<boolean>(`${schema}boolean`, 'boolean', { parse: parseBoolean }),
  integer: define<bigint>(`${schema}integer`, 'integer', {
    parse: parseInteger,
    compare: (a, b) => (a < b ? -1 : a > b ? 1 : 0),
  }),
  double: define<number>(`${schema}double`, 'double', {
    parse: parseDouble,
    print: printDouble,
    // NaN is a value like any other here: a policy can ask for it (as the conformance cases do).
    key: (value) => (Number.isNaN(value) ? 'NaN' : value),
    compare: (a, b) => (a < b ? -1 : a > b ? 1 : a === b ? 0 : Number.NaN),
  }),
  time: temporal('time', parseTime, printTime),
  date: temporal('date', parseDate, printDate),
  dateTime: temporal('dateTime', parseDateTime, printDateTime),
  dayTimeDuration: define<bigint>(`${schema}dayTimeDuration`, 'dayTimeDuration', {
    parse: (text) => parseDayTime(trim(text)),
    print: printDayTime,
  }),
  yearMonthDuration: define<number>(`${schema}yearMonthDuration`, 'yearMonthDuration', {
    parse: (text) => parseYearMonth(trim(text)),
    print: printYearMonth,
  }),
  anyURI: define<string>(`${schema}anyURI`, 'anyURI', { parse: parseAnyUri }),
  hexBinary: define<string>(`${schema}hexBinary`, 'hexBinary', { parse: parseHex }),
  base64Binary: define<string>(`${schema}base64Binary`, 'base64Binary', { parse: parseBase64 }),
  rfc822Name: define<MailName>('urn:oasis:names:tc:xacml:1.0:data-type:rfc822Name', 'rfc822Name', {
    parse: (text) => parseMailName(trim(text)),
    print: (value) => `${value.local}@${value.domain}`,
    key: (value) => `${value.local}@${value.domain.toLowerCase()}`,
  }),
  x500Name: define<X500Name>('urn:oasis:names:tc:xacml:1.0:data-type:x500Name', 'x500Name', {
    parse: parseX500Name,
    print: (value) => value.text,
    key: keyOfX500Name,
  }),
  ipAddress: define<string>('urn:oasis:names:tc:xacml:2.0:data-type:ipAddress', 'ipAddress', {
    parse: (text) => parseIpAddress(trim(text)),
  }),
  dnsName: define<string>('urn:oasis:names:tc:xacml:2.0:data-type:dnsName', 'dnsName', {
    parse: (text) => parseDnsName(trim(text)),
  }),
  /** Its values need more than text: the reader makes them (`XPathValue`). */
  xpathExpression: define<XPathValue>('urn:oasis:names:tc:xacml:3.0:data-type:xpathExpression', 'xpathExpression', {
    parse: () => undefined,
    print: (value) => value.path,
    key: (value) => `${value.category} ${value.path}`,
  }),
} as const;

const byId: ReadonlyMap<string, DataType> = new Map([
  ...Object.values(types).map((type): [string, DataType] => [type.id, type]),
  // The names XACML 1.0 and 2.0 had for them.
  ['http://www.w3.org/TR/2002/WD-xquery-operators-20020816#dayTimeDuration', types.dayTimeDuration],
  ['http://www.w3.org/TR/2002/WD-xquery-operators-20020816#yearMonthDuration', types.yearMonthDuration],
  ['urn:oasis:names:tc:xacml:2.0:data-type:dayTimeDuration', types.dayTimeDuration],
  ['urn:oasis:names:tc:xacml:2.0:data-type:yearMonthDuration', types.yearMonthDuration],
]);

export function findDataType(id: string): DataType | undefined {
  return byId.get(id);
}
