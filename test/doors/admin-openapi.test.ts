import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Value } from 'typebox/value';
import { operations } from '../../src/contract/operations.ts';
import { XacmlJsonResponse } from '../../src/contract/xacml-json.ts';
import { createGroup } from '../../src/directory/groups.ts';
import { createUser } from '../../src/directory/users.ts';
import { readResource } from '../../src/protocol/scim/resource.ts';
import { coreGroupUrn, coreUserUrn, groupType, userType } from '../../src/protocol/scim/schema.ts';
import { fillTemplate } from '../../src/rules/templates/fill.ts';
import { type FakeScim2, startFakeScim2 } from '../connectors/fakes/scim2.ts';
import { eachDatabase } from '../database.ts';
import { type AdminBed, basic, openAdminBed } from './admin-bed.ts';

// biome-ignore lint/suspicious/noExplicitAny: a description is read by hand
type Json = any;

const policyOf = (policyId: string) => fillTemplate({ template: 'role', policyId, roles: ['x'] });
const request = `<Request xmlns="urn:oasis:names:tc:xacml:3.0:core:schema:wd-17" CombinedDecision="false" ReturnPolicyIdList="false"/>`;
const inResult = { AttributeId: 'name', Value: 'ada', IncludeInResult: true };

eachDatabase('the description of the admin API', (bed) => {
  let api: AdminBed;
  let fake: FakeScim2;
  let description: Json;
  let userId: string;
  const seen = new Set<string>();

  /** Calls it as described, and checks that request and answer are as described, no more and no less. */
  const call = async (
    method: (typeof operations)[number]['method'],
    path: string,
    params: Record<string, string | number> = {},
    body?: unknown,
    options: { authorization?: string; status?: number; query?: string } = {},
  ): Promise<Json> => {
    const described = description.paths[path]?.[method];
    assert.ok(described, `${method} ${path} is not described`);
    const real = path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(String(params[name])));
    const where = options.query === undefined ? real : `${real}?${options.query}`;
    const media = Object.keys(described.requestBody?.content ?? { 'application/json': {} })[0]!;
    const answer = await api.call(method.toUpperCase(), where, body, options.authorization, media);
    const told = `${method} ${where}: ${answer.status} ${answer.text}`;
    const own = described.responses[answer.status];
    assert.ok(answer.status < 300 ? own : !own, told);
    assert.ok(options.status === undefined ? answer.status < 300 : answer.status === options.status, told);
    const response = own ?? described.responses.default;
    if (answer.status < 300) {
      seen.add(`${method} ${path} ${answer.status}`);
      if (body !== undefined) {
        const taken = described.requestBody.content[media].schema;
        assert.ok(Value.Check(taken, body), `${told}: what was sent is not what is described`);
      }
      assert.equal(answer.change !== null, response.headers?.['purvey-change'] !== undefined, told);
    }
    if (response.content === undefined) {
      assert.equal(answer.text, '', told);
      return undefined;
    }
    const type = answer.headers.get('content-type')!.split(';')[0]!;
    const ref = response.content[type]?.schema;
    assert.ok(ref, `${told}: it is ${type}`);
    const schema = ref.$ref ? description.components.schemas[ref.$ref.split('/').at(-1)] : ref;
    assert.ok(Value.Check(schema, answer.body), `${told} ${JSON.stringify([...Value.Errors(schema, answer.body)])}`);
    if (answer.status < 300) {
      const shape = operations.find((one) => one.method === method && one.path === path)!.answers[answer.status]!;
      assert.deepEqual(Value.Clean(shape, structuredClone(answer.body)), answer.body, `${told} says more`);
    }
    return answer.body;
  };

  /** The one answer that has no end. */
  const listen = async () => {
    const gone = new AbortController();
    const headers = { authorization: `Bearer ${api.token}` };
    const response = await fetch(`${api.url}/api/events`, { headers, signal: gone.signal });
    const described = Object.keys(description.paths['/events'].get.responses['200'].content);
    assert.deepEqual([response.status, described], [200, [response.headers.get('content-type')]]);
    gone.abort();
    seen.add('get /events 200');
  };

  const settings = () => ({
    'scim2-authentication-mode': 'bearer',
    'scim2-access-token': 'the-secret-of-the-target',
    'scim2-user-ep': fake.usersEndpoint,
    'scim2-group-ep': fake.groupsEndpoint,
  });

  before(async () => {
    api = await openAdminBed(bed);
    fake = await startFakeScim2({ auth: { mode: 'bearer', token: 'the-secret-of-the-target' } });
    const answer = await api.call('GET', '/openapi.json', undefined, null);
    assert.equal(answer.status, 200, 'it needs credentials');
    description = answer.body;
  });
  after(() => fake.close());

  it('names every route of the door, and none besides', () => {
    const served = api.routes
      .filter((route) => !/^(HEAD|OPTIONS) /.test(route))
      .map((route) => route.replace(/:(\w+)/g, '{$1}').replace(' /api', ' '));
    const described = Object.entries(description.paths as Record<string, Json>).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    assert.ok(served.length > 30, String(served));
    assert.deepEqual(described.toSorted(), served.toSorted());
  });

  it('is OpenAPI 3.1 in itself', () => {
    assert.equal(description.openapi, '3.1.0');
    const ids: string[] = [];
    for (const [path, methods] of Object.entries(description.paths as Record<string, Json>)) {
      for (const operation of Object.values(methods) as Json[]) {
        ids.push(operation.operationId);
        const inPath = (operation.parameters ?? []).filter((one: Json) => one.in === 'path');
        assert.deepEqual(
          inPath.map((one: Json) => `{${one.name}}`),
          path.match(/\{\w+\}/g) ?? [],
        );
        assert.ok(operation.responses.default && Object.keys(operation.responses).length > 1, path);
        for (const response of Object.values(operation.responses) as Json[]) assert.ok(response.description, path);
      }
    }
    assert.equal(new Set(ids).size, ids.length, ids.join(' '));
  });

  it('fits what is answered: the configuration', async () => {
    await call('get', '/openapi.json');
    const partner = { name: 'partner', displayName: 'Partner', certificate: null };
    await call('post', '/identity-providers', {}, partner, { status: 201 });
    await call('get', '/identity-providers');
    await call('get', '/identity-providers/{id}', { id: 'partner' });
    await call('put', '/identity-providers/{id}', { id: 'partner' }, partner);
    await call('patch', '/identity-providers/{id}', { id: 'partner' }, { alias: 'p' });
    const federation = {
      authenticator: { type: 'oidc', issuer: 'https://login.partner.example', clientId: 'purvey', clientSecret: 'x' },
      claims: [{ remote: 'upn', local: 'userName', default: null }],
      roles: [{ remote: 'staff', local: 'Staff' }],
      jit: { enabled: true, prompt: 'consent' },
    };
    await call('get', '/identity-providers/{id}/federation', { id: 'partner' });
    await call('put', '/identity-providers/{id}/federation', { id: 'partner' }, federation);
    await call('patch', '/identity-providers/{id}/federation', { id: 'partner' }, { roleClaim: 'roles' });
    await call('get', '/identity-providers/{id}/federation', { id: 'partner' });
    const target = { type: 'SCIM2', settings: settings(), policy: { concurrency: 2, scopeUsers: 'active eq true' } };
    await call('post', '/identity-providers/{id}/targets', { id: 'partner' }, target, { status: 201 });
    await call('get', '/identity-providers/{id}/targets', { id: 'partner' });
    await call('get', '/targets');
    await call('get', '/targets/{id}', { id: 'partner:SCIM2' });
    await call('put', '/targets/{id}', { id: 'partner:SCIM2' }, { type: 'SCIM2', settings: settings() });
    await call('patch', '/targets/{id}', { id: 'partner:SCIM2' }, { policy: { requestsPerSecond: 50 } });
    await call('post', '/targets/{id}/pause', { id: 'partner:SCIM2' });
    await call('post', '/targets/{id}/resume', { id: 'partner:SCIM2' });
    await call('post', '/targets/test', {}, { type: 'SCIM2', settings: settings() });
    await call('post', '/targets/{id}/test', { id: 'partner:SCIM2' });
    await call('get', '/connector-kinds');
    await call('post', '/service-providers', {}, { name: 'hr' }, { status: 201 });
    await call('get', '/service-providers');
    await call('get', '/service-providers/{id}', { id: 'hr' });
    await call('put', '/service-providers/{id}', { id: 'hr' }, { name: 'hr', requestedClaims: ['email'] });
    await call('patch', '/service-providers/{id}', { id: 'hr' }, { description: null });
    const bindings = { bindings: [{ target: 'partner:SCIM2', enabled: true }] };
    await call('put', '/service-providers/{id}/bindings', { id: 'resident' }, bindings);
    await call('get', '/service-providers/{id}/bindings', { id: 'resident' });
    // No engine runs yet, so the sync does not end by itself.
    const synced = { id: 'partner:SCIM2' };
    await call('get', '/targets/{id}/sync', synced);
    await call('post', '/targets/{id}/sync', synced, undefined, { status: 202 });
    await call('post', '/targets/{id}/sync/pause', synced);
    await call('get', '/targets/{id}/sync', synced);
    assert.equal((await call('get', '/status')).targets[0].waves.length, 1);
    await call('post', '/targets/{id}/sync/cancel', synced);
    await call('post', '/user-store-domains', {}, { name: 'SALES', description: 'they sell' }, { status: 201 });
    await call('post', '/user-store-domains', {}, { name: 'SALES' }, { status: 200 });
    await call('get', '/user-store-domains');
    const { document } = await call(
      'post',
      '/policy-templates/fill',
      {},
      { template: 'role', policyId: 'p', roles: ['x'] },
    );
    await call('get', '/policy-templates');
    await call('post', '/policies', {}, { name: 'p', document }, { status: 201 });
    await call('get', '/policies');
    await call('get', '/policies/{id}', { id: 'p' });
    await call('put', '/policies/{id}', { id: 'p' }, { name: 'p', document, use: 'referenced' });
    await call('patch', '/policies/{id}', { id: 'p' }, { use: 'evaluated', enabled: true });
    const rows = {
      list: [
        { effect: 'withhold', who: [{ about: 'group', is: 'one-of', values: ['x'] }], when: { days: ['monday'] } },
      ],
    };
    await call('get', '/policy-attributes');
    await call('post', '/policy-rows/fill', {}, { name: 'q', rows });
    await call('put', '/policies/{id}', { id: 'p' }, { name: 'p', rows });
    await call('get', '/policies/{id}', { id: 'p' });
    await call('patch', '/policies/{id}', { id: 'p' }, { document });
    await call('get', '/policies/{id}/versions', { id: 'p' });
    await call('post', '/pdp', {}, request);
    const { requestBody, responses } = description.paths['/pdp'].post;
    const asked = { Request: { ReturnPolicyIdList: true, AccessSubject: [{ Attribute: [inResult] }] } };
    const { body: decided } = await api.call('POST', '/pdp', asked, undefined, 'application/xacml+json');
    const [taken, answered] = [requestBody, responses['200']].map(
      (one) => one.content['application/xacml+json'].schema,
    );
    assert.deepEqual([...Value.Errors(taken, asked), ...Value.Errors(answered, decided)], []);
    assert.deepEqual(Value.Clean(XacmlJsonResponse, structuredClone(decided)), decided);
    assert.deepEqual(decided.Response[0].Category[0].Attribute[0].Value, ['ada']);
    const { id } = await call('post', '/tokens', {}, { label: 'x', scopes: ['scim'] }, { status: 201 });
    await call('get', '/tokens');
    await call('delete', '/tokens/{id}', { id });
    await call('post', '/session', {}, { name: 'admin', password: api.password });
    await call('get', '/session');
    await call('delete', '/session');
    await call('post', '/operators', {}, { name: 'otto', role: 'auditor' });
    await call('get', '/operators');
    await call('patch', '/operators/{id}', { id: 'otto' }, { role: 'operator' });
    await call('post', '/operators/{id}/password', { id: 'otto' });
    await call('delete', '/operators/{id}', { id: 'otto' });
    const first = { authorization: basic('admin', api.password) };
    await call('post', '/password', {}, { newPassword: 'eine gute Losung' }, first);
  });

  it('fits what is answered: the directory and what becomes of it', async () => {
    await api.startEngine();
    const origin = { spId: api.residentId, door: 'api', actor: 'test' } as const;
    const user = {
      schemas: [coreUserUrn],
      userName: 'ada',
      displayName: 'Ada',
      emails: [{ value: 'ada@acme.example' }],
    };
    userId = (await api.store.write((tx) => createUser(tx, readResource(userType, user), { origin }))).id;
    const group = { schemas: [coreGroupUrn], displayName: 'all', members: [{ value: userId }] };
    await api.store.write((tx) => createGroup(tx, readResource(groupType, group), { origin }));
    api.store.signal('changes');
    let settled = false;
    for (let n = 0; n < 200 && !settled; n++) {
      await sleep(50);
      const { items } = await call('get', '/accounts');
      settled = items.length === 2 && items.every((row: { due: boolean }) => !row.due);
    }
    assert.ok(settled, (await api.call('GET', '/accounts')).text);
    for (const [place, name] of [
      ['users', 'ada'],
      ['groups', 'all'],
    ] as const) {
      const found = await call('get', `/${place}`);
      assert.equal(found.items.length, 1);
      const { accounts, groups, members } = await call('get', `/${place}/{id}`, { id: name });
      assert.equal(accounts.length, 1);
      assert.equal(groups.length + members.length, 1);
    }
    const account = { target: 'partner:SCIM2', subject: 'ada' };
    const { attempts } = await call('get', '/accounts/{target}/{subject}', account);
    assert.ok(attempts[0].exchanges.length > 0, 'there is nothing to be checked');
    assert.ok((await call('get', '/attempts')).items.length > 0);
    await call('get', '/attempts/{id}', { id: attempts[0].id });
    assert.ok((await call('get', '/changes')).items.length > 0);
    const { buckets } = await call('get', '/throughput');
    assert.ok(buckets.length === 60 && buckets.some(({ done }: { done: number }) => done > 0));
    assert.equal((await call('get', '/status')).targets.length, 1);
    await listen();
    await call('post', '/policies/try', {}, { subject: 'ada', target: 'partner:SCIM2', operation: 'PUT' });
    await call('get', '/accounts/{target}/{subject}/preview', account);
    await call('post', '/accounts/{target}/{subject}/retry', account, undefined, { status: 202 });
    fake.seedUser({ schemas: [coreUserUrn], userName: 'carl', active: true });
    await call('patch', '/targets/{id}', { id: 'partner:SCIM2' }, { policy: { adopt: 'ask' } });
    const carl = { target: 'partner:SCIM2', subject: 'carl' };
    await call('post', '/users', {}, { userName: 'carl' });
    for (let n = 0; n < 200 && (await call('get', '/status')).targets[0].parked === 0; n++) await sleep(50);
    const { conflict } = await call('get', '/accounts/{target}/{subject}', carl);
    await call('post', '/accounts/{target}/{subject}/leave', carl, { note: 'not now' });
    assert.equal((await call('get', '/accounts', {}, undefined, { query: 'left=true' })).items[0].left.note, 'not now');
    await call('post', '/users', {}, { userName: 'cora' });
    fake.misbehave({ when: { method: 'POST', on: 'users' }, times: 1, act: { kind: 'answer', status: 400 } });
    await call('post', '/users', {}, { userName: 'cleo' });
    for (let n = 0; n < 200 && (await call('get', '/causes')).accounts === 0; n++) await sleep(50);
    const query = `target=partner:SCIM2&cause=${(await call('get', '/causes')).items[0].key}`;
    assert.equal((await call('get', '/accounts', {}, undefined, { query })).items.length, 1);
    await call('post', '/accounts/retry', {}, undefined, { status: 202, query });
    const { remoteId } = conflict.remotes[0];
    await call('post', '/accounts/{target}/{subject}/adopt', carl, { remoteId }, { status: 202 });
    assert.equal((await call('get', '/accounts/{target}/{subject}', carl)).decisions.length, 2);
    const { id: spId } = await call(
      'post',
      '/service-providers',
      {},
      { name: 'feed', forwardOnly: true },
      { status: 201 },
    );
    const settingOf = async () => ({ forwardOnly: true, bound: true });
    const forwarder = { ...origin, spId, forwarding: { key: api.key, lastsMs: 86_400_000, settingOf } };
    const eve = readResource(userType, { ...user, userName: 'eve' });
    await api.store.write((tx) => createUser(tx, eve, { origin: forwarder }));
    api.store.signal('changes');
    for (let n = 0; n < 200 && (await call('get', '/status')).forwarded.bodies > 0; n++) await sleep(50);
    await call('post', '/forwarded/{subject}/give-up', { subject: 'eve' });
    assert.equal((await call('get', '/users/{id}', { id: 'eve' })).life, 'forwarded');
    assert.deepEqual((await call('get', '/status')).forwarded, { users: 1, groups: 0, bodies: 0, givenUp: 0 });
    await call('post', '/accounts/retry', {}, undefined, { status: 202, query: 'state=done' });
    assert.equal((await call('get', '/groups/{id}/members', { id: 'all' })).items[0].name, 'ada');
    await call('post', '/users', {}, { userName: 'bob', name: { givenName: 'Bob' }, password: 'a good one' });
    await call('post', '/users/{id}/unlock', { id: 'bob' });
    const linked = { identityProvider: 'all', subject: 'b-1' };
    await call('post', '/identity-providers', {}, { name: 'all' });
    const authenticator = { type: 'oidc', issuer: 'https://login.partner.example', clientId: 'purvey' };
    await call('put', '/identity-providers/{id}/federation', { id: 'all' }, { authenticator });
    const { id: link } = await call('post', '/users/{id}/links', { id: 'bob' }, linked, { status: 201 });
    await call('post', '/users/{id}/links', { id: 'bob' }, linked, { status: 200 });
    await call('get', '/identity-providers/{id}/links', { id: 'all' }, undefined, { query: 'search=b&limit=5' });
    await call('delete', '/users/{id}/links/{link}', { id: 'bob', link });
    assert.equal((await call('get', '/users/{id}/links', { id: 'bob' })).items[0].id, link);
    await call('patch', '/users/{id}', { id: 'bob' }, { title: 'Engineer', name: { familyName: 'Baker' } });
    const { id } = await call('post', '/groups', {}, { displayName: 'some', members: [{ value: userId }] });
    await call('patch', '/groups/{id}', { id }, { displayName: 'few', remove: [userId] });
    await call('delete', '/groups/{id}', { id: 'few' });
    await call('delete', '/users/{id}', { id: 'bob' });
  });

  it('fits what is refused, and takes every parameter it names', async () => {
    await call('get', '/users/{id}', { id: 'nobody' }, undefined, { status: 404 });
    await call('post', '/service-providers', {}, { name: 'HR' }, { status: 409 });
    await call('post', '/identity-providers', {}, { name: 'x', colour: 'red' }, { status: 400 });
    await call('delete', '/service-providers/{id}', { id: 'resident' }, undefined, { status: 409 });
    const values: Record<string, string> = {
      filter: 'displayName pr',
      startIndex: '1',
      limit: '5',
      target: 'partner:SCIM2',
      state: 'done',
      kind: 'user',
      subject: userId,
      due: 'false',
      left: 'false',
      remoteId: 'u1',
      outcome: 'done',
      text: 'nothing at all',
      search: 'b',
      status: '201',
      span: 'day',
    };
    for (const [path, { get }] of Object.entries(description.paths as Record<string, Json>)) {
      for (const { name, in: place } of get?.parameters ?? []) {
        // A cause goes with a target.
        if (place !== 'query' || name === 'after' || name === 'cause') continue;
        await call('get', path as string, { id: 'all' }, undefined, { status: 200, query: `${name}=${values[name]}` });
      }
    }
  });

  it('names what can be tried, which then changes nothing; the rest refuses to be tried', async () => {
    const bodies: Record<string, unknown> = {
      'post /identity-providers': { name: 'other' },
      'put /identity-providers/{id}': { name: 'renamed' },
      'patch /identity-providers/{id}': { alias: 'tried' },
      'put /identity-providers/{id}/federation': { linkBy: 'verifiedEmail' },
      'patch /identity-providers/{id}/federation': { linkBy: 'verifiedEmail' },
      'post /identity-providers/{id}/targets': { type: 'SCIM2', settings: settings() },
      'put /targets/{id}': { type: 'SCIM2', settings: settings(), policy: { concurrency: 9 } },
      'patch /targets/{id}': { enabled: false },
      'post /service-providers': { name: 'other' },
      'put /service-providers/{id}': { name: 'other' },
      'patch /service-providers/{id}': { description: 'tried' },
      'post /service-providers/{id}/oauth-client': { scopes: ['scim.read'] },
      'patch /service-providers/{id}/oauth-client': { tokenSeconds: 900 },
      'put /service-providers/{id}/bindings': { bindings: [{ target: 'partner:SCIM2', enabled: false }] },
      'post /user-store-domains': { name: 'TRIED' },
      'post /policies': { name: 'tried', document: policyOf('tried') },
      'put /policies/{id}': { name: 'tried', document: policyOf('p') },
      'patch /policies/{id}': { enabled: false },
    };
    const ids: Record<string, string> = { identity: 'partner', targets: 'partner:SCIM2', service: 'hr', policies: 'p' };
    await call('post', '/identity-providers', {}, { name: 'bare' });
    await call('post', '/service-providers', {}, { name: 'caller' }, { status: 201 });
    await call('post', '/service-providers/{id}/oauth-client', { id: 'caller' }, { scopes: ['scim.read'] });
    const look = async () => {
      const places = [
        '/identity-providers',
        '/targets',
        '/service-providers',
        '/user-store-domains',
        '/tokens',
        '/policies',
      ];
      const answers = await Promise.all(places.map((place) => api.call('GET', place)));
      return answers.map((answer) => answer.text.replace(/"(lastUsedAt|waiting)":[^,}]+/g, ''));
    };
    const before = await look();
    const tried: string[] = [];
    for (const { method, path } of operations) {
      if (method === 'get') continue;
      const id = ids[path.split(/[/-]/)[1]!]!;
      const canBeTried = (description.paths[path][method].parameters ?? []).some((one: Json) => one.name === 'dryRun');
      if (!canBeTried) {
        const refused = await api.call(method.toUpperCase(), `${path.replace('{id}', id)}?dryRun=true`, {});
        assert.equal(refused.status, 400, `${method} ${path}: ${refused.text}`);
        assert.equal(refused.body.field, 'dryRun');
        continue;
      }
      tried.push(`${method} ${path}`);
      const isOfClient = method === 'patch' && path.endsWith('/oauth-client');
      const place = path.replace('{id}', path.endsWith('/targets') ? 'bare' : isOfClient ? 'caller' : id);
      const answer = await api.call(method.toUpperCase(), `${place}?dryRun=true`, bodies[`${method} ${path}`]);
      assert.ok(answer.status < 300, `${method} ${path}: ${answer.text}`);
      assert.notEqual(answer.change, 'unchanged', `${method} ${path}`);
    }
    assert.deepEqual(tried.toSorted(), Object.keys(bodies).toSorted());
    assert.deepEqual(await look(), before);
    assert.equal((await api.call('PATCH', '/targets/partner:SCIM2?dryRun=yes', {})).status, 400);
  });

  it('fits the ends of things; and every operation was tried with success', async () => {
    await call('put', '/service-providers/{id}/bindings', { id: 'resident' }, { bindings: [] });
    const sp = { id: 'hr' };
    await call('post', '/service-providers/{id}/oauth-client', sp, { scopes: ['scim.read'] });
    await call('get', '/service-providers/{id}/oauth-client', sp);
    await call('patch', '/service-providers/{id}/oauth-client', sp, { tokenSeconds: 600 });
    await call('post', '/service-providers/{id}/oauth-client/secret', sp, { overlapHours: 1 });
    await call('delete', '/service-providers/{id}/oauth-client', sp);
    await call('get', '/oauth/keys');
    await call('post', '/oauth/keys/rotate');
    await call('delete', '/service-providers/{id}', { id: 'hr' });
    await call('delete', '/policies/{id}', { id: 'p' });
    await call('post', '/identity-providers', {}, { name: 'empty' });
    const unused = { type: 'SCIM2', enabled: false, settings: settings() };
    await call('post', '/identity-providers/{id}/targets', { id: 'empty' }, unused);
    await call('delete', '/targets/{id}', { id: 'empty:SCIM2' });
    await call('delete', '/identity-providers/{id}', { id: 'empty' });
    const all = operations.flatMap(({ method, path, answers }) =>
      Object.keys(answers).map((status) => `${method} ${path} ${status}`),
    );
    assert.deepEqual(
      all.filter((one) => !seen.has(one)),
      [],
    );
    assert.ok(!JSON.stringify(description).includes('secret-of-the-target'));
  });
});
