import type { ExtendedDecision } from './verdict.ts';

/** How one rule, policy or policy set came to its decision. */
export interface TraceNode {
  readonly kind: 'rule' | 'policy' | 'policySet';
  /** As the XML has it. */
  readonly id: string;
  /** What people call the policy; undefined for rules, and for what is only a part of its document. */
  readonly name: string | undefined;
  readonly line: number;
  /** Its own description, where it has one. */
  readonly description: string | undefined;
  readonly decision: ExtendedDecision;
  /** `match`, `no match`, or why neither could be said. */
  readonly target: string;
  /** The comparisons of the target that did not match, with the values they saw. */
  readonly mismatches: readonly Explanation[];
  /** The rule's condition with the value of each part. */
  readonly condition: Explanation | undefined;
  readonly children: readonly TraceNode[];
  /** Children left out because their targets cannot match this request. */
  readonly skipped: number;
}

/** An expression, what it yielded, and the same for its parts. */
export interface Explanation {
  readonly expression: string;
  readonly value: string;
  readonly line: number;
  readonly parts: readonly Explanation[];
}
