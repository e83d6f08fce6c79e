import { type Combinable, type CombiningAlgorithm, findCombining } from './combine.ts';
import {
  type CompiledExpression,
  compileExpression,
  requireBoolean,
  type VariableScope,
} from './compile-expression.ts';
import { addNotices, type CompiledNotices, compileNotices } from './compile-notices.ts';
import { type CompiledTarget, compileTarget } from './compile-target.ts';
import type { Evaluation } from './evaluation.ts';
import { explain, explainTarget } from './explain.ts';
import { Failure, outOfSteps, Refusal } from './failure.ts';
import type { PolicySetSyntax, PolicySyntax, PolicyTree, ReferenceSyntax, RuleSyntax } from './policy.ts';
import { indexTargets } from './target-index.ts';
import type { TraceNode } from './trace-node.ts';
import { type Decider, decided, indeterminate, notApplicable, type Verdict } from './verdict.ts';

export interface CompiledPolicy extends Combinable {
  readonly kind: 'policy' | 'policySet';
  readonly id: string;
  readonly version: string;
  readonly target: CompiledTarget;
  /** Nesting below it, references included: evaluation is that deep. */
  readonly depth: number;
}

/** What compiling a document needs from the set it belongs to. */
export interface Linker {
  /** The policy a reference means. Throws `Refusal` when there is none, or when it leads back to itself. */
  resolve(reference: ReferenceSyntax): CompiledPolicy;
  /** A number no other variable of the set has. */
  nextSlot(): number;
  /** Name of the document that is compiled now; undefined: of none, it is the set over all of them. */
  readonly document: string | undefined;
  /** Remembers where a decider stands. `isPart`: within another policy set of its document. */
  place(decider: Decider, isPart: boolean): void;
}

/** Deepest nesting of policy sets, through references too. */
const maxDepth = 100;

const exhausted = indeterminate('indeterminate-dp', outOfSteps, undefined);

export function compilePolicyTree(syntax: PolicyTree, linker: Linker, isPart = false): CompiledPolicy {
  return syntax.kind === 'policy' ? compilePolicy(syntax, linker, isPart) : compilePolicySet(syntax, linker, isPart);
}

function compilePolicySet(syntax: PolicySetSyntax, linker: Linker, isPart: boolean): CompiledPolicy {
  const combine = requireCombining('policy', syntax.combining, syntax.line);
  const children = syntax.children.map((child) =>
    child.kind === 'policy' || child.kind === 'policySet'
      ? compilePolicyTree(child, linker, true)
      : linker.resolve(child),
  );
  const depth = 1 + children.reduce((deepest, child) => Math.max(deepest, child.depth), 0);
  if (depth > maxDepth) throw new Refusal(syntax.line, `policy sets are nested deeper than ${maxDepth}`);
  const own = placeOf(syntax, linker, isPart);
  return assemble(syntax, own, depth, compileNotices(syntax, noVariables), children, indexTargets(children), combine);
}

const noVariables: VariableScope = (id, line) => {
  throw new Refusal(line, `a policy set has no variables; ${id} is not defined`);
};

function compilePolicy(syntax: PolicySyntax, linker: Linker, isPart: boolean): CompiledPolicy {
  const combine = requireCombining('rule', syntax.combining, syntax.line);
  const scope = openVariables(syntax, linker);
  const seen = new Set<string>();
  for (const rule of syntax.rules) {
    if (seen.has(rule.id)) throw new Refusal(rule.line, `two rules of the policy have the id ${rule.id}`);
    seen.add(rule.id);
  }
  const rules = syntax.rules.map((rule) => {
    const decider = deciderOf(rule, syntax.id);
    linker.place(decider, isPart);
    return compileRule(rule, decider, scope);
  });
  const own = placeOf(syntax, linker, isPart);
  return assemble(syntax, own, 1, compileNotices(syntax, scope), rules, () => rules, combine);
}

/** The policy itself as decider, and its name where it is a document's root. */
type Own = { readonly decider: Decider; readonly name: string | undefined };

function placeOf({ id, line }: PolicyTree, linker: Linker, isPart: boolean): Own {
  const decider: Decider = { rule: undefined, policy: id, line };
  linker.place(decider, isPart);
  return { decider, name: isPart ? undefined : linker.document };
}

function deciderOf({ id, line, description }: RuleSyntax, policy: string): Decider {
  return { rule: id, policy, line, ...(description === undefined ? {} : { says: description }) };
}

/** Compiles each definition once, in whatever order they refer to one another; circles are refused. */
function openVariables(syntax: PolicySyntax, linker: Linker): VariableScope {
  const definitions = new Map<string, (typeof syntax.variables)[number]>();
  for (const variable of syntax.variables) {
    if (definitions.has(variable.id)) throw new Refusal(variable.line, `the variable ${variable.id} is defined twice`);
    definitions.set(variable.id, variable);
  }
  const known = new Map<string, { slot: number; expression: CompiledExpression; depth: number }>();
  const open: string[] = [];
  const scope: VariableScope = (id, line) => {
    const found = known.get(id);
    if (found !== undefined) return found;
    const definition = definitions.get(id);
    if (definition === undefined) throw new Refusal(line, `the variable ${id} is not defined in this policy`);
    if (open.includes(id)) throw new Refusal(line, `the variable ${id} is defined by itself`);
    if (open.length >= maxDepth) throw new Refusal(line, `variables refer to one another more than ${maxDepth} deep`);
    open.push(id);
    const expression = compileExpression(definition.expression, scope);
    open.pop();
    const entry = { slot: linker.nextSlot(), expression, depth: depthOf(expression, known) };
    if (entry.depth > maxDepth * 10) throw new Refusal(line, `the variable ${id} is nested too deeply`);
    known.set(id, entry);
    return entry;
  };
  for (const variable of syntax.variables) scope(variable.id, variable.line);
  return scope;
}

/** Nesting of an expression with the definitions of the variables in it. */
function depthOf(expression: CompiledExpression, known: ReadonlyMap<string, { depth: number }>): number {
  if (expression.syntax.kind === 'variable') return 1 + (known.get(expression.syntax.id)?.depth ?? 0);
  return 1 + expression.parts.reduce((deepest, part) => Math.max(deepest, depthOf(part, known)), 0);
}

function requireCombining(level: 'rule' | 'policy', id: string, line: number): CombiningAlgorithm {
  const found = findCombining(level, id);
  if (found === undefined) throw new Refusal(line, `the ${level}-combining algorithm ${id} is not known`);
  return found;
}

/** Sections 7.12 to 7.14: a policy or policy set from its parts. */
function assemble(
  { kind, id, version, line, description, target: targetSyntax }: PolicyTree,
  { decider: own, name }: Own,
  depth: number,
  notices: CompiledNotices | undefined,
  children: readonly Combinable[],
  pick: (evaluation: Evaluation) => readonly Combinable[],
  combine: CombiningAlgorithm,
): CompiledPolicy {
  const target = compileTarget(targetSyntax);

  function decide(evaluation: Evaluation, chosen: (evaluation: Evaluation) => readonly Combinable[]): Verdict {
    const matches = target.evaluate(evaluation);
    if (matches === false) return notApplicable;
    const combined = combine(chosen(evaluation), evaluation, own);
    if (evaluation.steps < 0) return exhausted;
    const verdict = matches === true ? combined : withFailedTarget(combined, matches, own);
    if (verdict.decision === 'not-applicable') return verdict;
    if (matches === true && evaluation.applied !== undefined) evaluation.applied.push({ kind, id, version });
    if (notices === undefined || (verdict.decision !== 'permit' && verdict.decision !== 'deny')) return verdict;
    const noticed = addNotices(verdict, notices, evaluation);
    if (!(noticed instanceof Failure)) return noticed;
    return indeterminate(verdict.decision === 'permit' ? 'indeterminate-p' : 'indeterminate-d', noticed, own);
  }

  return {
    kind,
    id,
    version,
    target,
    depth,
    applies: target.evaluate,
    evaluate(evaluation) {
      if (--evaluation.steps < 0) return exhausted;
      if (evaluation.trace === undefined) return decide(evaluation, pick);
      let skipped = 0;
      const counting = (ev: Evaluation) => {
        const chosen = pick(ev);
        skipped = children.length - chosen.length;
        return chosen;
      };
      return traced(evaluation, { kind, id, name, line, description }, target, () => ({
        verdict: decide(evaluation, counting),
        condition: undefined,
        skipped,
      }));
    },
  };
}

/** Table 7 of section 7.14: an indeterminate target weakens what would have been decided. */
function withFailedTarget(verdict: Verdict, failure: Failure, own: Decider): Verdict {
  switch (verdict.decision) {
    case 'not-applicable':
      return verdict;
    case 'permit':
      return indeterminate('indeterminate-p', failure, own);
    case 'deny':
      return indeterminate('indeterminate-d', failure, own);
    default:
      return indeterminate(verdict.decision, failure, own);
  }
}

/** Section 7.11. */
function compileRule(syntax: RuleSyntax, decider: Decider, scope: VariableScope): Combinable {
  const target = compileTarget(syntax.target);
  const condition = syntax.condition === undefined ? undefined : compileExpression(syntax.condition, scope);
  if (condition !== undefined) requireBoolean(condition, 'a <Condition>');
  const notices = compileNotices(syntax, scope);
  const { id, line, description } = syntax;
  const effect = decided(syntax.effect === 'Permit' ? 'permit' : 'deny', decider);
  const uncertain = syntax.effect === 'Permit' ? 'indeterminate-p' : 'indeterminate-d';

  function decide(evaluation: Evaluation): Verdict {
    const matches = target.evaluate(evaluation);
    if (matches === false) return notApplicable;
    if (matches !== true) return indeterminate(uncertain, matches, decider);
    if (condition !== undefined) {
      const holds = condition.evaluate(evaluation);
      if (holds === false) return notApplicable;
      if (holds !== true) return indeterminate(uncertain, holds as Failure, decider);
    }
    if (notices === undefined) return effect;
    const noticed = addNotices(effect, notices, evaluation);
    return noticed instanceof Failure ? indeterminate(uncertain, noticed, decider) : noticed;
  }

  return {
    applies: target.evaluate,
    evaluate(evaluation) {
      if (--evaluation.steps < 0) return exhausted;
      if (evaluation.trace === undefined) return decide(evaluation);
      return traced(evaluation, { kind: 'rule', id, name: undefined, line, description }, target, () => {
        return { verdict: decide(evaluation), condition, skipped: 0 };
      });
    },
  };
}

/** Steps for the explanation of one target or condition. */
const explanationSteps = 20_000;

/** Collects what happens inside `decide` under one trace node. Explaining leaves the evaluation as it was. */
function traced(
  evaluation: Evaluation,
  what: Pick<TraceNode, 'kind' | 'id' | 'name' | 'line' | 'description'>,
  target: CompiledTarget,
  decide: () => { verdict: Verdict; condition: CompiledExpression | undefined; skipped: number },
): Verdict {
  const outer = evaluation.trace!;
  const children: TraceNode[] = [];
  evaluation.trace = children;
  const { verdict, condition, skipped } = decide();
  evaluation.trace = outer;
  const { steps, readsClock, variables } = evaluation;
  evaluation.steps = Math.min(steps, explanationSteps);
  evaluation.variables = new Map(variables);
  const about = explainTarget(target, evaluation);
  const explained = condition !== undefined && about.target === 'match' ? explain(condition, evaluation) : undefined;
  evaluation.steps = steps;
  evaluation.readsClock = readsClock;
  evaluation.variables = variables;
  outer.push({ ...what, decision: verdict.decision, ...about, condition: explained, children, skipped });
  return verdict;
}
