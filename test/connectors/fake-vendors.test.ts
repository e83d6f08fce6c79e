import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { acceptableUser, profileTargets } from './fakes/profiles.ts';
import { type FakeScim2, startFakeScim2 } from './fakes/scim2.ts';

let fake: FakeScim2 | undefined;
afterEach(async () => {
  await fake?.close();
  fake = undefined;
});

const core = 'urn:ietf:params:scim:schemas:core:2.0:User';
const group = 'urn:ietf:params:scim:schemas:core:2.0:Group';
const { 'name.givenName': givenName, 'name.familyName': familyName, ...flat } = acceptableUser('bob', 'id-bob');
const bob = { schemas: [core], ...flat, name: { givenName, familyName } };
const patch = (...Operations: unknown[]) => ({
  schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
  Operations,
});

async function say(method: string, path: string, body?: unknown, userAgent = 'test') {
  // Not our own client: a vendor is strict with whoever comes.
  const response = await fetch(`${fake!.url}/scim2${path}`, {
    method,
    headers: {
      authorization: `Basic ${Buffer.from('purvey:fake-password').toString('base64')}`,
      accept: 'application/scim+json',
      'content-type': 'application/scim+json',
      'user-agent': userAgent,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const answered = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
  return { status: response.status, headers: response.headers, body: answered };
}

type Case = [method: string, path: string, body: unknown, what: RegExp];

/** Each is refused, and noted as a fault of whoever asked. */
const cases: Record<string, Case[]> = {
  aws: [
    ['POST', '/Users', { ...bob, displayName: undefined }, /displayName is required/],
    ['POST', '/Users', { ...bob, name: { givenName } }, /name.familyName is required/],
    ['POST', '/Users', { ...bob, userName: 'b ob' }, /userName does not match/],
    ['POST', '/Users', { ...bob, userName: 'b'.repeat(129) }, /userName is too long/],
    ['POST', '/Users', { ...bob, externalId: 'f:1:bob' }, /externalId does not match/],
    ['POST', '/Users', { ...bob, emails: [...bob.emails, { value: 'b@x', type: 'home' }] }, /emails takes one value/],
    ['POST', '/Users', { ...bob, emails: [{ value: 'b@x' }] }, /emails needs a primary value/],
    ['POST', '/Users', { ...bob, emails: [{ value: 'b@x', primary: true, display: 'b' }] }, /emails.display/],
    ['POST', '/Users', { ...bob, photos: [{ value: 'p' }] }, /photos is not supported/],
    ['POST', '/Users', { ...bob, password: 'secret' }, /password is not supported/],
    ['PATCH', '/Users/u1', patch({ op: 'replace', path: 'roles', value: [{ value: 'x' }] }), /roles is not supported/],
    ['PATCH', '/Users/u1', patch({ op: 'remove', path: 'displayName' }), /displayName is required/],
    ['PATCH', '/Groups/g1', patch({ op: 'replace', path: 'members', value: [] }), /cannot be replaced/],
    ['PATCH', '/Groups/g1', patch({ op: 'remove', path: 'members' }), /members must be a list/],
    ['PATCH', '/Groups/g1', patch({ op: 'remove', path: 'members[value eq "u1"]' }), /cannot read the path/],
    ['PATCH', '/Groups/g1', patch({ op: 'replace', value: { displayName: 'x' } }), /needs a path/],
    ['PUT', '/Groups/g1', { schemas: [group], displayName: 'x' }, /there is no PUT of groups/],
    ['GET', '/Users?startIndex=1', undefined, /startIndex is not supported/],
    ['GET', '/Groups?excludedAttributes=members', undefined, /excludedAttributes is not supported/],
    ['GET', `/Users?filter=${encodeURIComponent('title eq "x"')}`, undefined, /cannot be filtered/],
  ],
  github: [
    ['POST', '/Users', { ...bob, emails: [] }, /emails is required/],
    ['POST', '/Users', { ...bob, externalId: undefined }, /externalId is required/],
    ['POST', '/Users', { ...bob, emails: [{ value: 'b@x' }] }, /emails needs value, type, primary/],
    ['POST', '/Users', { ...bob, title: 'Boss' }, /title is not supported/],
    ['POST', '/Users', { ...bob, roles: [{ value: 'boss' }] }, /roles has an unknown value/],
    ['POST', '/Groups', { schemas: [group], displayName: 'x' }, /externalId is required/],
    [
      'POST',
      '/Groups',
      { schemas: [group], displayName: 'x', externalId: 'x', members: [{ value: 'u1' }] },
      /each member needs its displayName/,
    ],
    ['GET', '/Users?cursor=', undefined, /cursor is not supported/],
    ['GET', `/Groups?filter=${encodeURIComponent('userName eq "x"')}`, undefined, /cannot be filtered/],
  ],
  entra: [
    ['POST', '/Users', { ...bob, entitlements: [{ value: 'x' }] }, /entitlements is not supported/],
    ['POST', '/Users', { ...bob, emails: [...bob.emails, { value: 'b@x', type: 'work' }] }, /emails has a type twice/],
    ['POST', '/Groups', { schemas: [group], displayName: 'x', members: [{ value: 'u1' }] }, /groups are created empty/],
    ['PUT', '/Users/u1', bob, /there is no PUT of users/],
    ['PATCH', '/Groups/g1', patch({ op: 'remove', path: 'members[value eq "u1"]' }), /cannot read the path/],
    ['GET', `/Groups?filter=${encodeURIComponent('externalId eq "x"')}`, undefined, /cannot be filtered/],
  ],
};

for (const [name, refusals] of Object.entries(cases)) {
  test(`what ${name} publishes that it refuses, its fake target refuses and notes`, async () => {
    fake = await startFakeScim2(profileTargets[name]);
    fake.seedUser(bob);
    fake.seedGroup({ schemas: [group], displayName: 'g', externalId: 'id-g' }, ['u1']);
    const free = { ...bob, userName: 'ann', externalId: 'id-ann' };
    assert.equal((await say('POST', '/Users', free)).status, 201, 'what it asks for it takes');
    for (const [method, path, body, what] of refusals) {
      const before: number = fake.faults.length;
      const changed = path === '/Users' && method === 'POST' ? { ...(body as object) } : body;
      if (typeof changed === 'object' && changed && 'userName' in changed && changed.userName === 'bob') {
        Object.assign(changed, { userName: 'cid' });
      }
      const answer = await say(method, path, changed);
      assert.equal(answer.status, 400, `${method} ${path} ${JSON.stringify(body)}`);
      assert.equal(fake.faults.length, before + 1);
      assert.match(fake.faults.at(-1)!, what);
    }
    assert.deepEqual([fake.users.size, fake.membersOf('g1')], [2, ['u1']]);
  });
}

test('GitHub rejects whoever does not say who they are, and throttles creations', async () => {
  fake = await startFakeScim2({
    ...profileTargets.github,
    vendor: { ...profileTargets.github!.vendor!, creations: 1 },
  });
  assert.equal((await say('GET', '/Users', undefined, '')).status, 403);
  assert.equal((await say('POST', '/Users', bob)).status, 201);
  const throttled = await say('POST', '/Users', { ...bob, userName: 'ann', externalId: 'id-ann' });
  assert.deepEqual([throttled.status, throttled.headers.get('retry-after')], [429, '60']);
});

test('AWS lists by cursor without totals, and shows no members', async () => {
  fake = await startFakeScim2({ ...profileTargets.aws, pageSize: 2 });
  for (const name of ['a', 'b', 'c', 'd', 'e']) fake.seedUser({ ...bob, userName: name });
  const id = fake.seedGroup({ schemas: [group], displayName: 'g' }, ['u1']);
  const names: unknown[] = [];
  let cursor: unknown = '';
  for (let page = 0; cursor !== undefined; page++) {
    const { body } = await say('GET', `/Users?count=2&cursor=${encodeURIComponent(String(cursor))}`);
    assert.ok(page < 3 && !('totalResults' in body));
    names.push(...(body.Resources as { userName: string }[]).map((user) => user.userName));
    cursor = body.nextCursor;
  }
  assert.deepEqual(names, ['a', 'b', 'c', 'd', 'e']);
  assert.deepEqual((await say('GET', `/Groups/${id}`)).body.members, []);
});
