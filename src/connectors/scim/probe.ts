import type { Answer, Courier } from '../../outbound/courier.ts';
import type { TestStep } from '../connector.ts';
import { readTotal } from './find.ts';
import { withQuery } from './url.ts';
import type { Wire } from './wire.ts';

export type Probed = {
  userEndpoint: string;
  groupEndpoint: string | undefined;
  /** Where ServiceProviderConfig is. */
  config: string;
  /** Parameters with which an endpoint answers with little. */
  little: Readonly<Record<string, string>>;
};

/**
 * *Test connection*: knocks at ServiceProviderConfig without credentials (RFC 7644 section 4 lets anyone read it), then
 * asks each endpoint, signed in, for a single resource.
 */
export async function testConnection(probed: Probed, wire: Wire, courier: Courier): Promise<TestStep[]> {
  const steps: TestStep[] = [];
  const { host, protocol } = new URL(probed.userEndpoint);
  const knocked = await wire.knock(courier, probed.config);
  const reach = judgeReach(knocked, host, protocol);
  steps.push(...reach);
  if (reach.some((step) => !step.ok)) return steps;

  const users = await askEndpoint(wire, courier, probed.userEndpoint, probed.little);
  if (users.signedIn === 'no') {
    steps.push({ step: 'signed in', ok: false, reason: users.reason });
    return steps;
  }
  steps.push(
    users.signedIn === 'yes'
      ? { step: 'signed in', ok: true, reason: 'the target accepts the credentials' }
      : { step: 'signed in', ok: true, skipped: true, reason: 'cannot be told while the users endpoint is wrong' },
  );
  steps.push({ step: 'users endpoint', ok: users.ok, reason: users.reason });
  if (!users.ok) return steps;

  if (probed.groupEndpoint === undefined) {
    const reason = 'groups are not sent: Group Endpoint is blank';
    steps.push({ step: 'groups endpoint', ok: true, skipped: true, reason });
    return steps;
  }
  const groups = await askEndpoint(wire, courier, probed.groupEndpoint, probed.little);
  steps.push({ step: 'groups endpoint', ok: groups.ok, reason: groups.reason });
  return steps;
}

function judgeReach(knocked: Answer, host: string, protocol: string): TestStep[] {
  const reached = (reason: string): TestStep => ({ step: 'reached', ok: true, reason });
  if (knocked.ended === 'not-sent' && knocked.cause === 'tls') {
    const reason = `${knocked.reason}; check the certificate of the target, or trust its authority`;
    return [reached(`${host} takes connections`), { step: 'certificate', ok: false, reason }];
  }
  if (knocked.ended !== 'answered') return [{ step: 'reached', ok: false, reason: knocked.reason }];
  const certificate: TestStep =
    protocol === 'https:'
      ? { step: 'certificate', ok: true, reason: `the certificate of ${host} is trusted` }
      : { step: 'certificate', ok: true, skipped: true, reason: 'plain http has no certificate' };
  return [reached(`${host} answers`), certificate];
}

/** `untold`: an address that leads nowhere says nothing about the credentials. */
type Endpoint = { signedIn: 'yes' | 'no' | 'untold'; ok: boolean; reason: string };

async function askEndpoint(
  wire: Wire,
  courier: Courier,
  endpoint: string,
  little: Probed['little'],
): Promise<Endpoint> {
  const url = withQuery(endpoint, little);
  const heard = await wire.ask(courier, 'search', { method: 'GET', url });
  if (heard.verdict) {
    const { reason } = heard.verdict;
    // No answer at all here means that no token could be fetched, or that the line broke after the knock.
    const status = heard.answer?.status;
    const signedIn = status === undefined || status === 401 ? 'no' : status === 403 ? 'yes' : 'untold';
    return { signedIn, ok: false, reason };
  }
  const { body } = heard.answer;
  if (heard.answer.status !== 200 || readTotal(body) === undefined) {
    const reason = `${endpoint} answers ${heard.answer.status}, but not with a SCIM list; check the endpoint`;
    return { signedIn: 'untold', ok: false, reason };
  }
  return { signedIn: 'yes', ok: true, reason: `${endpoint} answers with a SCIM list` };
}
