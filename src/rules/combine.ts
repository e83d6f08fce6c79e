import type { Evaluation } from './evaluation.ts';
import { Failure, failProcessing, outOfSteps } from './failure.ts';
import { type Decider, decided, indeterminate, joinVerdicts, notApplicable, type Verdict } from './verdict.ts';

/** A rule, policy or policy set, as a combining algorithm sees it. */
export interface Combinable {
  evaluate(evaluation: Evaluation): Verdict;
  /** Whether the target matches. */
  applies(evaluation: Evaluation): boolean | Failure;
}

/**
 * Combines children in their order into one verdict, with the obligations and advice of those that decided alike.
 * `own` is named as the decider when the algorithm decides without any child.
 */
export type CombiningAlgorithm = (children: readonly Combinable[], evaluation: Evaluation, own: Decider) => Verdict;

/** Counts verdicts by kind, keeping the first failure of each. */
interface Tally {
  permit: Verdict | undefined;
  deny: Verdict | undefined;
  d: Verdict | undefined;
  p: Verdict | undefined;
  dp: Verdict | undefined;
}

const exhausted = indeterminate('indeterminate-dp', outOfSteps, undefined);

/** Evaluates children until one decides as `stopAt` says, which is the result then; otherwise fills `tally`. */
function gather(
  children: readonly Combinable[],
  evaluation: Evaluation,
  tally: Tally,
  stopAt: Verdict['decision'] | 'never',
): Verdict | undefined {
  for (let i = 0; i < children.length; i++) {
    const verdict = children[i]!.evaluate(evaluation);
    if (evaluation.steps < 0) return exhausted;
    if (verdict.decision === stopAt) return verdict;
    switch (verdict.decision) {
      case 'permit':
        tally.permit = joinVerdicts(tally.permit, verdict);
        break;
      case 'deny':
        tally.deny = joinVerdicts(tally.deny, verdict);
        break;
      case 'indeterminate-d':
        tally.d ??= verdict;
        break;
      case 'indeterminate-p':
        tally.p ??= verdict;
        break;
      case 'indeterminate-dp':
        tally.dp ??= verdict;
        break;
      case 'not-applicable':
    }
  }
  return undefined;
}

function emptyTally(): Tally {
  return { permit: undefined, deny: undefined, d: undefined, p: undefined, dp: undefined };
}

function asEither(verdict: Verdict): Verdict {
  return verdict.decision === 'indeterminate-dp' ? verdict : { ...verdict, decision: 'indeterminate-dp' };
}

/** Appendix C.2. */
const denyOverrides: CombiningAlgorithm = (children, evaluation) => {
  const t = emptyTally();
  const stopped = gather(children, evaluation, t, 'deny');
  if (stopped !== undefined) return stopped;
  if (t.dp !== undefined) return t.dp;
  if (t.d !== undefined) return t.p !== undefined || t.permit !== undefined ? asEither(t.d) : t.d;
  return t.permit ?? t.p ?? notApplicable;
};

/** Appendix C.4. */
const permitOverrides: CombiningAlgorithm = (children, evaluation) => {
  const t = emptyTally();
  const stopped = gather(children, evaluation, t, 'permit');
  if (stopped !== undefined) return stopped;
  if (t.dp !== undefined) return t.dp;
  if (t.p !== undefined) return t.d !== undefined || t.deny !== undefined ? asEither(t.p) : t.p;
  return t.deny ?? t.d ?? notApplicable;
};

/** Appendix C.6: never indeterminate. */
const denyUnlessPermit: CombiningAlgorithm = (children, evaluation, own) => {
  const t = emptyTally();
  return gather(children, evaluation, t, 'permit') ?? t.deny ?? decided('deny', own);
};

/** Appendix C.7: never indeterminate. */
const permitUnlessDeny: CombiningAlgorithm = (children, evaluation, own) => {
  const t = emptyTally();
  return gather(children, evaluation, t, 'deny') ?? t.permit ?? decided('permit', own);
};

/** Appendix C.8. */
const firstApplicable: CombiningAlgorithm = (children, evaluation) => {
  for (let i = 0; i < children.length; i++) {
    const verdict = children[i]!.evaluate(evaluation);
    if (evaluation.steps < 0) return exhausted;
    if (verdict.decision !== 'not-applicable') return verdict;
  }
  return notApplicable;
};

/** Appendix C.9: only targets are asked until one child is found. */
const onlyOneApplicable: CombiningAlgorithm = (children, evaluation, own) => {
  let found: Combinable | undefined;
  for (const child of children) {
    const applies = child.applies(evaluation);
    if (evaluation.steps < 0) return exhausted;
    if (applies instanceof Failure) return indeterminate('indeterminate-dp', applies, own);
    if (!applies) continue;
    if (found !== undefined) {
      return indeterminate('indeterminate-dp', failProcessing('more than one policy applies where only one may'), own);
    }
    found = child;
  }
  return found === undefined ? notApplicable : found.evaluate(evaluation);
};

/** Appendix C.10 and C.11, of rules: an error in a rule that could not have overridden does not hide the others. */
const legacyRuleDenyOverrides: CombiningAlgorithm = (children, evaluation) => {
  const t = emptyTally();
  const stopped = gather(children, evaluation, t, 'deny');
  if (stopped !== undefined) return stopped;
  const error = t.dp ?? t.d;
  if (error !== undefined) return t.permit !== undefined || t.p !== undefined ? asEither(error) : error;
  return t.permit ?? t.p ?? notApplicable;
};

/** Appendix C.12 and C.13, of rules. */
const legacyRulePermitOverrides: CombiningAlgorithm = (children, evaluation) => {
  const t = emptyTally();
  const stopped = gather(children, evaluation, t, 'permit');
  if (stopped !== undefined) return stopped;
  const error = t.dp ?? t.p;
  if (error !== undefined) return t.deny !== undefined || t.d !== undefined ? asEither(error) : error;
  return t.deny ?? t.d ?? notApplicable;
};

/** Appendix C.10 and C.11, of policies: an indeterminate policy denies. */
const legacyPolicyDenyOverrides: CombiningAlgorithm = (children, evaluation, own) => {
  let permit: Verdict | undefined;
  for (const child of children) {
    const verdict = child.evaluate(evaluation);
    if (evaluation.steps < 0) return exhausted;
    if (verdict.decision === 'deny') return verdict;
    if (verdict.decision === 'permit') permit = joinVerdicts(permit, verdict);
    else if (verdict.decision !== 'not-applicable') return decided('deny', verdict.decider ?? own);
  }
  return permit ?? notApplicable;
};

/** Appendix C.12 and C.13, of policies: a denial outweighs an error. */
const legacyPolicyPermitOverrides: CombiningAlgorithm = (children, evaluation) => {
  const t = emptyTally();
  const stopped = gather(children, evaluation, t, 'permit');
  if (stopped !== undefined) return stopped;
  if (t.deny !== undefined) return t.deny;
  const error = t.dp ?? t.p;
  if (error !== undefined) return t.d !== undefined ? asEither(error) : error;
  return t.d ?? notApplicable;
};

/** The ordered forms differ from the others only in promising the order, which is kept here always. */
function table(level: 'rule' | 'policy'): ReadonlyMap<string, CombiningAlgorithm> {
  const id = (version: string, name: string) =>
    `urn:oasis:names:tc:xacml:${version}:${level}-combining-algorithm:${name}`;
  const legacyDeny = level === 'rule' ? legacyRuleDenyOverrides : legacyPolicyDenyOverrides;
  const legacyPermit = level === 'rule' ? legacyRulePermitOverrides : legacyPolicyPermitOverrides;
  return new Map<string, CombiningAlgorithm>([
    [id('3.0', 'deny-overrides'), denyOverrides],
    [id('3.0', 'ordered-deny-overrides'), denyOverrides],
    [id('3.0', 'permit-overrides'), permitOverrides],
    [id('3.0', 'ordered-permit-overrides'), permitOverrides],
    [id('3.0', 'deny-unless-permit'), denyUnlessPermit],
    [id('3.0', 'permit-unless-deny'), permitUnlessDeny],
    [id('1.0', 'first-applicable'), firstApplicable],
    [id('1.0', 'deny-overrides'), legacyDeny],
    [id('1.1', 'ordered-deny-overrides'), legacyDeny],
    [id('1.0', 'permit-overrides'), legacyPermit],
    [id('1.1', 'ordered-permit-overrides'), legacyPermit],
    ...(level === 'policy' ? [[id('1.0', 'only-one-applicable'), onlyOneApplicable] as const] : []),
  ]);
}

const ruleAlgorithms = table('rule');
const policyAlgorithms = table('policy');

export function findCombining(level: 'rule' | 'policy', id: string): CombiningAlgorithm | undefined {
  return (level === 'rule' ? ruleAlgorithms : policyAlgorithms).get(id);
}
