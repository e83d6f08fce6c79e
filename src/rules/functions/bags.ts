import { type DataType, type Key, types } from '../datatypes/table.ts';
import type { Evaluation } from '../evaluation.ts';
import { failProcessing, outOfSteps } from '../failure.ts';
import { comparableTypes, isDuration } from './compare.ts';
import { bagOf, one, type PlainFunction, plain } from './signature.ts';

const f1 = 'urn:oasis:names:tc:xacml:1.0:function:';
const f2 = 'urn:oasis:names:tc:xacml:2.0:function:';
const f3 = 'urn:oasis:names:tc:xacml:3.0:function:';
const boolean = one(types.boolean);

function keysOf(evaluation: Evaluation, type: DataType, bag: readonly unknown[]): Set<Key> {
  evaluation.steps -= bag.length;
  const keys = new Set<Key>();
  for (const value of bag) keys.add(type.key(value, evaluation.zone));
  return keys;
}

/** Each value once: the first of those that are equal. */
function distinct(evaluation: Evaluation, type: DataType, bags: readonly (readonly unknown[])[]): unknown[] {
  const seen = new Set<Key>();
  const out: unknown[] = [];
  for (const bag of bags) {
    evaluation.steps -= bag.length;
    for (const value of bag) {
      const key = type.key(value, evaluation.zone);
      if (seen.has(key)) continue;
      seen.add(key);
      out.push(value);
    }
  }
  return out;
}

function contains(evaluation: Evaluation, type: DataType, value: unknown, bag: readonly unknown[]): boolean {
  evaluation.steps -= bag.length >> 3;
  if (type.plain) {
    for (let i = 0; i < bag.length; i++) if (bag[i] === value) return true;
    return false;
  }
  const key = type.key(value, evaluation.zone);
  return bag.some((other) => type.key(other, evaluation.zone) === key);
}

function subset(evaluation: Evaluation, type: DataType, a: readonly unknown[], b: readonly unknown[]): boolean {
  const keys = keysOf(evaluation, type, b);
  evaluation.steps -= a.length;
  return a.every((value) => keys.has(type.key(value, evaluation.zone)));
}

/** Section A.3.10: for every type. */
function bagFunctions(type: DataType, prefix: string): PlainFunction[] {
  const name = prefix + type.name;
  const single = one(type);
  const bag = bagOf(type);
  return [
    plain(`${name}-one-and-only`, [bag], single, (_, values: readonly unknown[]) =>
      values.length === 1
        ? values[0]
        : failProcessing(
            `${type.name}-one-and-only was given ${values.length === 0 ? 'no value' : `${values.length} values`}`,
          ),
    ),
    plain(`${name}-bag-size`, [bag], one(types.integer), (_, values: readonly unknown[]) => BigInt(values.length)),
    plain(`${name}-bag`, [], bag, (_, ...values: unknown[]) => values, { rest: { type: single, min: 0 } }),
  ];
}

/** `-is-in` and the set functions of section A.3.11: for every type that has an equality. */
function setFunctions(type: DataType, prefix: string): PlainFunction[] {
  const name = prefix + type.name;
  const bag = bagOf(type);
  type Bag = readonly unknown[];
  const spent = (evaluation: Evaluation, result: unknown) => (evaluation.steps < 0 ? outOfSteps : result);
  return [
    plain(`${name}-is-in`, [one(type), bag], boolean, (ev: Evaluation, value: unknown, values: Bag) =>
      contains(ev, type, value, values),
    ),
    plain(`${name}-intersection`, [bag, bag], bag, (ev: Evaluation, a: Bag, b: Bag) => {
      const keys = keysOf(ev, type, b);
      return spent(
        ev,
        distinct(ev, type, [a]).filter((value) => keys.has(type.key(value, ev.zone))),
      );
    }),
    plain(`${name}-at-least-one-member-of`, [bag, bag], boolean, (ev: Evaluation, a: Bag, b: Bag) => {
      const keys = keysOf(ev, type, b);
      ev.steps -= a.length;
      return spent(
        ev,
        a.some((value) => keys.has(type.key(value, ev.zone))),
      );
    }),
    plain(`${name}-union`, [], bag, (ev: Evaluation, ...bags: Bag[]) => spent(ev, distinct(ev, type, bags)), {
      rest: { type: bag, min: 2 },
    }),
    plain(`${name}-subset`, [bag, bag], boolean, (ev: Evaluation, a: Bag, b: Bag) => spent(ev, subset(ev, type, a, b))),
    plain(`${name}-set-equals`, [bag, bag], boolean, (ev: Evaluation, a: Bag, b: Bag) =>
      spent(ev, subset(ev, type, a, b) && subset(ev, type, b, a)),
    ),
  ];
}

export const bagAndSetFunctions: readonly PlainFunction[] = [
  ...comparableTypes.flatMap((type) =>
    (isDuration(type) ? [f1, f3] : [f1]).flatMap((prefix) => [
      ...bagFunctions(type, prefix),
      ...setFunctions(type, prefix),
    ]),
  ),
  ...[types.ipAddress, types.dnsName].flatMap((type) => bagFunctions(type, f2)),
  ...bagFunctions(types.xpathExpression, f3),
];
