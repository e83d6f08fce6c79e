import { type CompiledExpression, compileExpression, type VariableScope } from './compile-expression.ts';
import type { DataType } from './datatypes/table.ts';
import type { Evaluation } from './evaluation.ts';
import { Failure, outOfSteps } from './failure.ts';
import type { AssignmentSyntax, Effect, NoticeSyntax } from './policy.ts';
import type { Assignment, Notice, Verdict } from './verdict.ts';

/** Most assignments one decision may carry. */
const maxAssignments = 10_000;

interface CompiledNotice {
  readonly id: string;
  readonly on: Effect;
  readonly assignments: readonly { readonly syntax: AssignmentSyntax; readonly expression: CompiledExpression }[];
}

/** The obligations and advice of one rule, policy or policy set. */
export interface CompiledNotices {
  readonly obligations: readonly CompiledNotice[];
  readonly advice: readonly CompiledNotice[];
}

export function compileNotices(
  syntax: { readonly obligations: readonly NoticeSyntax[]; readonly advice: readonly NoticeSyntax[] },
  scope: VariableScope,
): CompiledNotices | undefined {
  if (syntax.obligations.length === 0 && syntax.advice.length === 0) return undefined;
  const compile = (notice: NoticeSyntax): CompiledNotice => ({
    id: notice.id,
    on: notice.on,
    assignments: notice.assignments.map((assignment) => ({
      syntax: assignment,
      expression: compileExpression(assignment.expression, scope),
    })),
  });
  return { obligations: syntax.obligations.map(compile), advice: syntax.advice.map(compile) };
}

/**
 * Section 7.18: adds to a *Permit* or *Deny* the obligations and advice that go with it. An assignment that fails
 * makes the whole indeterminate: the failure is answered instead.
 */
export function addNotices(verdict: Verdict, notices: CompiledNotices, evaluation: Evaluation): Verdict | Failure {
  const on = verdict.decision === 'permit' ? 'Permit' : 'Deny';
  const obligations = fill(notices.obligations, on, evaluation);
  if (obligations instanceof Failure) return obligations;
  const advice = fill(notices.advice, on, evaluation);
  if (advice instanceof Failure) return advice;
  return {
    ...verdict,
    obligations: [...obligations, ...verdict.obligations],
    advice: [...advice, ...verdict.advice],
  };
}

function fill(notices: readonly CompiledNotice[], on: Effect, evaluation: Evaluation): Notice[] | Failure {
  const filled: Notice[] = [];
  for (const notice of notices) {
    if (notice.on !== on) continue;
    const assignments: Assignment[] = [];
    for (const { syntax, expression } of notice.assignments) {
      const value = expression.evaluate(evaluation);
      if (value instanceof Failure) return value;
      const { type, bag } = expression.type;
      for (const single of bag ? (value as readonly unknown[]) : [value]) {
        if (assignments.length >= maxAssignments) return outOfSteps;
        assignments.push(assign(syntax, type, single));
      }
    }
    filled.push({ id: notice.id, assignments });
  }
  return filled;
}

function assign({ attributeId, category, issuer }: AssignmentSyntax, type: DataType, value: unknown): Assignment {
  return { attributeId, category, issuer, type, value };
}
