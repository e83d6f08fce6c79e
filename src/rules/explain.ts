import type { CompiledExpression } from './compile-expression.ts';
import { nameOf } from './compile-expression.ts';
import type { CompiledMatch, CompiledTarget } from './compile-target.ts';
import type { Evaluation } from './evaluation.ts';
import { Failure } from './failure.ts';
import type { Explanation } from './trace-node.ts';

/** Expressions explained at most in one condition. */
const maxParts = 300;
const maxText = 200;

/** Evaluates the expression and its parts once more, for people. */
export function explain(
  expression: CompiledExpression,
  evaluation: Evaluation,
  budget = { left: maxParts },
): Explanation {
  budget.left--;
  const { syntax } = expression;
  const parts: Explanation[] = [];
  for (const part of expression.parts) if (budget.left > 0) parts.push(explain(part, evaluation, budget));
  return { expression: describe(expression), value: show(expression, evaluation), line: syntax.line, parts };
}

function describe({ syntax }: CompiledExpression): string {
  switch (syntax.kind) {
    case 'value':
      return `"${shorten(syntax.text)}"`;
    case 'designator':
      return shorten(syntax.attributeId);
    case 'selector':
      return shorten(syntax.path);
    case 'variable':
    case 'function':
      return shorten(syntax.id);
    case 'apply': {
      // What is done to each value of a bag is half of what is asked.
      const inner = syntax.args.find((arg) => arg.kind === 'function');
      return inner ? `${nameOf(syntax.function)} ${nameOf(inner.id)}` : nameOf(syntax.function);
    }
  }
}

function show(expression: CompiledExpression, evaluation: Evaluation): string {
  const value = expression.evaluate(evaluation);
  if (value instanceof Failure) return `error: ${shorten(value.message)}`;
  const { type, bag } = expression.type;
  if (!bag) return shorten(type.print(value));
  const values = value as readonly unknown[];
  const shown = values.slice(0, 10).map((v) => `"${shorten(type.print(v))}"`);
  if (values.length > shown.length) shown.push(`… ${values.length - shown.length} more`);
  return `[${shown.join(', ')}]`;
}

function shorten(text: string): string {
  return text.length > maxText ? `${text.slice(0, maxText)}…` : text;
}

/** Says why a target did not match: the comparisons in the first AnyOf that has none. */
export function explainTarget(
  target: CompiledTarget,
  evaluation: Evaluation,
): { target: string; mismatches: Explanation[] } {
  const matches = target.evaluate(evaluation);
  if (matches === true) return { target: 'match', mismatches: [] };
  const text = matches === false ? 'no match' : `error: ${shorten(matches.message)}`;
  const failing = target.anyOfs.find(
    (anyOf) => !anyOf.some((allOf) => allOf.every((m) => m.evaluate(evaluation) === true)),
  );
  const mismatches = (failing ?? [])
    .flatMap((allOf) => allOf.filter((match) => match.evaluate(evaluation) !== true))
    .slice(0, 20)
    .map((match) => explainMatch(match, evaluation));
  return { target: text, mismatches };
}

function explainMatch(match: CompiledMatch, evaluation: Evaluation): Explanation {
  const matches = match.evaluate(evaluation);
  return {
    expression: nameOf(match.syntax.function),
    value: matches instanceof Failure ? `error: ${shorten(matches.message)}` : String(matches),
    line: match.syntax.line,
    parts: [explain(match.value, evaluation), explain(match.attribute, evaluation)],
  };
}
