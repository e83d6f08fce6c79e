import { decideView } from './evaluate.ts';
import type { PoliciesInForce } from './in-force.ts';
import { type ProvisioningRequest, viewProvisioningRequest } from './provisioning-request.ts';
import { type DecidedBy, describeDecider, sayDecider } from './say-decider.ts';
import type { TraceNode } from './trace-node.ts';
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
  /** For people: what decided, or why nothing could (which may quote the start of a value that is malformed). */
  readonly reason: string;
  /** What decided, or could not; undefined when no rule applies, and when it broke off. */
  readonly decidedBy: DecidedBy | undefined;
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
  const decidedBy = describeDecider(policies, result.decider);
  const by = decidedBy === undefined ? '' : ` by ${sayDecider(decidedBy)}`;
  const within = decidedBy === undefined ? '' : ` (${sayDecider(decidedBy)})`;
  const shared = { decidedBy, readsClock, trace };
  switch (result.decision) {
    case 'Permit': {
      const [obligation] = result.obligations;
      if (obligation === undefined) {
        return { decision: 'permit', action: 'let-through', reason: `permitted${by}`, ...shared };
      }
      const why = `the permit comes with the obligation ${obligation.id}, which cannot be fulfilled here`;
      return { decision: 'indeterminate', action: 'park', reason: `cannot be decided: ${why}${within}`, ...shared };
    }
    case 'Deny':
      return { decision: 'deny', action: 'withhold', reason: `denied${by}`, ...shared };
    case 'NotApplicable': {
      const action = settings.whenNotApplicable ?? 'let-through';
      return { decision: 'not-applicable', action, reason: 'no rule applies', ...shared };
    }
    case 'Indeterminate': {
      const why = result.failure?.message ?? 'unknown error';
      return { decision: 'indeterminate', action: 'park', reason: `cannot be decided: ${why}${within}`, ...shared };
    }
  }
}
