import { type AppliedPolicy, beginEvaluation, type EvaluationSettings, endEvaluation } from './evaluation.ts';
import { Failure, failProcessing, outOfSteps } from './failure.ts';
import { statusCodes } from './identifiers.ts';
import type { PoliciesInForce } from './in-force.ts';
import { type RequestCategory, type RequestView, viewRequest, type XacmlRequest } from './request.ts';
import type { TraceNode } from './trace-node.ts';
import { type Decider, type ExtendedDecision, indeterminate, type Notice, type Verdict } from './verdict.ts';

/** One `<Result>` as plain data. */
export interface DecisionResult {
  readonly decision: 'Permit' | 'Deny' | 'NotApplicable' | 'Indeterminate';
  readonly extended: ExtendedDecision;
  /** Why it is indeterminate. */
  readonly failure: Failure | undefined;
  readonly decider: Decider | undefined;
  readonly obligations: readonly Notice[];
  readonly advice: readonly Notice[];
  /** The request's attributes that asked to be included. */
  readonly included: readonly RequestCategory[];
  readonly policies: readonly AppliedPolicy[] | undefined;
  /** Asked again at another time, the same policies might answer the same request otherwise. */
  readonly readsClock: boolean;
  readonly trace: readonly TraceNode[] | undefined;
}

const nothing: readonly RequestCategory[] = [];

/** Most decisions one request may ask for. */
const maxDecisions = 1000;

/**
 * Decides a request. Never throws: whatever goes wrong is an *Indeterminate* result with a status. Several results come
 * of a request that repeats a category or has `<MultiRequests>` (multiple decision profile, sections 2.3 and 2.4).
 */
export function evaluateRequest(
  policies: PoliciesInForce,
  request: XacmlRequest,
  settings: EvaluationSettings,
): readonly DecisionResult[] {
  const single = splitRequest(request);
  if (single instanceof Failure) return [failedResult(single)];
  const results = single.map((categories) => decideOne(policies, categories, request.returnPolicyIds, settings));
  if (!request.combinedDecision) return results;
  return [combineResults(results)];
}

/** The answer to a request that could not be read. */
export function failedResult(failure: Failure): DecisionResult {
  return toResult(indeterminate('indeterminate-dp', failure, undefined), [], undefined, false, undefined);
}

export function syntaxFailure(reason: string): Failure {
  return new Failure(statusCodes.syntaxError, reason);
}

/** Decides for categories that each occur once. */
export function decideOne(
  policies: PoliciesInForce,
  categories: readonly RequestCategory[],
  returnPolicyIds: boolean,
  settings: EvaluationSettings,
): DecisionResult {
  return decideView(policies, viewRequest(categories), { ...settings, categories, returnPolicyIds });
}

/** Decides for a request that can be looked into. `categories`: those of which attributes may have to be included. */
export function decideView(
  policies: PoliciesInForce,
  view: RequestView,
  settings: EvaluationSettings & { categories?: readonly RequestCategory[]; returnPolicyIds?: boolean },
): DecisionResult {
  const evaluation = beginEvaluation(view, settings, settings.returnPolicyIds === true);
  let verdict: Verdict;
  try {
    verdict = policies.root.evaluate(evaluation);
    if (evaluation.steps < 0) verdict = indeterminate('indeterminate-dp', outOfSteps, undefined);
  } catch (error) {
    // No function throws by design; should one, its decision is as doubtful as any other error makes it.
    const reason = error instanceof Error ? error.message : String(error);
    verdict = indeterminate('indeterminate-dp', failProcessing(`the evaluation broke off: ${reason}`), undefined);
  } finally {
    endEvaluation(evaluation);
  }
  return toResult(verdict, settings.categories ?? nothing, evaluation.applied, evaluation.readsClock, evaluation.trace);
}

function toResult(
  verdict: Verdict,
  categories: readonly RequestCategory[],
  applied: readonly AppliedPolicy[] | undefined,
  readsClock: boolean,
  trace: readonly TraceNode[] | undefined,
): DecisionResult {
  return {
    decision: standardDecision(verdict.decision),
    extended: verdict.decision,
    failure: verdict.failure,
    decider: verdict.decider,
    obligations: verdict.obligations,
    advice: verdict.advice,
    included: includedAttributes(categories),
    policies: applied,
    readsClock,
    trace,
  };
}

function standardDecision(decision: ExtendedDecision): DecisionResult['decision'] {
  if (decision === 'permit') return 'Permit';
  if (decision === 'deny') return 'Deny';
  return decision === 'not-applicable' ? 'NotApplicable' : 'Indeterminate';
}

function includedAttributes(categories: readonly RequestCategory[]): readonly RequestCategory[] {
  let included: RequestCategory[] | undefined;
  for (const category of categories) {
    if (!category.attributes.some((attribute) => attribute.includeInResult)) continue;
    const attributes = category.attributes.filter((attribute) => attribute.includeInResult);
    included ??= [];
    included.push({ category: category.category, xmlId: category.xmlId, content: undefined, attributes });
  }
  return included ?? nothing;
}

/** Every decision the request asks for, as categories that each occur once. */
function splitRequest({ categories, references }: XacmlRequest): (readonly RequestCategory[])[] | Failure {
  if (references === undefined) return splitRepeated(categories);
  const byId = new Map(categories.map((category) => [category.xmlId, category]));
  const out: (readonly RequestCategory[])[] = [];
  for (const ids of references) {
    const split = splitRepeated(ids.map((id) => byId.get(id)!));
    if (split instanceof Failure) return split;
    out.push(...split);
    if (out.length > maxDecisions) return tooMany(out.length);
  }
  return out;
}

function splitRepeated(categories: readonly RequestCategory[]): (readonly RequestCategory[])[] | Failure {
  const groups = new Map<string, RequestCategory[]>();
  for (const category of categories) {
    const group = groups.get(category.category);
    if (group === undefined) groups.set(category.category, [category]);
    else group.push(category);
  }
  if (groups.size === categories.length) return [categories];
  let combinations: RequestCategory[][] = [[]];
  for (const group of groups.values()) {
    if (combinations.length * group.length > maxDecisions) return tooMany(combinations.length * group.length);
    combinations = combinations.flatMap((combination) => group.map((category) => [...combination, category]));
  }
  return combinations;
}

function tooMany(count: number): Failure {
  return syntaxFailure(`the request asks for ${count} decisions or more; at most ${maxDecisions} are made`);
}

/** Section 4 of the multiple decision profile: one decision when all agree and none has obligations or advice. */
function combineResults(results: readonly DecisionResult[]): DecisionResult {
  const first = results[0]!;
  const noticed = results.some((result) => result.obligations.length > 0 || result.advice.length > 0);
  const differs = results.some((result) => result.decision !== first.decision);
  const base = { ...first, included: nothing, policies: undefined, readsClock: results.some((r) => r.readsClock) };
  if (!noticed && !differs) return base;
  const reason = noticed
    ? 'decisions with obligations or advice cannot be combined'
    : 'the decisions asked for differ and cannot be combined';
  return { ...base, ...failedResult(failProcessing(reason)), readsClock: base.readsClock, trace: first.trace };
}
