import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectorKinds, findConnectorKind } from '../../src/connectors/index.ts';
import { type ContractAct, type ContractTarget, testContract } from './contract.ts';
import { type Act, startFakeScim2 } from './fakes/scim2.ts';

const targets: Record<string, () => Promise<ContractTarget>> = { SCIM2: startScim2Target };

test('every kind in the list has a fake target, and is found by its name', () => {
  assert.deepEqual(connectorKinds.map((kind) => kind.type).sort(), Object.keys(targets).sort());
  for (const kind of connectorKinds) assert.equal(findConnectorKind(kind.type), kind);
  assert.equal(findConnectorKind('scim2'), undefined);
});

for (const kind of connectorKinds) testContract(kind, targets[kind.type]!);

async function startScim2Target(): Promise<ContractTarget> {
  const password = 'the-fake-password-of-purvey';
  const fake = await startFakeScim2({ auth: { mode: 'basic', username: 'purvey', password } });
  const changing = ['POST', 'PUT', 'PATCH', 'DELETE'];
  return {
    settings: () => fake.settings({ 'scim2-default-pwd': 'the-default-password' }),
    secrets: [password, 'the-default-password'],
    sendsGroups: true,
    userAttributes: (userName, externalId) => ({ userName, externalId, active: true }),
    groupAttributes: (displayName, externalId) => ({ displayName, externalId }),
    path: 'nickName',
    next(sort, act) {
      fake.misbehave({
        when: { method: sort === 'mutation' ? changing : 'GET', on: ['users', 'groups'] },
        act: actOf(act),
      });
    },
    mutations: () => fake.requests.filter((request) => changing.includes(request.method)).length,
    requests: () => fake.requests.length,
    userNames: () => [...fake.users.values()].map((user) => String(user.userName)),
    membersOf: (id) => (fake.groups.has(id) ? fake.membersOf(id) : undefined),
    passwordOf: (id) => fake.users.get(id)?.password as string | undefined,
    faults: () => fake.faults,
    close: () => fake.close(),
  };
}

function actOf(act: ContractAct): Act {
  if (act.act === 'html') return { kind: 'html' };
  if (act.act !== 'answer') return { kind: act.act, applied: act.applied };
  const { status, headers = {}, detail, scimType } = act;
  if (detail === undefined && scimType === undefined) return { kind: 'answer', status, headers };
  const body = {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
    status: String(status),
    ...(detail === undefined ? {} : { detail }),
    ...(scimType === undefined ? {} : { scimType }),
  };
  return { kind: 'answer', status, headers, body };
}
