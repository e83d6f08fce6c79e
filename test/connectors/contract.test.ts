import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectorKinds, findConnectorKind } from '../../src/connectors/index.ts';
import { scim2 } from '../../src/connectors/scim2/connector.ts';
import { profileFiles } from '../../src/connectors/scim2/profiles.ts';
import { type ContractAct, type ContractTarget, testContract } from './contract.ts';
import { acceptableUser, profileTargets } from './fakes/profiles.ts';
import { startFakeScim1, writeError } from './fakes/scim1.ts';
import { type Act, startFakeScim2 } from './fakes/scim2.ts';

const targets: Record<string, () => Promise<ContractTarget>> = {
  SCIM2: () => startScim2Target('strict'),
  scim: startScim1Target,
};

test('every kind in the list has a fake target, and is found by its name', () => {
  assert.deepEqual(connectorKinds.map((kind) => kind.type).sort(), Object.keys(targets).sort());
  for (const kind of connectorKinds) assert.equal(findConnectorKind(kind.type), kind);
  assert.equal(findConnectorKind('scim2'), undefined);
});

for (const kind of connectorKinds) testContract(kind, kind.type, targets[kind.type]!);

test('every profile has a fake target that holds to its vendor’s rules', () => {
  assert.deepEqual(profileFiles.map(({ name }) => name).sort(), Object.keys(profileTargets).sort());
});

for (const { name } of profileFiles) {
  if (name !== 'strict') testContract(scim2, `SCIM2 with the profile ${name}`, () => startScim2Target(name));
}

async function startScim1Target(): Promise<ContractTarget> {
  const password = 'the-fake-password-of-purvey';
  const fake = await startFakeScim1({ auth: { mode: 'basic', username: 'purvey', password } });
  const changing = ['POST', 'PUT', 'PATCH', 'DELETE'];
  return {
    settings: () => fake.settings({ 'scim-default-pwd': 'the-default-password' }),
    secrets: [password, 'the-default-password'],
    sendsGroups: true,
    userAttributes: (userName, externalId) => ({ userName, externalId, active: true }),
    groupAttributes: (displayName, externalId) => ({ displayName, externalId }),
    path: 'nickName',
    next(sort, act) {
      const { status = 0, detail = '' } = 'status' in act ? act : {};
      fake.misbehave({
        when: { method: sort === 'mutation' ? changing : 'GET', on: ['users', 'groups'] },
        act: detail === '' ? actOf(act) : { kind: 'answer', status, body: writeError(status, detail) },
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

async function startScim2Target(profile: string): Promise<ContractTarget> {
  const password = 'the-fake-password-of-purvey';
  const fake = await startFakeScim2({
    ...profileTargets[profile],
    auth: { mode: 'basic', username: 'purvey', password },
  });
  const changing = ['POST', 'PUT', 'PATCH', 'DELETE'];
  return {
    settings: () => fake.settings({ 'scim2-default-pwd': 'the-default-password', 'scim2-target-profile': profile }),
    secrets: [password, 'the-default-password'],
    sendsGroups: true,
    userAttributes: (userName, externalId) =>
      profile === 'strict' ? { userName, externalId, active: true } : acceptableUser(userName, externalId),
    groupAttributes: (displayName, externalId) => ({ displayName, externalId }),
    path: profile === 'github' ? 'displayName' : 'nickName',
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
