import type { PoliciesInForce } from './in-force.ts';
import type { Decider } from './verdict.ts';

/** What decided, as people know it. */
export interface DecidedBy {
  /** Name of the policy. */
  readonly policy: string;
  /** Id of the policy within it that decided, when it is a policy set. */
  readonly part: string | undefined;
  /** Id of the rule; undefined: the combining algorithm decided. */
  readonly rule: string | undefined;
  /** What the author of the rule says it does, on one line, cut when it is long. */
  readonly says: string | undefined;
}

/** Undefined when there is no decider, or when it is the set over all policies. */
export function describeDecider(policies: PoliciesInForce, decider: Decider | undefined): DecidedBy | undefined {
  const place = decider && policies.places.get(decider);
  if (decider === undefined || place === undefined) return undefined;
  return {
    policy: place.document,
    part: place.isPart ? decider.policy : undefined,
    rule: decider.rule,
    says: shorten(decider.says),
  };
}

const longestDescription = 300;

function shorten(says: string | undefined): string | undefined {
  const text = says?.replace(/\s+/g, ' ').trim() ?? '';
  if (text === '') return undefined;
  return text.length > longestDescription ? `${text.slice(0, longestDescription)}…` : text;
}

/** `policy night shift: Withhold everybody in Sales.`; without a description `rule r of policy night shift`. */
export function sayDecider({ policy, part, rule, says }: DecidedBy): string {
  const where = part === undefined ? `policy ${policy}` : `${part} in policy ${policy}`;
  if (says !== undefined) return `${where}: ${says}`;
  return rule === undefined ? `the combining algorithm of ${where}` : `rule ${rule} of ${where}`;
}
