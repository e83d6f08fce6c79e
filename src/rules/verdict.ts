import type { DataType } from './datatypes/table.ts';
import type { Failure } from './failure.ts';

/** The decisions of section 7.10, *Indeterminate* with what it might have been: deny, permit or either. */
export type ExtendedDecision =
  | 'permit'
  | 'deny'
  | 'not-applicable'
  | 'indeterminate-d'
  | 'indeterminate-p'
  | 'indeterminate-dp';

/** The rule that decided, or the policy whose combining algorithm did without one. */
export interface Decider {
  readonly rule: string | undefined;
  readonly policy: string;
  readonly line: number;
  /** What the rule's own description says. */
  readonly says?: string;
}

/** Where a decider stands, as people know it. */
export interface DeciderPlace {
  /** Name of the document. */
  readonly document: string;
  /** The document is a policy set, and it was a policy or set within. */
  readonly isPart: boolean;
}

/** An obligation or advice, filled in. */
export interface Notice {
  readonly id: string;
  readonly assignments: readonly Assignment[];
}

export interface Assignment {
  readonly attributeId: string;
  readonly category: string | undefined;
  readonly issuer: string | undefined;
  readonly type: DataType;
  readonly value: unknown;
}

/** What a rule, a policy or a policy set answers. */
export interface Verdict {
  readonly decision: ExtendedDecision;
  /** Why it is indeterminate. */
  readonly failure: Failure | undefined;
  readonly decider: Decider | undefined;
  readonly obligations: readonly Notice[];
  readonly advice: readonly Notice[];
}

const none: readonly Notice[] = [];

export const notApplicable: Verdict = {
  decision: 'not-applicable',
  failure: undefined,
  decider: undefined,
  obligations: none,
  advice: none,
};

export function decided(decision: 'permit' | 'deny', decider: Decider): Verdict {
  return { decision, failure: undefined, decider, obligations: none, advice: none };
}

export function indeterminate(
  decision: 'indeterminate-d' | 'indeterminate-p' | 'indeterminate-dp',
  failure: Failure,
  decider: Decider | undefined,
): Verdict {
  return { decision, failure, decider, obligations: none, advice: none };
}

/** Two verdicts of the same decision: the first one's, with the obligations and advice of both. */
export function joinVerdicts(first: Verdict | undefined, second: Verdict): Verdict {
  if (first === undefined) return second;
  if (second.obligations.length === 0 && second.advice.length === 0) return first;
  return {
    ...first,
    obligations: [...first.obligations, ...second.obligations],
    advice: [...first.advice, ...second.advice],
  };
}
