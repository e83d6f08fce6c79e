import {
  type CompiledExpression,
  compileDesignator,
  compileExpression,
  compileValue,
  nameOf,
} from './compile-expression.ts';
import type { Key } from './datatypes/table.ts';
import { types } from './datatypes/table.ts';
import { type Evaluation, isClockAttribute } from './evaluation.ts';
import { Failure, outOfSteps, Refusal } from './failure.ts';
import { bindRegex } from './functions/match.ts';
import { describeType, mismatch, one } from './functions/signature.ts';
import { findFunction } from './functions/table.ts';
import type { DesignatorSyntax, MatchSyntax, TargetSyntax } from './policy.ts';

/** A match that can only succeed when the request has `value` where `attribute` points. */
export interface MatchKey {
  readonly attribute: DesignatorSyntax;
  readonly value: Key;
}

export interface CompiledMatch {
  readonly syntax: MatchSyntax;
  readonly value: CompiledExpression;
  readonly attribute: CompiledExpression;
  readonly evaluate: (evaluation: Evaluation) => boolean | Failure;
  readonly key: MatchKey | undefined;
}

export interface CompiledTarget {
  readonly anyOfs: readonly (readonly (readonly CompiledMatch[])[])[];
  /** Section 7.7. Never throws. */
  readonly evaluate: (evaluation: Evaluation) => boolean | Failure;
}

const noVariables = () => {
  throw new Refusal(0, 'a target has no variables');
};

export function compileTarget(syntax: TargetSyntax): CompiledTarget {
  const anyOfs = syntax.map((anyOf) => anyOf.map((allOf) => allOf.map(compileMatch)));
  if (anyOfs.length === 0) return { anyOfs, evaluate: () => true };
  return { anyOfs, evaluate: (evaluation) => matchTarget(anyOfs, evaluation) };
}

function matchTarget(anyOfs: CompiledTarget['anyOfs'], evaluation: Evaluation): boolean | Failure {
  let failed: Failure | undefined;
  for (let i = 0; i < anyOfs.length; i++) {
    const matches = matchAnyOf(anyOfs[i]!, evaluation);
    if (matches === false) return false;
    if (matches !== true) failed ??= matches;
  }
  return failed ?? true;
}

function matchAnyOf(anyOf: readonly (readonly CompiledMatch[])[], evaluation: Evaluation): boolean | Failure {
  let failed: Failure | undefined;
  for (let i = 0; i < anyOf.length; i++) {
    const matches = matchAllOf(anyOf[i]!, evaluation);
    if (matches === true) return true;
    if (matches !== false) failed ??= matches;
  }
  return failed ?? false;
}

function matchAllOf(allOf: readonly CompiledMatch[], evaluation: Evaluation): boolean | Failure {
  let failed: Failure | undefined;
  for (let i = 0; i < allOf.length; i++) {
    const matches = allOf[i]!.evaluate(evaluation);
    if (matches === false) return false;
    if (matches !== true) failed ??= matches;
  }
  return failed ?? true;
}

/** Section 7.6: true when the function holds for the value and any value of the attribute. */
function compileMatch(syntax: MatchSyntax): CompiledMatch {
  const value = compileValue(syntax.value);
  const attribute =
    syntax.attribute.kind === 'designator'
      ? compileDesignator(syntax.attribute)
      : compileExpression(syntax.attribute, noVariables);
  const fn = findFunction(syntax.function);
  if (fn === undefined) throw new Refusal(syntax.line, `the function ${syntax.function} is not known`);
  if (fn.kind !== 'plain' || fn.returns.bag || fn.returns.type !== types.boolean) {
    throw new Refusal(syntax.line, `${nameOf(fn.id)} cannot be used in a <Match>: it is no test of two values`);
  }
  const element = one(attribute.type.type);
  const wrong = mismatch(fn, [value, { type: element }]);
  if (wrong !== undefined) {
    throw new Refusal(
      syntax.line,
      `${nameOf(fn.id)} ${wrong} (given ${describeType(value.type)} and ${describeType(element)})`,
    );
  }
  const bad = fn.check?.([value.literal, undefined]);
  if (bad !== undefined) throw new Refusal(syntax.line, `${nameOf(fn.id)} ${bad}`);

  const { literal } = value;
  const readBag = attribute.evaluate;
  const isPlainEqual = element.type.plain && nameOf(fn.id) === `${element.type.name}-equal`;
  if (isPlainEqual) {
    const evaluate = (evaluation: Evaluation): boolean | Failure => {
      const bag = readBag(evaluation) as unknown[] | Failure;
      if (bag instanceof Failure) return bag;
      for (let i = 0; i < bag.length; i++) if (bag[i] === literal) return true;
      return false;
    };
    const designator = syntax.attribute;
    const keyed = designator.kind === 'designator' && !isClockAttribute(designator.category, designator.attributeId);
    return {
      syntax,
      value,
      attribute,
      evaluate,
      key: keyed ? { attribute: designator, value: literal as Key } : undefined,
    };
  }

  const call = fn.call as (evaluation: Evaluation, a: unknown, b: unknown) => unknown;
  const regex = bindRegex(fn, literal);
  const test = regex ?? ((evaluation: Evaluation, candidate: unknown) => call(evaluation, literal, candidate));
  const evaluate = (evaluation: Evaluation): boolean | Failure => {
    const bag = readBag(evaluation) as unknown[] | Failure;
    if (bag instanceof Failure) return bag;
    let failed: Failure | undefined;
    for (let i = 0; i < bag.length; i++) {
      if (--evaluation.steps < 0) return outOfSteps;
      const matches = test(evaluation, bag[i]);
      if (matches === true) return true;
      if (matches instanceof Failure) failed ??= matches;
    }
    return failed ?? false;
  };
  return { syntax, value, attribute, evaluate, key: undefined };
}
