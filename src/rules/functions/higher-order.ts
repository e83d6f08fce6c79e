import { types } from '../datatypes/table.ts';
import type { Evaluation } from '../evaluation.ts';
import { Failure, outOfSteps } from '../failure.ts';
import {
  type Argument,
  bagOf,
  describeType,
  type HigherOrderFunction,
  mismatch,
  one,
  type PlainFunction,
} from './signature.ts';

const f1 = 'urn:oasis:names:tc:xacml:1.0:function:';
const f3 = 'urn:oasis:names:tc:xacml:3.0:function:';

type Call = (evaluation: Evaluation, ...values: unknown[]) => unknown;
/** How the answers of the inner function are put together: `any` as `or` does, `all` as `and` does. */
type Joined = 'any' | 'all';

function join(how: Joined, evaluation: Evaluation, answers: Iterable<unknown>): unknown {
  const decisive = how === 'any';
  let failed: Failure | undefined;
  for (const answer of answers) {
    if (--evaluation.steps < 0) return outOfSteps;
    if (answer === decisive) return decisive;
    if (answer instanceof Failure) failed ??= answer;
  }
  return failed ?? !decisive;
}

/** The inner function must be a predicate on one value from each argument. */
function unfit(inner: PlainFunction, args: readonly Argument[], bags: number | 'any number'): string | undefined {
  const { returns } = inner;
  if (returns.bag || returns.type !== types.boolean)
    return `needs a function that yields one boolean, not ${describeType(returns)}`;
  return unfitArguments(inner, args, bags);
}

function unfitArguments(
  inner: PlainFunction,
  args: readonly Argument[],
  bags: number | 'any number',
): string | undefined {
  const found = args.filter((arg) => arg.type.bag).length;
  if (args.length === 0) return 'needs arguments beside the function';
  if (bags !== 'any number' && found !== bags)
    return `takes ${bags === 1 ? 'exactly one bag' : `${bags} bags`}, not ${found}`;
  const wrong = mismatch(
    inner,
    args.map((arg) => ({ type: one(arg.type.type) })),
  );
  return wrong === undefined ? undefined : `cannot apply its function, which ${wrong}`;
}

/** Evaluates all arguments, or answers the first failure. */
function evaluateAll(evaluation: Evaluation, args: readonly Argument[]): unknown[] | Failure {
  const values: unknown[] = [];
  for (const arg of args) {
    const value = arg.evaluate(evaluation);
    if (value instanceof Failure) return value;
    values.push(value);
  }
  return values;
}

/** `any-of`, `all-of` and `map`: one bag among the arguments, each of its values in its place in turn. */
function* eachOf(call: Call, evaluation: Evaluation, args: readonly Argument[], values: unknown[]): Generator<unknown> {
  const place = args.findIndex((arg) => arg.type.bag);
  const given = [...values];
  for (const value of values[place] as readonly unknown[]) {
    given[place] = value;
    yield call(evaluation, ...given);
  }
}

function overOneBag(id: string, how: Joined): HigherOrderFunction {
  return {
    kind: 'higher-order',
    id,
    bind: (inner, args) =>
      unfit(inner, args, 1) ?? {
        returns: one(types.boolean),
        evaluate: (evaluation) => {
          const values = evaluateAll(evaluation, args);
          if (values instanceof Failure) return values;
          return join(how, evaluation, eachOf(inner.call as Call, evaluation, args, values));
        },
      },
  };
}

/** `any-of-any`: every combination of one value from each argument. */
function* combinations(
  call: Call,
  evaluation: Evaluation,
  args: readonly Argument[],
  values: unknown[],
): Generator<unknown> {
  const choices = values.map((value, i) => (args[i]!.type.bag ? (value as readonly unknown[]) : [value]));
  if (choices.some((choice) => choice.length === 0)) return;
  const places = choices.map(() => 0);
  for (;;) {
    yield call(evaluation, ...places.map((place, i) => choices[i]![place]));
    let i = places.length - 1;
    while (i >= 0 && ++places[i]! === choices[i]!.length) places[i--] = 0;
    if (i < 0) return;
  }
}

const anyOfAny: HigherOrderFunction['bind'] = (inner, args) =>
  unfit(inner, args, 'any number') ?? {
    returns: one(types.boolean),
    evaluate: (evaluation) => {
      const values = evaluateAll(evaluation, args);
      if (values instanceof Failure) return values;
      return join('any', evaluation, combinations(inner.call as Call, evaluation, args, values));
    },
  };

/** `all-of-any` and the like: `outer` over one bag, `nested` over the other for each of its values. */
function overTwoBags(id: string, outer: Joined, nested: Joined): HigherOrderFunction {
  return {
    kind: 'higher-order',
    id,
    bind: (inner, args) => {
      const wrong = args.length === 2 ? unfit(inner, args, 2) : `takes a function and two bags`;
      if (wrong !== undefined) return wrong;
      const call = inner.call as Call;
      return {
        returns: one(types.boolean),
        evaluate: (evaluation) => {
          const values = evaluateAll(evaluation, args);
          if (values instanceof Failure) return values;
          const outside = values[0] as readonly unknown[];
          const inside = values[1] as readonly unknown[];
          function* answers() {
            for (const a of outside) yield join(nested, evaluation, answersFor(a));
          }
          function* answersFor(a: unknown) {
            for (const b of inside) yield call(evaluation, a, b);
          }
          return join(outer, evaluation, answers());
        },
      };
    },
  };
}

const map: HigherOrderFunction['bind'] = (inner, args) => {
  if (inner.returns.bag) return `needs a function that yields one value, not ${describeType(inner.returns)}`;
  return (
    unfitArguments(inner, args, 1) ?? {
      returns: bagOf(inner.returns.type),
      evaluate: (evaluation) => {
        const values = evaluateAll(evaluation, args);
        if (values instanceof Failure) return values;
        const out: unknown[] = [];
        for (const value of eachOf(inner.call as Call, evaluation, args, values)) {
          if (--evaluation.steps < 0) return outOfSteps;
          if (value instanceof Failure) return value;
          out.push(value);
        }
        return out;
      },
    }
  );
};

/** Section A.3.12, with the names XACML 1.0 and 2.0 had for them. */
export const higherOrderFunctions: readonly HigherOrderFunction[] = [
  ...[f1, f3].flatMap((prefix): HigherOrderFunction[] => [
    overOneBag(`${prefix}any-of`, 'any'),
    overOneBag(`${prefix}all-of`, 'all'),
    { kind: 'higher-order', id: `${prefix}any-of-any`, bind: anyOfAny },
    { kind: 'higher-order', id: `${prefix}map`, bind: map },
  ]),
  overTwoBags(`${f1}all-of-any`, 'all', 'any'),
  overTwoBags(`${f1}any-of-all`, 'any', 'all'),
  overTwoBags(`${f1}all-of-all`, 'all', 'all'),
];
