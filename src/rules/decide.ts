import { type DecisionResult, decideView } from './evaluate.ts';
import type { PoliciesInForce } from './in-force.ts';
import { type ProvisioningRequest, viewProvisioningRequest } from './provisioning-request.ts';
import type { TraceNode } from './trace-node.ts';
import type { Decider } from './verdict.ts';
import type { Zone } from './zone.ts';

export interface RuleSettings {
  /** The zone policies see the clock in, and read dates and times without a zone in. */
  readonly zone: Zone;
  /** What follows when no rule applies. Default `let-through`. */
  readonly whenNotApplicable?: 'let-through' | 'withhold';
  /** Keep a trace, for a person to read. */
  readonly trace?: boolean;
}

export interface ProvisioningDecision {
  /** A closed set: an error of any kind is `indeterminate`. */
  readonly decision: 'permit' | 'deny' | 'not-applicable' | 'indeterminate';
  /** What to do with the operation. `park` neither permits nor removes. */
  readonly action: 'let-through' | 'withhold' | 'park';
  /** For people: which rule decided, or why none could (which may quote the start of a value that is malformed). */
  readonly reason: string;
  /** The clock was looked at: the same question may be answered differently later. */
  readonly readsClock: boolean;
  readonly trace: readonly TraceNode[] | undefined;
}

/**
 * May this operation on this subject go to this target? Pure and quick; never throws.
 *
 * An obligation that comes with *Permit* must be fulfilled by whoever asks (section 7.18), and nothing here can fulfil
 * one: such a permit is `indeterminate`. Advice, and obligations that come with *Deny*, change nothing.
 */
export function decideProvisioning(
  policies: PoliciesInForce,
  request: ProvisioningRequest,
  settings: RuleSettings,
): ProvisioningDecision {
  const zone = settings.zone.offsetAt(request.at);
  const result = decideView(policies, viewProvisioningRequest(request, zone), {
    now: request.at,
    zone,
    trace: settings.trace === true,
  });
  const { readsClock, trace } = result;
  switch (result.decision) {
    case 'Permit': {
      const [obligation] = result.obligations;
      if (obligation !== undefined) {
        const reason = `cannot be decided: the permit comes with the obligation ${obligation.id}, which cannot be fulfilled here`;
        return {
          decision: 'indeterminate',
          action: 'park',
          reason: reason + describeDecider(result.decider, ' ('),
          readsClock,
          trace,
        };
      }
      return {
        decision: 'permit',
        action: 'let-through',
        reason: `permitted${describeDecider(result.decider)}`,
        readsClock,
        trace,
      };
    }
    case 'Deny':
      return {
        decision: 'deny',
        action: 'withhold',
        reason: `denied${describeDecider(result.decider)}`,
        readsClock,
        trace,
      };
    case 'NotApplicable': {
      const action = settings.whenNotApplicable ?? 'let-through';
      return { decision: 'not-applicable', action, reason: 'no rule applies', readsClock, trace };
    }
    case 'Indeterminate':
      return { decision: 'indeterminate', action: 'park', reason: describeFailure(result), readsClock, trace };
  }
}

function describeDecider(decider: Decider | undefined, open = ''): string {
  if (decider === undefined) return '';
  const rule =
    decider.rule === undefined
      ? `the combining algorithm of policy ${decider.policy}`
      : `rule ${decider.rule} of policy ${decider.policy}${describeRule(decider.says)}`;
  return open === '' ? ` by ${rule}` : `${open}${rule})`;
}

const longestDescription = 300;

/** What the rule's author says it does. */
function describeRule(says: string | undefined): string {
  const text = says?.replace(/\s+/g, ' ').trim() ?? '';
  if (text === '') return '';
  return text.length > longestDescription ? `: ${text.slice(0, longestDescription)}…` : `: ${text}`;
}

function describeFailure(result: DecisionResult): string {
  return `cannot be decided: ${result.failure?.message ?? 'unknown error'}${describeDecider(result.decider, ' (')}`;
}
