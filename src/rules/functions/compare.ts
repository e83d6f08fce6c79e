import { type DataType, types } from '../datatypes/table.ts';
import type { Temporal } from '../datatypes/temporal.ts';
import type { Evaluation } from '../evaluation.ts';
import { one, type PlainFunction, plain } from './signature.ts';

const f1 = 'urn:oasis:names:tc:xacml:1.0:function:';
const f2 = 'urn:oasis:names:tc:xacml:2.0:function:';
const f3 = 'urn:oasis:names:tc:xacml:3.0:function:';
const boolean = one(types.boolean);

/** Types whose `-equal` is in the table of section 10.2.8; the later ones carry the prefix of their version. */
export const comparableTypes: readonly DataType[] = [
  types.string,
  types.boolean,
  types.integer,
  types.double,
  types.date,
  types.time,
  types.dateTime,
  types.dayTimeDuration,
  types.yearMonthDuration,
  types.anyURI,
  types.x500Name,
  types.rfc822Name,
  types.hexBinary,
  types.base64Binary,
];

export function isDuration(type: DataType): boolean {
  return type === types.dayTimeDuration || type === types.yearMonthDuration;
}

function equal(id: string, type: DataType): PlainFunction {
  const call: PlainFunction['call'] = type.plain
    ? (_: Evaluation, a: unknown, b: unknown) => a === b
    : (evaluation: Evaluation, a: unknown, b: unknown) => type.key(a, evaluation.zone) === type.key(b, evaluation.zone);
  return plain(id, [one(type), one(type)], boolean, call);
}

function order(name: string, type: DataType): PlainFunction[] {
  const compare = type.compare!;
  const make = (suffix: string, holds: (n: number) => boolean) =>
    plain(`${f1}${name}-${suffix}`, [one(type), one(type)], boolean, (ev: Evaluation, a: unknown, b: unknown) =>
      holds(compare(a, b, ev.zone)),
    );
  return [
    make('greater-than', (n) => n > 0),
    make('greater-than-or-equal', (n) => n >= 0),
    make('less-than', (n) => n < 0),
    make('less-than-or-equal', (n) => n <= 0),
  ];
}

const day = 86_400;

/**
 * `time-in-range` (section A.3.8): the range runs forward from the second argument and may pass midnight; bounds
 * without a zone are in the zone of the first argument.
 */
function inRange(evaluation: Evaluation, value: Temporal, low: Temporal, high: Temporal): boolean {
  const zone = value.zone ?? evaluation.zone;
  const at = (t: Temporal) => ((((t.seconds - (t.zone ?? zone) * 60) % day) + day) % day) + t.nanos / 1e9;
  const from = at(low);
  const after = (n: number) => (n - from + day) % day;
  return after(at(value)) <= after(at(high));
}

/** Equality and order: sections A.3.1, A.3.6 and A.3.8. */
export const compareFunctions: readonly PlainFunction[] = [
  ...comparableTypes.flatMap((type) => {
    const ids = isDuration(type) ? [`${f3}${type.name}-equal`, `${f1}${type.name}-equal`] : [`${f1}${type.name}-equal`];
    return ids.map((id) => equal(id, type));
  }),
  plain(
    `${f3}string-equal-ignore-case`,
    [one(types.string), one(types.string)],
    boolean,
    (_, a: string, b: string) => a.toLowerCase() === b.toLowerCase(),
  ),
  ...['integer', 'double', 'string', 'time', 'date', 'dateTime'].flatMap((name) =>
    order(name, types[name as 'integer']),
  ),
  plain(`${f2}time-in-range`, [one(types.time), one(types.time), one(types.time)], boolean, inRange),
];
