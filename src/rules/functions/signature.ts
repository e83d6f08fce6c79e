import type { DataType } from '../datatypes/table.ts';
import type { Evaluation } from '../evaluation.ts';

/** What an expression yields: one value of a type, or a bag of them (an array). */
export interface ValueType {
  readonly type: DataType;
  readonly bag: boolean;
}

/** An argument an apply binds to, already checked and compiled. */
export interface Argument {
  readonly type: ValueType;
  /** A value, an array for a bag, or a `Failure`. Never throws. */
  readonly evaluate: (evaluation: Evaluation) => unknown;
  /** The value when it is written in the policy. */
  readonly literal: unknown;
}

/**
 * A function whose arguments are all evaluated before it is called, first to last; a failing one fails the call.
 * `call` gets the values (bags as arrays) and answers a value or a `Failure`. It never throws.
 */
export interface PlainFunction {
  readonly kind: 'plain';
  readonly id: string;
  readonly parameters: readonly ValueType[];
  /** Type of any number of further arguments, and the fewest there must be. */
  readonly rest: { readonly type: ValueType; readonly min: number } | undefined;
  readonly returns: ValueType;
  readonly call: (evaluation: Evaluation, ...values: never[]) => unknown;
  /** Says what is wrong with arguments written in the policy, before it is ever evaluated. */
  readonly check?: ((literals: readonly unknown[]) => string | undefined) | undefined;
}

/** `and`, `or`, `n-of`: which evaluate their arguments themselves, as far as they need them. */
export interface LazyFunction {
  readonly kind: 'lazy';
  readonly id: string;
  readonly parameters: readonly ValueType[];
  readonly rest: { readonly type: ValueType; readonly min: number } | undefined;
  readonly returns: ValueType;
  readonly bind: (args: readonly Argument[]) => (evaluation: Evaluation) => unknown;
}

/** A function whose first argument is a function (section A.3.12). `bind` answers a text when the arguments do not fit. */
export interface HigherOrderFunction {
  readonly kind: 'higher-order';
  readonly id: string;
  readonly bind: (
    inner: PlainFunction,
    args: readonly Argument[],
  ) => { readonly returns: ValueType; readonly evaluate: (evaluation: Evaluation) => unknown } | string;
}

export type XacmlFunction = PlainFunction | LazyFunction | HigherOrderFunction;

export function one(type: DataType): ValueType {
  return { type, bag: false };
}

export function bagOf(type: DataType): ValueType {
  return { type, bag: true };
}

export function plain(
  id: string,
  parameters: readonly ValueType[],
  returns: ValueType,
  call: PlainFunction['call'],
  more: Pick<PlainFunction, 'check'> & { rest?: PlainFunction['rest'] } = {},
): PlainFunction {
  return { kind: 'plain', id, parameters, rest: more.rest, returns, call, check: more.check };
}

/** Why these arguments do not fit the function, or undefined when they do. */
export function mismatch(
  fn: Pick<PlainFunction, 'parameters' | 'rest'>,
  args: readonly { readonly type: ValueType }[],
): string | undefined {
  const { parameters, rest } = fn;
  const least = parameters.length + (rest?.min ?? 0);
  if (args.length < least || (rest === undefined && args.length > least)) {
    return `takes ${rest === undefined ? '' : 'at least '}${least} argument${least === 1 ? '' : 's'}, not ${args.length}`;
  }
  for (const [i, { type }] of args.entries()) {
    const wanted = parameters[i] ?? rest!.type;
    if (type.type !== wanted.type || type.bag !== wanted.bag) {
      return `takes ${describeType(wanted)} as argument ${i + 1}, not ${describeType(type)}`;
    }
  }
  return undefined;
}

export function describeType({ type, bag }: ValueType): string {
  return bag ? `a bag of ${type.name}` : `one ${type.name}`;
}
