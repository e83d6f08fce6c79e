import { type DataType, trim, types } from '../datatypes/table.ts';
import type { Evaluation } from '../evaluation.ts';
import { type Failure, failProcessing, outOfSteps } from '../failure.ts';
import { one, type PlainFunction, plain } from './signature.ts';

const f1 = 'urn:oasis:names:tc:xacml:1.0:function:';
const f2 = 'urn:oasis:names:tc:xacml:2.0:function:';
const f3 = 'urn:oasis:names:tc:xacml:3.0:function:';
const string = one(types.string);
const boolean = one(types.boolean);
const integer = one(types.integer);

/** Longest string a function may build. */
const maxString = 2 ** 20;

function concatenate(evaluation: Evaluation, all: readonly string[]): string | Failure {
  let length = 0;
  for (const part of all) length += part.length;
  if (length > maxString) return failProcessing(`a string of more than ${maxString} characters`);
  evaluation.steps -= length >> 6;
  return evaluation.steps < 0 ? outOfSteps : all.join('');
}

/** Section A.3.9: from `begin` (counted from 0) up to, not including, `end`; an end of -1 is the end of the text. */
function substring(text: string, begin: bigint, end: bigint): string | Failure {
  const chars = Array.from(text, (c) => c);
  const length = BigInt(chars.length);
  const to = end === -1n ? length : end;
  if (begin < 0n || begin > length || to < begin || to > length) {
    return failProcessing(`there is no substring from ${begin} to ${end} in a text of ${length} characters`);
  }
  return chars.slice(Number(begin), Number(to)).join('');
}

function checkBounds(literals: readonly unknown[]): string | undefined {
  const [, begin, end] = literals as [unknown, bigint | undefined, bigint | undefined];
  if (begin !== undefined && begin < 0n) return 'begins before the first character';
  if (end !== undefined && end < -1n) return 'ends before the first character';
  if (begin !== undefined && end !== undefined && end !== -1n && end < begin) return 'ends before it begins';
  return undefined;
}

/** `t-from-string` and `string-from-t`. */
function conversions(type: DataType): PlainFunction[] {
  return [
    plain(`${f3}${type.name}-from-string`, [string], one(type), (_, text: string) => {
      const value = type.parse(text);
      return value === undefined ? failProcessing(`"${shorten(text)}" is no ${type.name}`) : value;
    }),
    plain(`${f3}string-from-${type.name}`, [one(type)], string, (_, value: unknown) => type.print(value)),
  ];
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/** `t-starts-with`, `t-ends-with`, `t-contains`: whether the first argument is found in the second. */
function searches(type: DataType): PlainFunction[] {
  const find = (name: string, test: (part: string, whole: string) => boolean) =>
    plain(`${f3}${type.name}-${name}`, [string, one(type)], boolean, (_, part: string, whole: string) =>
      test(part, whole),
    );
  return [
    find('starts-with', (part, whole) => whole.startsWith(part)),
    find('ends-with', (part, whole) => whole.endsWith(part)),
    find('contains', (part, whole) => whole.includes(part)),
    plain(
      `${f3}${type.name}-substring`,
      [one(type), integer, integer],
      string,
      (evaluation: Evaluation, text: string, begin: bigint, end: bigint) => {
        evaluation.steps -= text.length >> 4;
        return substring(text, begin, end);
      },
      { check: checkBounds },
    ),
  ];
}

/** Sections A.3.3, A.3.4 and A.3.9. */
export const stringFunctions: readonly PlainFunction[] = [
  plain(`${f1}string-normalize-space`, [string], string, (_, a: string) => trim(a)),
  plain(`${f1}string-normalize-to-lower-case`, [string], string, (_, a: string) => a.toLowerCase()),
  plain(`${f2}string-concatenate`, [], string, (ev: Evaluation, ...all: string[]) => concatenate(ev, all), {
    rest: { type: string, min: 2 },
  }),
  plain(
    `${f2}uri-string-concatenate`,
    [one(types.anyURI)],
    one(types.anyURI),
    (ev: Evaluation, ...all: string[]) => {
      const text = concatenate(ev, all);
      if (typeof text !== 'string') return text;
      return types.anyURI.parse(text) ?? failProcessing(`"${shorten(text)}" is no anyURI`);
    },
    { rest: { type: string, min: 1 } },
  ),
  ...searches(types.string),
  ...searches(types.anyURI),
  ...[
    types.boolean,
    types.integer,
    types.double,
    types.time,
    types.date,
    types.dateTime,
    types.anyURI,
    types.dayTimeDuration,
    types.yearMonthDuration,
    types.x500Name,
    types.rfc822Name,
    types.ipAddress,
    types.dnsName,
  ].flatMap(conversions),
];
