import assert from 'node:assert/strict';
import { before, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConnectorKindList } from '../../src/contract/connector-kind.ts';
import { ProblemAnswer } from '../../src/contract/problem.ts';
import { PolicyAnswer, TargetAnswer, TargetList, TestAnswer } from '../../src/contract/target.ts';
import { readPolicy } from '../../src/provisioning/policy.ts';
import { readTargetForDelivery } from '../../src/provisioning/targets.ts';
import { startFakeScim2 } from '../connectors/fakes/scim2.ts';
import { eachDatabase } from '../database.ts';
import { type AdminBed, fits, openAdminBed, settings } from './admin-bed.ts';

const secrets = ['first-secret-token', 'second-secret-token', 'default-secret-password'];

eachDatabase('targets', (bed) => {
  let api: AdminBed;
  const tokenOf = async (id: number) => {
    const { values } = await api.store.read((reading) => readTargetForDelivery(reading, api.key, id));
    return String((values['scim2-access-token'] as { reveal?(): string } | undefined)?.reveal?.());
  };
  before(async () => {
    api = await openAdminBed(bed);
    await api.call('POST', '/identity-providers', { name: 'partner' });
  });

  it('say what forms to draw', async () => {
    const kinds = await api.call('GET', '/connector-kinds');
    assert.ok(fits(ConnectorKindList, kinds.body));
    const keys = kinds.body.items.find((kind: { type: string }) => kind.type === 'SCIM2').settings;
    assert.equal(keys[0].label, 'Authentication Mode');
  });

  it('take the policy that their profile names where none is given, and name the line of a bad override', async () => {
    await api.call('POST', '/identity-providers', { name: 'hub' });
    const profile = (overrides?: string) =>
      settings({
        'scim2-target-profile': 'github',
        ...(overrides === undefined ? {} : { 'scim2-profile-overrides': overrides }),
      });
    const bad = await api.call('POST', '/identity-providers/hub/targets', {
      type: 'SCIM2',
      settings: profile('membersPerRequest: many\n'),
    });
    assert.equal(bad.status, 400, bad.text);
    assert.ok(fits(ProblemAnswer, bad.body));
    assert.equal(bad.body.field, 'settings.scim2-profile-overrides');
    assert.match(bad.body.detail, /line membersPerRequest must be a whole number from 1 to 10000, not "many"/);

    const made = await api.call('POST', '/identity-providers/hub/targets', { type: 'SCIM2', settings: profile() });
    assert.equal(made.status, 201, made.text);
    assert.equal(made.body.policy.deprovision, 'disable', 'a DELETE there can never be undone');
    assert.equal(made.body.policy.nestedGroups, 'flatten', 'no group is a member there');
    const { id } = made.body;
    const overrides = 'deprovision: keep\n# by agreement\nrate: 2/s\n';
    const own = { settings: profile(overrides), policy: { deprovision: 'delete' } };
    const said = await api.call('PUT', `/targets/${id}`, own);
    assert.equal(said.body.policy.deprovision, 'delete', 'what is given is the last word');
    assert.equal(said.body.settings['scim2-profile-overrides'], overrides);
    const left = await api.call('PUT', `/targets/${id}`, { settings: own.settings });
    assert.equal(left.body.policy.deprovision, 'keep');
    assert.equal((await api.call('PUT', `/targets/${id}`, { settings: own.settings })).change, 'unchanged');
    await api.call('DELETE', '/identity-providers/hub');
  });

  it('keep secrets, seal them, never show them, and let them be left out', async () => {
    const made = await api.call('POST', '/identity-providers/partner/targets', {
      type: 'SCIM2',
      settings: settings({ 'scim2-default-pwd': 'default-secret-password' }),
      policy: { concurrency: 4 },
    });
    assert.equal(made.status, 201, made.text);
    assert.ok(fits(TargetAnswer, made.body));
    assert.equal(made.body.name, 'partner:SCIM2');
    assert.equal(made.body.version, 1);
    assert.equal(made.body.policy.concurrency, 4);
    assert.equal(made.body.policy.deprovision, 'delete');
    assert.equal(made.body.policy.nestedGroups, 'native');
    const since = (answer: { body: TargetAnswer }, key = 'scim2-access-token') => {
      const value = answer.body.settings[key];
      return typeof value === 'object' ? value.since : undefined;
    };
    const first = since(made)!;
    assert.ok(Math.abs(Date.parse(first) - api.store.now()) < 60_000, first);
    assert.equal(made.body.settings['scim2-user-ep'], 'https://partner.example/scim2/Users');
    const { id } = made.body;
    assert.equal(await tokenOf(id), 'first-secret-token');
    const rows = await api.store.read((reading) => reading.all(reading.q.selectFrom('targets').selectAll()));
    for (const secret of secrets) assert.ok(!JSON.stringify(rows).includes(secret), 'a secret is stored in clear');

    const shown = await api.call('GET', '/targets/PARTNER:scim2');
    assert.deepEqual(shown.body, made.body);
    assert.ok(fits(TargetList, (await api.call('GET', '/targets')).body));
    const inList = await api.call('GET', '/identity-providers/partner/targets');
    assert.deepEqual(inList.body.items, [made.body]);

    const { 'scim2-access-token': _, ...without } = settings({ 'scim2-user-store-domain': 'EMEA' });
    const left = await api.call('PUT', `/targets/${id}`, { settings: without, policy: { concurrency: 4 } });
    assert.equal(left.status, 200, left.text);
    assert.equal(left.change, 'updated');
    assert.equal(left.body.version, 2);
    assert.equal(await tokenOf(id), 'first-secret-token');

    const returned = await api.call('PUT', `/targets/${id}`, {
      settings: left.body.settings,
      policy: left.body.policy,
    });
    assert.equal(returned.change, 'unchanged');
    assert.equal(returned.body.version, 2);
    const repeated = await api.call('PATCH', `/targets/${id}`, {
      settings: { 'scim2-access-token': 'first-secret-token' },
    });
    assert.equal(repeated.change, 'unchanged');
    assert.equal(since(repeated), first, 'the same again is not another');
    await sleep(2);
    const other = await api.call('PATCH', `/targets/${id}`, {
      settings: { 'scim2-access-token': 'second-secret-token' },
    });
    assert.equal(other.change, 'updated');
    assert.equal(other.body.version, 3);
    assert.equal(await tokenOf(id), 'second-secret-token');
    assert.ok(since(other)! > first, 'another secret is set since then');
    assert.equal(since(other, 'scim2-default-pwd'), first);
    // A secret from before the time was noted.
    const [row] = await api.store.read((reading) =>
      reading.all(reading.q.selectFrom('targets').selectAll().where('id', '=', id)),
    );
    const bare = JSON.stringify(JSON.parse(row!.settings), (key, value) => (key === 'at' ? undefined : value));
    await api.store.write((tx) => tx.all(tx.q.updateTable('targets').set({ settings: bare }).where('id', '=', id)));
    const old = await api.call('GET', `/targets/${id}`);
    assert.ok(fits(TargetAnswer, old.body), old.text);
    assert.equal(since(old), null);

    const required = await api.call('PATCH', `/targets/${id}`, { settings: { 'scim2-access-token': null } });
    assert.equal(required.status, 400);
    assert.equal(required.body.field, 'settings.scim2-access-token');
    const removed = await api.call('PATCH', `/targets/${id}`, { settings: { 'scim2-default-pwd': null } });
    assert.equal(removed.status, 200, removed.text);
    assert.equal(removed.body.settings['scim2-default-pwd'], undefined);
    for (const secret of secrets) {
      assert.ok(!api.heard.some((text) => text.includes(secret)), `${secret} was answered`);
      assert.ok(!api.logged.some((text) => text.includes(secret)), `${secret} was logged`);
    }
  });

  it('are one per type and identity provider', async () => {
    const again = await api.call('POST', '/identity-providers/partner/targets', {
      type: 'SCIM2',
      settings: settings(),
    });
    assert.equal(again.status, 409);
    assert.equal(again.body.field, 'type');
    const nowhere = await api.call('POST', '/identity-providers/nobody/targets', {
      type: 'SCIM2',
      settings: settings(),
    });
    assert.equal(nowhere.status, 404);
  });

  it('can be switched off, which is not another version of their settings', async () => {
    const before = (await api.call('GET', '/targets/partner:SCIM2')).body.version;
    const off = await api.call('PATCH', '/targets/partner:SCIM2', { enabled: false });
    assert.equal(off.body.enabled, false);
    assert.equal(off.body.version, before);
    const read = () => api.store.read((reading) => readTargetForDelivery(reading, api.key, off.body.id));
    assert.equal((await read()).enabled, false);
    await api.call('PATCH', '/targets/partner:SCIM2', { enabled: true });
    assert.equal((await read()).enabled, true);
    await api.call('PATCH', '/identity-providers/partner', { enabled: false });
    assert.equal((await read()).enabled, false);
    await api.call('PATCH', '/identity-providers/partner', { enabled: true });
  });

  const bad: [what: string, body: Record<string, unknown>, field: string][] = [
    ['no type', { settings: settings() }, 'type'],
    ['an unknown type', { type: 'scim3', settings: settings() }, 'type'],
    ['a missing endpoint', { type: 'SCIM2', settings: settings({ 'scim2-user-ep': '' }) }, 'settings.scim2-user-ep'],
    ['a broken endpoint', { type: 'SCIM2', settings: settings({ 'scim2-user-ep': 'x' }) }, 'settings.scim2-user-ep'],
    ['an unknown setting', { type: 'SCIM2', settings: settings({ 'scim2-x': 'y' }) }, 'settings.scim2-x'],
    [
      'a secret that is no text',
      { type: 'SCIM2', settings: settings({ 'scim2-access-token': 5 }) },
      'settings.scim2-access-token',
    ],
    [
      'a list as setting',
      { type: 'SCIM2', settings: settings({ 'scim2-user-store-domain': ['a'] }) },
      'settings.scim2-user-store-domain',
    ],
    ['settings that are no object', { type: 'SCIM2', settings: 'x' }, 'settings'],
    ['an unknown field', { type: 'SCIM2', settings: settings(), retries: 5 }, 'retries'],
    ['a policy that is no object', { type: 'SCIM2', settings: settings(), policy: 5 }, 'policy'],
    ['an unknown policy', { type: 'SCIM2', settings: settings(), policy: { speed: 5 } }, 'policy.speed'],
    [
      'a mode of groups that there is not',
      { type: 'SCIM2', settings: settings(), policy: { groups: 'some' } },
      'policy.groups',
    ],
    [
      'a nesting that there is not',
      { type: 'SCIM2', settings: settings(), policy: { nestedGroups: 'deep' } },
      'policy.nestedGroups',
    ],
    ['a wrong choice', { type: 'SCIM2', settings: settings(), policy: { adopt: 'all' } }, 'policy.adopt'],
    [
      'too much concurrency',
      { type: 'SCIM2', settings: settings(), policy: { concurrency: 257 } },
      'policy.concurrency',
    ],
    [
      'half a request at once',
      { type: 'SCIM2', settings: settings(), policy: { concurrency: 1.5 } },
      'policy.concurrency',
    ],
    [
      'a rate of nothing',
      { type: 'SCIM2', settings: settings(), policy: { requestsPerSecond: 0 } },
      'policy.requestsPerSecond',
    ],
    ['a burst without a rate', { type: 'SCIM2', settings: settings(), policy: { burst: 5 } }, 'policy.burst'],
    [
      'a broken scope',
      { type: 'SCIM2', settings: settings(), policy: { scopeUsers: 'userName eq' } },
      'policy.scopeUsers',
    ],
    [
      'a scope over nothing',
      { type: 'SCIM2', settings: settings(), policy: { scopeUsers: 'shoeSize eq 5' } },
      'policy.scopeUsers',
    ],
    [
      'a scope of the other kind',
      { type: 'SCIM2', settings: settings(), policy: { scopeGroups: 'userName eq "a"' } },
      'policy.scopeGroups',
    ],
    [
      'a scope that asks when somebody was written',
      { type: 'SCIM2', settings: settings(), policy: { scopeUsers: 'meta.lastModified gt "2026-01-01T00:00:00Z"' } },
      'policy.scopeUsers',
    ],
    [
      'a scope by a name of the manager, which is not kept',
      {
        type: 'SCIM2',
        settings: settings(),
        policy: { scopeUsers: 'userType eq "a" and manager[displayName eq "Bo"]' },
      },
      'policy.scopeUsers',
    ],
    [
      'a scope by the address of a group',
      { type: 'SCIM2', settings: settings(), policy: { scopeUsers: 'groups[type eq "direct" and $ref ew "/1"]' } },
      'policy.scopeUsers',
    ],
    [
      'a scope of groups by their members',
      { type: 'SCIM2', settings: settings(), policy: { scopeGroups: 'not (members.value eq "a")' } },
      'policy.scopeGroups',
    ],
    [
      'roles that are no list',
      { type: 'SCIM2', settings: settings(), policy: { provisioningRoles: 'Sales, Board' } },
      'policy.provisioningRoles',
    ],
    [
      'a role without a name',
      { type: 'SCIM2', settings: settings(), policy: { provisioningRoles: ['Sales', ' '] } },
      'policy.provisioningRoles',
    ],
  ];
  for (const [what, body, field] of bad) {
    it(`refuse ${what}, naming ${field}, and keep nothing`, async () => {
      await api.call('POST', '/identity-providers', { name: 'empty' });
      const refused = await api.call('POST', '/identity-providers/empty/targets', body);
      assert.equal(refused.status, 400, refused.text);
      assert.ok(fits(ProblemAnswer, refused.body));
      assert.equal(refused.body.field, field);
      assert.deepEqual((await api.call('GET', '/identity-providers/empty/targets')).body.items, []);
    });
  }

  it('say everything that is wrong with their settings at once', async () => {
    const refused = await api.call('POST', '/identity-providers/empty/targets', {
      type: 'SCIM2',
      settings: { 'scim2-authentication-mode': 'apiKey' },
    });
    assert.match(refused.body.detail, /API Key Header Name.*API Key Value.*User Endpoint/);
  });

  it('cannot change their type', async () => {
    const refused = await api.call('PATCH', '/targets/partner:SCIM2', { type: 'scim' });
    assert.equal(refused.status, 400);
    assert.equal(refused.body.field, 'type');
  });

  it('are tested before and after they are saved, without the secret being sent again', async () => {
    const fake = await startFakeScim2({ auth: { mode: 'bearer', token: 'second-secret-token' } });
    try {
      const given = {
        'scim2-authentication-mode': 'bearer',
        'scim2-access-token': 'second-secret-token',
        'scim2-user-ep': fake.usersEndpoint,
        'scim2-group-ep': fake.groupsEndpoint,
      };
      const unsaved = await api.call('POST', '/targets/test', { type: 'SCIM2', settings: given });
      assert.equal(unsaved.status, 200, unsaved.text);
      assert.ok(fits(TestAnswer, unsaved.body));
      assert.equal(unsaved.body.ok, true, unsaved.text);
      const wrong = await api.call('POST', '/targets/test', {
        type: 'SCIM2',
        settings: { ...given, 'scim2-access-token': 'third-secret-token' },
      });
      assert.equal(wrong.body.ok, false);
      assert.ok(!wrong.text.includes('third-secret-token'));

      const { 'scim2-access-token': _, ...without } = given;
      const merged = await api.call('POST', '/targets/partner:SCIM2/test', { settings: without });
      assert.equal(merged.body.ok, true, merged.text);
      const stillSaved = await api.call('GET', '/targets/partner:SCIM2');
      assert.equal(stillSaved.body.settings['scim2-user-ep'], 'https://partner.example/scim2/Users');
      const broken = await api.call('POST', '/targets/partner:SCIM2/test', { settings: { ...without, nonsense: 1 } });
      assert.equal(broken.body.field, 'settings.nonsense');
      await api.call('PATCH', '/targets/partner:SCIM2', { settings: without });
      const saved = await api.call('POST', '/targets/partner:SCIM2/test');
      assert.equal(saved.body.ok, true, saved.text);
      assert.deepEqual(fake.faults, []);
      assert.equal(
        fake.requests.every((request) => request.method === 'GET'),
        true,
        'a test changed something',
      );
    } finally {
      await fake.close();
    }
    const down = await api.call('POST', '/targets/partner:SCIM2/test');
    assert.equal(down.status, 200);
    assert.equal(down.body.ok, false);
    assert.equal(down.body.steps[0].step, 'reached');
    assert.equal(down.body.steps[0].ok, false);
  });

  it('have in the contract the defaults and bounds that are checked', () => {
    const shapes = Object.entries(
      PolicyAnswer.properties as unknown as Record<string, Record<string, number | string>>,
    );
    const defaults = readPolicy({}) as unknown as Record<string, unknown>;
    for (const [key, shape] of shapes) {
      assert.equal(defaults[key], shape.default, key);
      for (const bound of ['minimum', 'maximum'] as const) {
        if (shape[bound] === undefined) continue;
        const rate = key === 'burst' ? { requestsPerSecond: 1 } : {};
        const beyond = Number(shape[bound]) + (bound === 'minimum' ? -0.005 : 1);
        assert.doesNotThrow(() => readPolicy({ ...rate, [key]: shape[bound] }), `${key} ${bound}`);
        assert.throws(() => readPolicy({ ...rate, [key]: beyond }), { field: `policy.${key}` });
      }
    }
  });
});
