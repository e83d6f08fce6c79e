import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { type FakeScim2, startFakeScim2 } from '../connectors/fakes/scim2.ts';
import { eachDatabase } from '../database.ts';
import { type FederationBed, openFederationBed } from './federation-bed.ts';

const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';

eachDatabase('somebody who signs in through an identity provider is written just in time', (database) => {
  let bed: FederationBed;
  let fake: FakeScim2 | undefined;
  const api: FederationBed['server']['api'] = (...call) => bed.server.api(...call);
  before(async () => {
    bed = await openFederationBed(database, { PURVEY_BLOCKING_SECONDS: '5' });
    await api('POST', '/user-store-domains', { name: 'PARTNERS' });
    for (const displayName of ['Staff', 'Leads', 'Club']) await api('POST', '/groups', { displayName });
  });
  after(async () => {
    await bed[Symbol.asyncDispose]();
    await fake?.close();
  });

  const signIn = async (claims: Record<string, unknown>) => {
    bed.upstream.claims = claims;
    const page = await bed.signIn();
    assert.ok(page.claims, page.text);
    return page.claims.sub;
  };
  const groupsOf = async (name: string) => {
    const { groups } = await api('GET', `/users/${encodeURIComponent(name)}`);
    return groups.map((one: { name: string }) => one.name).toSorted();
  };

  it('with what its claims are here, in the domain that is set', async () => {
    await bed.federate({
      claims: [
        { remote: 'https://partner.example/upn', local: 'userName' },
        { remote: 'given_name', local: 'name.givenName' },
        { remote: 'org.unit', local: `${enterprise}:department`, default: 'unknown' },
        { remote: 'address.locality', local: 'addresses.locality' },
        { remote: 'address.country', local: 'addresses.country' },
        { remote: 'mails', local: 'emails' },
        { remote: 'phone_number', local: 'phoneNumbers.value' },
        { remote: 'number', local: `${enterprise}:employeeNumber` },
        { remote: 'title', local: 'title', default: 'Guest' },
        { remote: 'nothing', local: 'nickName' },
      ],
      jit: { enabled: true, domain: 'partners' },
    });
    await signIn({
      sub: 'ada',
      'https://partner.example/upn': 'ada',
      given_name: 'Ada',
      address: { locality: 'London', country: 'UK' },
      mails: ['ada@partner.example', 'al@partner.example'],
      phone_number: '+44 20 7946 0000',
      number: 1815,
      name: 'not mapped',
      nothing: null,
    });
    const { attributes } = await api('GET', '/users/PARTNERS%2Fada');
    assert.deepEqual(attributes, {
      userName: 'PARTNERS/ada',
      name: { givenName: 'Ada' },
      [enterprise]: { department: 'unknown', employeeNumber: '1815' },
      addresses: [{ locality: 'London', country: 'UK' }],
      emails: [{ value: 'ada@partner.example', primary: true }, { value: 'al@partner.example' }],
      phoneNumbers: [{ value: '+44 20 7946 0000', primary: true }],
      title: 'Guest',
    });
  });

  it('in a change that says by which door, by whom, and for which application', async () => {
    const user = await api('GET', '/users/PARTNERS%2Fada');
    const { items } = await api('GET', `/changes?subject=${user.id}`);
    const [{ door, actor, serviceProvider }] = items;
    assert.deepEqual([items.length, door, actor, serviceProvider], [1, 'login', 'sign-in through partner', 'travel']);
  });

  it('again at each sign-in, without a change where nothing differs, and only once where that is set', async () => {
    const said = { sub: 'ada', given_name: 'Ada', title: 'Countess' };
    await signIn(said);
    await signIn(said);
    const user = await api('GET', '/users/PARTNERS%2Fada');
    assert.equal(user.attributes.title, 'Countess');
    assert.equal(user.attributes[enterprise].employeeNumber, '1815', 'what is not said stays');
    assert.equal((await api('GET', `/changes?subject=${user.id}`)).items.length, 2);
    await api('PATCH', '/identity-providers/partner/federation', { jit: { updateAttributes: 'first' } });
    await signIn({ ...said, title: 'Duchess' });
    assert.equal((await api('GET', '/users/PARTNERS%2Fada')).attributes.title, 'Countess');
  });

  for (const [what, claims] of [
    ['a number where a text is parted', { given_name: { first: 'Ada' } }],
    ['a list that has no end', { mails: Array.from({ length: 101 }, (_, n) => `a${n}@partner.example`) }],
    ['roles that are no texts', { roles: [{ id: 1 }] }],
    ['roles without end', { roles: Array.from({ length: 501 }, (_, n) => `r${n}`) }],
  ] as const) {
    it(`but not with ${what}`, async () => {
      await api('PATCH', '/identity-providers/partner/federation', {
        roleClaim: 'roles',
        jit: { groups: 'add', updateAttributes: 'always' },
      });
      const before = await api('GET', '/users/PARTNERS%2Fada');
      bed.upstream.claims = { sub: 'ada', title: 'changed', ...claims };
      const page = await bed.signIn();
      assert.equal(page.status, 400, page.text);
      assert.deepEqual(await api('GET', '/users/PARTNERS%2Fada'), before);
    });
  }

  it('into groups by its roles: only those that are mapped, and only groups that are there', async () => {
    await bed.federate({
      roleClaim: 'realm.roles',
      roles: [
        { remote: 'employee', local: 'Staff' },
        { remote: 'chief', local: 'Leads' },
        { remote: 'ghost', local: 'Nowhere' },
      ],
      jit: { enabled: true, groups: 'add' },
    });
    const grace = { sub: 'grace', preferred_username: 'grace' };
    await signIn({ ...grace, realm: { roles: ['employee', 'ghost', 'Club'] } });
    assert.deepEqual(await groupsOf('grace'), ['Staff']);
    const { items } = await api('GET', `/changes?subject=${(await api('GET', '/groups/Staff')).id}`);
    assert.deepEqual([items.at(-1).door, items.at(-1).other.name], ['login', 'grace']);
    await signIn({ ...grace, realm: { roles: 'chief' } });
    assert.deepEqual(await groupsOf('grace'), ['Leads', 'Staff'], 'add takes nothing away');
  });

  it('and out of those that a sign-in gave, with sync, never out of those that others gave', async () => {
    await api('PATCH', '/identity-providers/partner/federation', { jit: { groups: 'sync' } });
    const { id } = await api('GET', '/users/grace');
    await api('PATCH', '/groups/Club', { add: [id] });
    const grace = { sub: 'grace', preferred_username: 'grace' };
    await signIn({ ...grace, realm: { roles: ['chief'] } });
    assert.deepEqual(await groupsOf('grace'), ['Club', 'Leads']);
    await signIn(grace);
    assert.deepEqual(await groupsOf('grace'), ['Club']);
    await signIn({ ...grace, realm: { roles: ['employee'] } });
    assert.deepEqual(await groupsOf('grace'), ['Club', 'Staff']);
  });

  it('as the groups of their names where nothing is mapped', async () => {
    await bed.federate({ roleClaim: 'groups', jit: { enabled: true, groups: 'sync' } });
    await signIn({ sub: 'alan', preferred_username: 'alan', groups: ['leads', 'Club', 'of nobody'] });
    assert.deepEqual(await groupsOf('alan'), ['Club', 'Leads']);
  });

  it('once, by two sign-ins at the same moment', async () => {
    bed.upstream.claims = { sub: 'twin', preferred_username: 'twin', name: 'Twin' };
    const pages = await Promise.all([1, 2, 3, 4].map(() => bed.signIn()));
    const { id } = await api('GET', '/users/twin');
    assert.deepEqual(new Set(pages.map((page) => page.claims?.sub ?? page.text)), new Set([id]));
  });

  it('and waits for blocking targets, which may refuse the sign-in', async () => {
    fake = await startFakeScim2({ auth: { mode: 'bearer', token: 'of the target' } });
    await api('POST', '/identity-providers', { name: 'portal' });
    await api('POST', '/identity-providers/portal/targets', {
      type: 'SCIM2',
      settings: {
        'scim2-authentication-mode': 'bearer',
        'scim2-access-token': 'of the target',
        'scim2-user-ep': fake.usersEndpoint,
        'scim2-group-ep': fake.groupsEndpoint,
      },
    });
    const binding = { target: 'portal:SCIM2', blocking: true, onFailure: 'fail' };
    const bind = (row: object) => api('PUT', '/service-providers/travel/bindings', { bindings: [row] });
    await bind({ ...binding, jit: true });

    await bed.federate({ jit: { enabled: true } });
    await signIn({ sub: 'emmy', preferred_username: 'emmy' });
    assert.ok(fake.userNamed('emmy'), 'it is there before the application is told');
    const refusal = { kind: 'answer', status: 400, body: { detail: 'no room' } } as const;
    fake.misbehave({ when: { method: 'POST' }, act: refusal, times: 1 });
    bed.upstream.claims = { sub: 'sofia', preferred_username: 'sofia' };
    const refused = await bed.signIn();
    assert.equal(refused.status, 503, refused.text);
    assert.match(refused.text, /you are known here now, and may not go on yet/);
    assert.match(refused.text, /portal:SCIM2 does not take it/);
    const { id } = await api('GET', '/users/sofia');
    assert.equal((await bed.signIn()).status, 503, 'not by trying again either');
    await api('PATCH', `/users/${id}`, { title: 'Professor' });
    assert.equal(await signIn({ sub: 'sofia', preferred_username: 'sofia', name: 'Sofia' }), id);
    assert.ok(fake.userNamed('sofia'));
    // Without Enable JIT nobody new is sent there, so nobody waits for it, and no failure there refuses a sign-in.
    await bind(binding);
    fake.misbehave({ when: { method: 'POST' }, act: refusal, times: Number.POSITIVE_INFINITY });
    await signIn({ sub: 'ida', preferred_username: 'ida' });
    assert.equal(fake.userNamed('ida'), undefined);
    // Who is there already is kept in step all the same; that it fails is no reason to keep them out.
    for (const method of ['PUT', 'PATCH']) {
      fake.misbehave({ when: { method }, act: refusal, times: Number.POSITIVE_INFINITY });
    }
    await api('PUT', '/service-providers/resident/bindings', { bindings: [{ target: 'portal:SCIM2' }] });
    await signIn({ sub: 'sofia', preferred_username: 'sofia', name: 'Sofia Kovalevskaya' });
  });
});
