import * as cedar from '@cedar-policy/cedar-wasm/nodejs';
import { decideProvisioning } from '../src/rules/decide.ts';
import { acceptPolicies, type PoliciesInForce, type PolicyDocument } from '../src/rules/in-force.ts';
import type { ProvisioningRequest } from '../src/rules/provisioning-request.ts';
import { fillTemplate } from '../src/rules/templates/fill.ts';
import { openZone } from '../src/rules/zone.ts';
import { deliverFirstLoad } from './outbound.ts';
import { percentile, verdict } from './population.ts';
import { type PurveyProcess, startProcess } from './processes.ts';

const zone = openZone('Europe/Zurich');
const roles = ['Sales', 'Marketing'];

/** People in and out of the roles, created, updated and removed: half of the questions are permitted. */
const requests: readonly ProvisioningRequest[] = Array.from({ length: 60 }, (_, i) => ({
  subject: `person${i}`,
  attributes: new Map([
    ['userName', [`person${i}`]],
    ['name.givenName', ['Ada']],
    ['name.familyName', ['Lovelace']],
    ['emails.value', [`person${i}@example.com`]],
    ['urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department', ['Analysis']],
  ]),
  roles: i % 2 === 0 ? ['Everyone', 'Sales'] : ['Everyone', 'Finance'],
  serviceProvider: 'wso2carbon-local-sp',
  identityProvider: 'Partner',
  connectorType: 'SCIM2',
  operation: i % 10 === 0 ? 'DELETE' : i % 3 === 0 ? 'POST' : 'PUT',
  at: 1_700_000_000_000,
}));

function accept(documents: readonly PolicyDocument[]): PoliciesInForce {
  const accepted = acceptPolicies(documents);
  if (!accepted.ok) throw new Error(JSON.stringify(accepted.faults));
  return accepted.value;
}

function rolePolicy(name: string, identityProvider: string): PolicyDocument {
  const form = {
    template: 'role',
    policyId: name,
    serviceProvider: 'wso2carbon-local-sp',
    identityProvider,
    roles,
  } as const;
  return { name, text: fillTemplate(form), use: 'evaluated' };
}

const cedarPolicies = `
permit (principal, action == Action::"provisioning", resource == Idp::"Partner")
when { context.sp == "wso2carbon-local-sp" && context.operation == "DELETE" };
permit (principal, action == Action::"provisioning", resource == Idp::"Partner")
when { context.sp == "wso2carbon-local-sp" && context.roles.containsAny(["Sales", "Marketing"]) };
`;

/** Cedar is asked as one would ask it: no schema, no entities, the same facts in the context. */
function askCedar(request: ProvisioningRequest): boolean {
  const answer = cedar.statefulIsAuthorized({
    principal: { type: 'User', id: request.subject },
    action: { type: 'Action', id: 'provisioning' },
    resource: { type: 'Idp', id: request.identityProvider },
    context: {
      sp: request.serviceProvider,
      operation: request.operation,
      connector: request.connectorType,
      roles: [...request.roles],
    },
    preparsedPolicySetId: 'bench',
    entities: [],
  });
  if (answer.type === 'failure') throw new Error(JSON.stringify(answer.errors));
  return answer.response.decision === 'allow';
}

/** Calls a second, the best of several short runs (other work on the machine only ever slows one down). */
function rate(ask: (request: ProvisioningRequest) => unknown, milliseconds: number, runs: number): number {
  let best = 0;
  for (let run = 0; run < runs; run++) {
    const start = performance.now();
    let calls = 0;
    let elapsed = 0;
    while (elapsed < milliseconds) {
      for (const request of requests) ask(request);
      calls += requests.length;
      elapsed = performance.now() - start;
    }
    best = Math.max(best, (calls / elapsed) * 1000);
  }
  return best;
}

/**
 * Decisions a second of the role template, over those of Cedar's pre-parsed call with the equivalent policy in the same
 * run; and how the cost grows with policies that cannot match.
 */
export async function benchRules({ quick }: { quick: boolean }): Promise<string> {
  const parsed = cedar.preparsePolicySet('bench', { staticPolicies: cedarPolicies });
  if (parsed.type === 'failure') throw new Error(JSON.stringify(parsed.errors));

  const one = accept([rolePolicy('role', 'Partner')]);
  for (const request of requests) {
    const ours = decideProvisioning(one, request, { zone }).decision === 'permit';
    if (ours !== askCedar(request)) throw new Error(`the two do not agree about ${JSON.stringify(request.subject)}`);
  }

  const ours = rate((request) => decideProvisioning(one, request, { zone }), quick ? 100 : 400, 5);
  const theirs = rate(askCedar, quick ? 100 : 400, 5);
  console.log(
    `role template: ${Math.round(ours)} decisions/s; cedar-wasm, pre-parsed: ${Math.round(theirs)} decisions/s`,
  );

  const rates: number[] = [];
  for (const size of [10, 1000, 10_000]) {
    const many = Array.from({ length: size - 1 }, (_, i) => rolePolicy(`other${i}`, `Partner${i}`));
    const set = accept([...many, rolePolicy('role', 'Partner')]);
    const decision = decideProvisioning(set, requests[0]!, { zone }).decision;
    if (decision !== 'permit') throw new Error(`expected permit among ${size} policies, got ${decision}`);
    const perSecond = rate((request) => decideProvisioning(set, request, { zone }), quick ? 50 : 200, 3);
    rates.push(perSecond);
    console.log(`${size} policies with distinct targets: ${Math.round(perSecond)} decisions/s`);
  }
  await benchDelivery(quick);
  return (
    `rules ratio ${(ours / theirs).toFixed(2)} (${Math.round(ours)}/s over ${Math.round(theirs)}/s);` +
    ` 1000 policies ${Math.round(rates[1]!)}/s, 10 policies ${Math.round(rates[0]!)}/s`
  );
}

const costMark = 0.05;

/** What rules add to the processor time of a delivery: first loads with *Enable Rules* on and off, in turns. */
async function benchDelivery(quick: boolean): Promise<void> {
  const users = quick ? 1_000 : 5_000;
  const micros = { off: [] as number[], on: [] as number[] };
  for (let turn = 0; turn < (quick ? 1 : 4); turn++) {
    for (const rules of ['off', 'on'] as const) {
      const target = await startProcess('./null-target.ts');
      try {
        const { cpuMicros } = await deliverFirstLoad(target, users, rules === 'on' ? enableRules : undefined);
        micros[rules].push(cpuMicros);
      } finally {
        await target.stop();
      }
    }
  }
  const [off, on] = [percentile(micros.off, 0.5), percentile(micros.on, 0.5)];
  const cost = on / off - 1;
  console.log(
    `rules cost ${(cost * 100).toFixed(1)} % of a delivery (${on.toFixed(0)} µs of processor time each with rules, ${off.toFixed(0)} µs without; mark: less than ${costMark * 100} %: ${verdict(cost < costMark)})`,
  );
}

/** A policy that looks at an attribute, as the template writes it, and lets everybody through. */
async function enableRules(purvey: PurveyProcess): Promise<void> {
  const form = {
    template: 'claim',
    policyId: 'engineers',
    serviceProvider: 'wso2carbon-local-sp',
    identityProvider: 'bench',
    claim: 'title',
    values: ['Engineer'],
  } as const;
  await purvey.api('POST', '/policies', { name: 'engineers', document: fillTemplate(form) });
  const bindings = [{ target: 'bench:SCIM2', rules: true }];
  await purvey.api('PUT', '/service-providers/resident/bindings', { bindings });
}
