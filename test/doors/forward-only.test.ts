import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createApiToken } from '../../src/inbound/api-tokens.ts';
import type { Codec } from '../../src/inbound/scim/codec.ts';
import { scim1Codec } from '../../src/inbound/scim/codec1.ts';
import { replaceBindings } from '../../src/provisioning/service-providers.ts';
import type { Store } from '../../src/store/store.ts';
import { eachDatabase } from '../database.ts';
import { type EngineBed, openEngineBed } from '../engine/bed.ts';
import { ended, openWaiting } from '../engine/waiting.ts';
import { type Answer, groupSchemas, openScimBed, patchSchemas, type ScimBed, userSchemas } from './scim-bed.ts';

const limits = { timeoutMs: 1_000, settleMs: 200, concurrency: 4 };

/** A SCIM door in front of an engine bed. `feed` speaks for its forward-only service provider, `console` for the directory. */
async function openDoorBed(bed: EngineBed, codec?: Codec) {
  const origin = await bed.forwarder();
  const waiting = openWaiting(bed, await bed.start(), { boundMs: 10_000 });
  const scim = await openScimBed(bed.store as Store, {
    clock: bed.clock,
    waits: waiting.waits,
    key: bed.key as Buffer,
    ...(codec ? { codec } : {}),
  });
  const tokenOf = async (label: string, spId: number) =>
    (await bed.store.write((tx) => createApiToken(tx, { label, spId, scopes: ['scim'] }))).token;
  const as = (token: string) => {
    return async (...[method, path, body]: Parameters<ScimBed['call']>): Promise<Answer> => {
      const answer = scim.call(method, path, body, { authorization: `Bearer ${token}` });
      await ended(bed, answer);
      return answer;
    };
  };
  return {
    origin,
    feed: as(await tokenOf('feed', origin.spId)),
    console: as(await tokenOf('console', bed.resident.spId)),
    [Symbol.asyncDispose]: () => scim[Symbol.asyncDispose](),
  };
}

const user = (userName: string, more: object = {}) => ({ schemas: userSchemas, userName, ...more });
const group = (displayName: string, ...members: string[]) => ({
  schemas: groupSchemas,
  displayName,
  members: members.map((value) => ({ value })),
});
const patch = (...Operations: object[]) => ({ schemas: patchSchemas, Operations });

eachDatabase('the SCIM door of a forward-only service provider', (database) => {
  it('makes users that nobody can read, find or list, and takes PUT, PATCH and DELETE of them', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await using door = await openDoorBed(bed);
    const made = await door.feed('POST', '/Users', user('ada', { title: 'one', nickName: 'addie' }));
    assert.equal(made.status, 201, JSON.stringify(made.body));
    assert.equal(made.body.nickName, 'addie');
    const { id } = made.body;
    assert.ok(made.headers.get('location')?.endsWith(`/Users/${id}`));
    await bed.rest();
    assert.equal(bed.fake.userNamed('ada')?.nickName, 'addie');
    for (const call of [door.feed, door.console]) {
      const read = await call('GET', `/Users/${id}`);
      assert.equal(read.status, 404);
      assert.match(read.body.detail, /was only forwarded to its targets and is not kept here/);
      for (const filter of ['userName eq "ada"', 'userName sw "a"', `id eq "${id}"`, 'nickName pr']) {
        const found = await call('GET', `/Users?filter=${encodeURIComponent(filter)}`);
        assert.deepEqual([found.status, found.body.totalResults], [200, 0], filter);
      }
      assert.equal((await call('GET', '/Users')).body.totalResults, 0);
    }
    const again = await door.feed('POST', '/Users', user('Ada'));
    assert.equal(again.status, 409);
    assert.equal(again.body.scimType, 'uniqueness');
    assert.ok(again.body.detail.includes(id));

    const put = await door.feed('PUT', `/Users/${id}`, user('ada', { title: 'two' }));
    assert.deepEqual([put.status, put.body.title], [200, 'two']);
    await bed.rest();
    assert.deepEqual([bed.fake.userNamed('ada')?.title, bed.fake.userNamed('ada')?.nickName], ['two', undefined]);

    const off = await door.feed('PATCH', `/Users/${id}`, patch({ op: 'Replace', path: 'active', value: 'False' }));
    assert.equal(off.status, 204, JSON.stringify(off.body));
    await bed.rest();
    assert.equal(bed.fake.userNamed('ada')?.active, false);
    const more = await door.feed('PATCH', `/Users/${id}`, patch({ op: 'add', path: 'title', value: 'three' }));
    assert.equal(more.status, 409);
    assert.match(more.body.detail, /send the whole user by PUT/);

    assert.equal((await door.feed('DELETE', `/Users/${id}`)).status, 204);
    await bed.rest();
    assert.equal(bed.fake.users.size, 0);
    for (const method of ['GET', 'DELETE']) assert.equal((await door.feed(method, `/Users/${id}`)).status, 404);
  });

  it('does the same in SCIM 1.1', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await using door = await openDoorBed(bed, scim1Codec);
    const schemas = ['urn:scim:schemas:core:1.0'];
    const made = await door.feed('POST', '/Users', { schemas, userName: 'ada', title: 'one' });
    assert.equal(made.status, 201, JSON.stringify(made.body));
    const { id } = made.body;
    await bed.rest();
    assert.equal(bed.fake.userNamed('ada')?.title, 'one');
    const read = await door.feed('GET', `/Users/${id}`);
    assert.equal(read.status, 404);
    assert.match(read.body.Errors[0].description, /was only forwarded to its targets and is not kept here/);
    assert.equal((await door.feed('GET', '/Users')).body.totalResults, 0);

    const put = await door.feed('PUT', `/Users/${id}`, { schemas, userName: 'ada', title: 'two' });
    assert.equal(put.status, 200, JSON.stringify(put.body));
    const team = await door.feed('POST', '/Groups', { schemas, displayName: 'team', members: [{ value: id }] });
    assert.equal(team.status, 201, JSON.stringify(team.body));
    await bed.rest();
    assert.equal(bed.fake.userNamed('ada')?.title, 'two');
    assert.equal(bed.fake.groupNamed('team')?.members.size, 1);

    const member = { value: id, operation: 'delete' };
    const out = await door.feed('PATCH', `/Groups/${team.body.id}`, { schemas, members: [member] });
    assert.ok(out.status < 300, JSON.stringify(out.body));
    const off = await door.feed('PATCH', `/Users/${id}`, { schemas, active: false });
    assert.ok(off.status < 300, JSON.stringify(off.body));
    await bed.rest();
    assert.equal(bed.fake.groupNamed('team')?.members.size, 0);
    assert.equal(bed.fake.userNamed('ada')?.active, false);
    assert.equal((await door.feed('PATCH', `/Users/${id}`, { schemas, title: 'three' })).status, 409);

    for (const path of [`/Users/${id}`, `/Groups/${team.body.id}`]) {
      assert.equal((await door.feed('DELETE', path)).status, 204);
    }
    await bed.rest();
    assert.deepEqual([bed.fake.users.size, bed.fake.groups.size], [0, 0]);
  });

  it('waits for blocking targets and says what became of it', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await using door = await openDoorBed(bed);
    const bindings = [{ target: bed.targetId, blocking: true, onFailure: 'fail' }];
    await bed.store.write((tx) => replaceBindings(tx, door.origin.spId, bindings));
    bed.store.signal('targets');
    const made = await door.feed('POST', '/Users', user('ada'));
    assert.equal(made.headers.get('purvey-delivery'), '"partner:SCIM2";outcome=done');
    assert.ok(bed.fake.userNamed('ada'));
    const off = await door.feed('PATCH', `/Users/${made.body.id}`, patch({ op: 'replace', value: { active: false } }));
    assert.deepEqual([off.status, off.headers.get('purvey-delivery')], [204, '"partner:SCIM2";outcome=done']);
    const team = await door.feed('POST', '/Groups', group('team', made.body.id));
    assert.equal(team.headers.get('purvey-delivery'), '"partner:SCIM2";outcome=done', JSON.stringify(team.body));
    assert.equal(bed.fake.membersOf('g1').length, 1);
    bed.fake.misbehave({ when: { method: 'POST' }, act: { kind: 'answer', status: 400, body: { detail: 'no' } } });
    const refused = await door.feed('POST', '/Users', user('bob', { title: 'secretive' }));
    assert.equal(refused.status, 502);
    assert.ok(refused.headers.get('location'));
    assert.equal(
      (await door.feed('DELETE', `/Users/${made.body.id}`)).headers.get('purvey-delivery'),
      '"partner:SCIM2";outcome=done',
    );
  });

  it('makes groups of forwarded users and of those in the directory, which see nothing of them', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await using door = await openDoorBed(bed);
    const ada = (await door.feed('POST', '/Users', user('ada'))).body.id;
    const bob = (await door.console('POST', '/Users', user('bob'))).body.id;
    const eve = (await door.console('POST', '/Users', user('eve'))).body.id;
    const made = await door.feed('POST', '/Groups', group('team', ada, bob));
    assert.equal(made.status, 201, JSON.stringify(made.body));
    assert.deepEqual(made.body.members.map((one: { value: string }) => one.value).sort(), [ada, bob].sort());
    const { id } = made.body;
    await bed.rest();
    const there = () => {
      const names = new Map([...bed.fake.users].map(([key, held]) => [key, held.userName]));
      const [key] = [...bed.fake.groups].find(([, held]) => held.resource.displayName !== 'own') ?? [''];
      return bed.fake
        .membersOf(key)
        .map((each) => names.get(each))
        .sort();
    };
    assert.deepEqual(there(), ['ada', 'bob']);
    assert.deepEqual(await bed.bodies(), { kept: [], lost: [] });

    assert.equal((await door.console('GET', `/Groups/${id}`)).status, 404);
    assert.equal((await door.console('GET', '/Groups')).body.totalResults, 0);
    assert.deepEqual((await door.console('GET', `/Users/${bob}`)).body.groups ?? [], []);
    for (const filter of [`groups.value eq "${id}"`, 'groups.display eq "team"', 'groups pr']) {
      const found = await door.console('GET', `/Users?filter=${encodeURIComponent(filter)}`);
      assert.deepEqual([found.status, found.body.totalResults], [200, 0], filter);
    }
    const own = await door.console('POST', '/Groups', group('own', ada));
    assert.equal(own.status, 400);
    assert.match(own.body.detail, /was only forwarded and is not in the directory/);

    // Members by id need nothing that is erased.
    const moved = patch(
      { op: 'add', path: 'members', value: [{ value: eve }] },
      { op: 'remove', path: `members[value eq "${bob}"]` },
    );
    assert.equal((await door.feed('PATCH', `/Groups/${id}`, moved)).status, 204);
    await bed.rest();
    assert.deepEqual(there(), ['ada', 'eve']);
    const rename = await door.feed('PATCH', `/Groups/${id}`, patch({ op: 'replace', path: 'displayName', value: 'x' }));
    assert.equal(rename.status, 409);
    assert.match(rename.body.detail, /Only its members can still be changed by PATCH; .* whole group by PUT/);
    assert.equal((await door.feed('PUT', `/Groups/${id}`, group('crew', ada, bob))).status, 200);
    await bed.rest();
    assert.ok(bed.fake.groupNamed('crew'));
    assert.deepEqual(there(), ['ada', 'bob']);
    // Whoever is deleted leaves it.
    assert.equal((await door.feed('DELETE', `/Users/${ada}`)).status, 204);
    await bed.rest();
    assert.deepEqual(there(), ['bob']);
    assert.equal((await door.feed('DELETE', `/Groups/${id}`)).status, 204);
    await bed.rest();
    assert.equal(bed.fake.groups.size, 0);
    assert.deepEqual(bed.fake.faults, []);
    assert.deepEqual(await bed.store.read((r) => r.all(r.q.selectFrom('links').selectAll())), []);
  });

  it('says members to targets that take only whole groups, though nothing else is known', async () => {
    await using bed = await openEngineBed(database, { policy: limits, fake: { patch: false } });
    await using door = await openDoorBed(bed);
    const ada = (await door.feed('POST', '/Users', user('ada'))).body.id;
    const team = (await door.feed('POST', '/Groups', group('team'))).body.id;
    await bed.rest();
    await door.feed('PATCH', `/Groups/${team}`, patch({ op: 'add', path: 'members', value: [{ value: ada }] }));
    await bed.rest();
    assert.equal(bed.fake.groupNamed('team')?.members.size, 1);
    assert.deepEqual(bed.fake.faults, []);
  });

  it('makes by /Bulk what names each other in a circle, and keeps nothing of it', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await using door = await openDoorBed(bed);
    const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
    const person = (userName: string, manager: string) => ({
      schemas: [...userSchemas, enterprise],
      userName,
      [enterprise]: { manager: { value: manager } },
    });
    const done = await door.feed('POST', '/Bulk', {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'],
      Operations: [
        { method: 'POST', path: '/Users', bulkId: 'a', data: person('ada', 'bulkId:b') },
        { method: 'POST', path: '/Users', bulkId: 'b', data: person('bob', 'bulkId:a') },
        { method: 'POST', path: '/Groups', bulkId: 'g', data: group('team', 'bulkId:a', 'bulkId:b') },
      ],
    });
    assert.equal(done.status, 200, JSON.stringify(done.body));
    assert.deepEqual(
      done.body.Operations.map((one: { status: string }) => one.status),
      ['201', '201', '201'],
    );
    assert.equal((await door.console('GET', '/Users')).body.totalResults, 0);
    assert.equal((await door.console('GET', '/')).body.totalResults, 0);
    await bed.rest();
    assert.equal(bed.fake.users.size, 2);
    assert.equal(bed.fake.groupNamed('team')?.members.size, 2);
    assert.deepEqual(await bed.bodies(), { kept: [], lost: [] });
    assert.deepEqual(await bed.store.read((r) => r.all(r.q.selectFrom('refs').selectAll())), []);
    const managers = [...bed.fake.users.values()].map((held) => held[enterprise]);
    assert.ok(
      managers.every((held) => held !== undefined),
      'each names the other, who was on the way',
    );
  });

  it('refuses what would reach nobody', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await using door = await openDoorBed(bed);
    await bed.store.write((tx) => replaceBindings(tx, door.origin.spId, []));
    const refused = await door.feed('POST', '/Users', user('ada'));
    assert.equal(refused.status, 403);
    assert.match(refused.body.detail, /no enabled binding: it would reach nobody. Bind it to a target/);
    assert.equal((await door.console('POST', '/Users', user('ada'))).status, 201, 'others are not concerned');
  });
});
