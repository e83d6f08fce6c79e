import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { readConfig } from '../../src/config.ts';
import { startPurvey } from '../../src/main.ts';
import { type Bed, eachDatabase } from '../database.ts';

const core = 'urn:scim:schemas:core:1.0';
const enterprise = 'urn:scim:schemas:extension:enterprise:1.0';

/** A whole server, as `purvey serve` starts it, and an administrator who speaks SCIM 1.1 to it. */
async function startServer(database: Bed) {
  const data = await mkdtemp(join(tmpdir(), 'purvey-scim1-'));
  const location = database.kind === 'postgres' ? database.locationOf(await database.open()) : undefined;
  const server = await startPurvey(
    readConfig({
      PURVEY_DATA: data,
      PURVEY_PORT: '0',
      PURVEY_LOG: 'silent',
      ...(location && 'url' in location ? { DATABASE_URL: location.url } : {}),
    }),
  );
  const token = (await readFile(join(data, 'admin-token'), 'utf8')).trim();
  async function call(method: string, path: string, body?: unknown) {
    const response = await fetch(`${server.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    // biome-ignore lint/suspicious/noExplicitAny: what a server answers has no type until a test looks at it
    const answer = (text === '' ? undefined : JSON.parse(text)) as any;
    assert.ok(response.status < 400, `${method} ${path}: ${response.status} ${text}`);
    return answer;
  }
  const scim = (method: string, path: string, body?: unknown) => call(method, `/wso2/scim${path}`, body);
  return {
    url: server.url,
    token,
    call,
    scim,
    addUser: async (user: object): Promise<string> => (await scim('POST', '/Users', { schemas: [core], ...user })).id,
    async untilAtRest(): Promise<void> {
      // Counts are read one after the other: at rest is what is so twice in a row.
      let quiet = 0;
      for (let tries = 0; tries < 600; tries++) {
        const status = await call('GET', '/api/status');
        const pending = status.targets.reduce((sum: number, one: { pending: number }) => sum + one.pending, 0);
        quiet = status.unplannedChanges === 0 && pending === 0 ? quiet + 1 : 0;
        if (quiet === 2) return;
        await sleep(100);
      }
      throw new Error(`not at rest: ${JSON.stringify((await call('GET', '/api/attempts?limit=5')).items)}`);
    },
    /** Everybody and every group, told by names instead of ids. */
    async tell() {
      const users = (await scim('GET', '/Users?count=200')).Resources;
      const groups = (await scim('GET', '/Groups?count=200')).Resources;
      const nameOf = (id: string | undefined) =>
        users.find((user: { id: string }) => user.id === id)?.userName ??
        groups.find((group: { id: string }) => group.id === id)?.displayName;
      // biome-ignore lint/suspicious/noExplicitAny: as above
      const tellUser = ({ id: _, externalId: __, meta: ___, groups: in_ = [], ...user }: any) => ({
        ...user,
        ...(user[enterprise]?.manager
          ? { [enterprise]: { ...user[enterprise], manager: nameOf(user[enterprise].manager.managerId) } }
          : {}),
        groups: in_.map((group: { display: string }) => group.display).sort(),
      });
      return {
        users: Object.fromEntries(users.map((user: { userName: string }) => [user.userName, tellUser(user)])),
        groups: Object.fromEntries(
          groups.map(({ displayName, members = [] }: { displayName: string; members?: { value: string }[] }) => [
            displayName,
            members.map((member) => nameOf(member.value)).sort(),
          ]),
        ),
      };
    },
    async [Symbol.asyncDispose]() {
      await server.stop();
      await rm(data, { recursive: true, force: true });
    },
  };
}

eachDatabase('two servers, one speaking SCIM 1.1 to the other', (database) => {
  it('come to hold the same users, enterprise attributes and groups, through renames and deletions', async () => {
    await using partner = await startServer(database);
    await using acme = await startServer(database);
    await acme.call('POST', '/api/identity-providers', { name: 'partner' });
    await acme.call('POST', '/api/identity-providers/partner/targets', {
      type: 'scim',
      settings: {
        'scim-authentication-mode': 'bearer',
        'scim-access-token': partner.token,
        'scim-user-ep': `${partner.url}/wso2/scim/Users`,
        'scim-group-ep': `${partner.url}/wso2/scim/Groups`,
      },
    });
    await acme.call('PUT', '/api/service-providers/resident/bindings', { bindings: [{ target: 'partner:scim' }] });

    const agree = async () => {
      await acme.untilAtRest();
      const [here, there] = [await acme.tell(), await partner.tell()];
      // Purvey says of everybody whether they are active, also where nothing was said.
      const said = Object.fromEntries(
        Object.entries(here.users).map(([name, user]) => [name, { active: true, ...(user as object) }]),
      );
      assert.deepEqual(there, { users: said, groups: here.groups });
      return here;
    };

    const ann = await acme.addUser({
      userName: 'ann',
      name: { givenName: 'Ann', familyName: 'A' },
      emails: [
        { value: 'ann@example.com', type: 'work', primary: true },
        { value: 'ann@home.example', type: 'home' },
      ],
      phoneNumbers: [{ value: '+44 1', type: 'work' }],
      [enterprise]: { employeeNumber: '1', department: 'Top' },
    });
    const bob = await acme.addUser({
      userName: 'bob',
      password: 'a good password',
      addresses: [{ type: 'work', locality: 'Hollywood', primary: true }],
      [enterprise]: { department: 'Tours', manager: { managerId: ann } },
    });
    const cyd = await acme.addUser({ userName: 'cyd', active: false });
    const guides = (await acme.scim('POST', '/Groups', { displayName: 'Guides', members: [{ value: bob }] })).id;
    const all = (
      await acme.scim('POST', '/Groups', { displayName: 'All', members: [{ value: guides }, { value: ann }] })
    ).id;
    const first = await agree();
    assert.deepEqual(first.groups, { Guides: ['bob'], All: ['Guides', 'ann'] });
    assert.equal(first.users.bob[enterprise].manager, 'ann');

    await acme.scim('PATCH', `/Users/${ann}`, {
      userName: 'anne',
      emails: [{ value: 'ann@home.example', operation: 'delete' }, { value: 'anne@example.com' }],
      meta: { attributes: ['phoneNumbers', `${enterprise}:employeeNumber`] },
    });
    await acme.scim('PUT', `/Users/${bob}`, { schemas: [core], userName: 'bob', title: 'Lead' });
    await acme.scim('PATCH', `/Groups/${guides}`, {
      displayName: 'Leads',
      members: [{ value: bob, operation: 'delete' }, { value: cyd }],
    });
    const second = await agree();
    assert.deepEqual(second.groups, { Leads: ['cyd'], All: ['Leads', 'anne'] });
    assert.deepEqual(second.users.anne[enterprise], { department: 'Top' });
    assert.equal(second.users.bob[enterprise], undefined);

    await acme.scim('DELETE', `/Users/${cyd}`);
    await acme.scim('DELETE', `/Groups/${all}`);
    const third = await agree();
    assert.deepEqual([Object.keys(third.users).sort(), third.groups], [['anne', 'bob'], { Leads: [] }]);
    const attempts = (await acme.call('GET', '/api/attempts?limit=200')).items;
    const bad = attempts.filter((one: { outcome: string }) => !['done', 'absent'].includes(one.outcome));
    assert.deepEqual(bad, []);
  });
});
