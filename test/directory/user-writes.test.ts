import assert from 'node:assert/strict';
import { it } from 'node:test';
import { appendChange, countUnplanned, markPlanned, takeUnplanned, urgency } from '../../src/directory/changes.ts';
import { addDomain, ensureDomain, listDomains } from '../../src/directory/domains.ts';
import { hashPassword, preparePassword, verifyPassword } from '../../src/directory/passwords.ts';
import { listReferrers } from '../../src/directory/references.ts';
import { countSubjects, readPresent, readSubjects, spokenForBy } from '../../src/directory/subjects.ts';
import { createUser, deleteUser, patchUser, replaceUser } from '../../src/directory/users.ts';
import { enterpriseUserUrn } from '../../src/protocol/scim/schema.ts';
import { eachDatabase } from '../database.ts';
import { changesAfter, latestSeq, makeGroup, makeUser, origin, userBody, userPatch } from './directory-fixtures.ts';

eachDatabase('writing users', (bed) => {
  it('a creation appends its change, unplanned, in the same transaction', async () => {
    const store = await bed.open();
    const user = await makeUser(store, { userName: 'ada', emails: [{ value: 'ada@example.com' }], externalId: 'e1' });
    assert.deepEqual(
      { kind: user.kind, domain: user.domain, name: user.name, life: user.life, version: user.version },
      { kind: 'user', domain: 'PRIMARY', name: 'ada', life: 'live', version: 1 },
    );
    const changes = await store.write((tx) => takeUnplanned(tx, 10));
    assert.deepEqual(changes, [
      {
        seq: user.seq,
        subjectId: user.id,
        otherId: null,
        ...origin,
        at: user.createdAt,
        urgency: urgency.creation,
      },
    ]);
    const read = await store.read((reading) => readPresent(reading, 'user', user.id));
    assert.deepEqual(read, user);
    assert.deepEqual(
      await store.read((reading) => spokenForBy(reading, [user.id])),
      new Map([[user.id, [{ spId: 1, by: 'call' }]]]),
    );
    await store.write((tx) => markPlanned(tx, [user.seq]));
    assert.equal(await store.read(countUnplanned), 0);
  });

  it('what is thrown after the write undoes it and its change', async () => {
    const store = await bed.open();
    await assert.rejects(
      store.write(async (tx) => {
        await createUser(tx, userBody({ userName: 'ada' }), { origin });
        throw new Error('the door stumbled');
      }),
      /stumbled/,
    );
    assert.deepEqual(await store.read(countSubjects), { users: 0, groups: 0 });
    assert.equal(await store.read(countUnplanned), 0);
  });

  it('a userName is unique without case, in any script, and free again after deletion', async () => {
    const store = await bed.open();
    const user = await makeUser(store, { userName: 'Ægir.ΣΊΣΥΦΟΣ' });
    await assert.rejects(makeUser(store, { userName: 'ægir.σίσυφος' }), { code: 'uniqueness', field: 'userName' });
    await store.write((tx) => deleteUser(tx, user.id, { origin }));
    const again = await makeUser(store, { userName: 'ægir.σίσυφος' });
    assert.notEqual(again.id, user.id);
  });

  it('names outside PRIMARY carry their domain, and an unknown domain is refused', async () => {
    const store = await bed.open();
    await store.write((tx) => addDomain(tx, 'sales', 'The sales people'));
    assert.equal(await store.write((tx) => ensureDomain(tx, 'SALES')), 'unchanged');
    await assert.rejects(
      store.write((tx) => addDomain(tx, 'Sales')),
      { code: 'uniqueness', field: 'name' },
    );
    await assert.rejects(
      store.write((tx) => addDomain(tx, 'a/b')),
      { code: 'invalidValue', field: 'name' },
    );
    const domains = await store.read(listDomains);
    assert.deepEqual(
      domains.map((domain) => domain.name),
      ['PRIMARY', 'SALES'],
    );

    const inSales = await makeUser(store, { userName: 'sales/ada' });
    assert.deepEqual([inSales.domain, inSales.name, inSales.fullName], ['SALES', 'ada', 'SALES/ada']);
    assert.equal(inSales.attributes.userName, 'SALES/ada');
    const primary = await makeUser(store, { userName: 'PRIMARY/ada' });
    assert.deepEqual([primary.domain, primary.fullName], ['PRIMARY', 'ada']);
    const chosen = await store.write((tx) =>
      createUser(tx, userBody({ userName: 'eve' }), { origin, domain: 'SALES' }),
    );
    assert.equal(chosen.fullName, 'SALES/eve');
    for (const userName of ['NOWHERE/ada', '/ada', 'SALES/', 'PRIMARY/a/b', 'x'.repeat(256)]) {
      await assert.rejects(makeUser(store, { userName }), { code: 'invalidValue', field: 'userName' }, userName);
    }
    await assert.rejects(
      store.write((tx) => replaceUser(tx, inSales.id, userBody({ userName: 'ada2' }), { origin })),
      { code: 'mutability', field: 'userName' },
    );
    assert.deepEqual(await store.read(countSubjects), { users: 3, groups: 0 });
  });

  it('a write that changes nothing appends no change and leaves version and time', async () => {
    const store = await bed.open();
    const attributes = {
      userName: 'ada',
      active: true,
      emails: [{ value: 'a@x.org', type: 'work' }, { value: 'b@x.org' }],
    };
    const user = await makeUser(store, attributes);
    const seq = await latestSeq(store);
    const reordered = { ...attributes, emails: [...attributes.emails].reverse() };
    for (const body of [attributes, reordered]) {
      const after = await store.write((tx) => replaceUser(tx, user.id, userBody(body), { origin }));
      assert.deepEqual([after.version, after.modifiedAt, after.seq], [1, user.modifiedAt, user.seq]);
    }
    await store.write((tx) =>
      patchUser(tx, user.id, userPatch({ op: 'replace', path: 'active', value: true }), { origin }),
    );
    assert.deepEqual(await changesAfter(store, seq), []);
  });

  it('the urgency follows what changed: removal and disabling, security, the rest', async () => {
    const store = await bed.open();
    const user = await makeUser(store, { userName: 'ada' });
    const patch = (operation: object, passwordHash?: string) =>
      store.write((tx) =>
        patchUser(tx, user.id, userPatch(operation), {
          origin,
          ...(passwordHash === undefined ? {} : { passwordHash }),
        }),
      );
    const seq = await latestSeq(store);
    await patch({ op: 'replace', path: 'active', value: true });
    await patch({ op: 'replace', path: 'active', value: false });
    await patch({ op: 'replace', path: 'active', value: true });
    await patch({ op: 'replace', path: 'password', value: 'x' }, 'hash');
    await patch({ op: 'replace', value: { active: false, title: 'Gone' } }, 'hash2');
    await store.write((tx) => deleteUser(tx, user.id, { origin }));
    const graded = (await changesAfter(store, seq)).map(([, , grade]) => grade);
    assert.deepEqual(graded, [3, 0, 1, 1, 0, 0]);
  });

  it('urgent changes are taken first, each once, oldest first', async () => {
    const store = await bed.open();
    const users = [];
    for (const userName of ['a', 'b', 'c']) users.push(await makeUser(store, { userName }));
    const [a, b, c] = users;
    await store.write((tx) => deleteUser(tx, c!.id, { origin }));
    const taken = await store.write(async (tx) => {
      const changes = await takeUnplanned(tx, 2);
      await markPlanned(
        tx,
        changes.map((change) => change.seq),
      );
      return changes;
    });
    assert.deepEqual(
      taken.map((change) => [change.subjectId, change.urgency]),
      [
        [c!.id, 0],
        [a!.id, 2],
      ],
    );
    const rest = await store.write((tx) => takeUnplanned(tx, 9));
    assert.deepEqual(
      rest.map((change) => change.subjectId),
      [b!.id, c!.id],
    );
  });

  it('a deletion leaves a tombstone with id, kind, name and nothing else', async () => {
    const store = await bed.open();
    const boss = await makeUser(store, { userName: 'boss' });
    const user = await store.write((tx) =>
      createUser(
        tx,
        userBody({
          userName: 'ada',
          externalId: 'e1',
          displayName: 'Ada',
          emails: [{ value: 'a@x.org' }],
          [enterpriseUserUrn]: { manager: { value: boss.id } },
        }),
        { origin, passwordHash: 'hash' },
      ),
    );
    assert.deepEqual(await store.read((reading) => listReferrers(reading, [boss.id])), [
      { subjectId: user.id, refId: boss.id },
    ]);
    const group = await makeGroup(store, 'Team', [user.id, boss.id]);
    const seq = await latestSeq(store);
    await store.write((tx) => deleteUser(tx, user.id, { origin }));

    const gone = (await store.read((reading) => readSubjects(reading, [user.id]))).get(user.id)!;
    assert.deepEqual([gone.life, gone.fullName, gone.attributes], ['gone', 'ada', { userName: 'ada' }]);
    assert.deepEqual(await changesAfter(store, seq), [
      [user.id, null, 0],
      [group.id, user.id, 1],
    ]);
    const team = (await store.read((reading) => readPresent(reading, 'group', group.id)))!;
    assert.equal(team.version, 2);
    const left = await store.read(async (reading) => ({
      members: (await reading.all(reading.q.selectFrom('members').selectAll())).map((row) => ({ ...row })),
      keys: await reading.all(reading.q.selectFrom('subject_keys').selectAll()),
      refs: await reading.all(reading.q.selectFrom('refs').selectAll()),
      passwords: await reading.all(reading.q.selectFrom('passwords').selectAll()),
    }));
    assert.deepEqual(left, {
      members: [{ group_id: group.id, member_id: boss.id }],
      keys: [],
      refs: [],
      passwords: [],
    });
    await assert.rejects(
      store.write((tx) => deleteUser(tx, user.id, { origin })),
      { code: 'notFound' },
    );
    await assert.rejects(
      store.write((tx) => patchUser(tx, user.id, userPatch({ op: 'add', path: 'title', value: 'x' }), { origin })),
      { code: 'notFound' },
    );
  });

  it('references follow the manager, and only to users', async () => {
    const store = await bed.open();
    const [one, two, user] = [
      await makeUser(store, { userName: 'one' }),
      await makeUser(store, { userName: 'two' }),
      await makeUser(store, { userName: 'ada', [enterpriseUserUrn]: { manager: { value: 'nobody' } } }),
    ];
    const group = await makeGroup(store, 'Team');
    const referrers = () => store.read((reading) => listReferrers(reading, [one.id, two.id, group.id, 'nobody']));
    const setManager = (value: string) =>
      store.write((tx) =>
        patchUser(tx, user.id, userPatch({ op: 'add', path: `${enterpriseUserUrn}:manager`, value: { value } }), {
          origin,
        }),
      );
    assert.deepEqual(await referrers(), []);
    await setManager(one.id);
    assert.deepEqual(await referrers(), [{ subjectId: user.id, refId: one.id }]);
    await setManager(two.id);
    assert.deepEqual(await referrers(), [{ subjectId: user.id, refId: two.id }]);
    await setManager(group.id);
    assert.deepEqual(await referrers(), []);
  });

  it('a stale version is refused and nothing is written', async () => {
    const store = await bed.open();
    const user = await makeUser(store, { userName: 'ada' });
    await store.write((tx) => replaceUser(tx, user.id, userBody({ userName: 'ada', title: 'A' }), { origin }));
    const seq = await latestSeq(store);
    const stale = { origin, ifVersion: [1] };
    await assert.rejects(
      store.write((tx) => replaceUser(tx, user.id, userBody({ userName: 'ada', title: 'B' }), stale)),
      { code: 'preconditionFailed' },
    );
    await assert.rejects(
      store.write((tx) => deleteUser(tx, user.id, stale)),
      { code: 'preconditionFailed' },
    );
    assert.deepEqual(await changesAfter(store, seq), []);
  });

  it('sequences of one subject grow with commit order under concurrent writers', async () => {
    const store = await bed.open();
    const user = await makeUser(store, { userName: 'ada' });
    const committed: number[] = [];
    await Promise.all(
      Array.from({ length: 40 }, async (_, i) => {
        const seq = await store.write(async (tx) => {
          if (i % 2 === 0) {
            return appendChange(tx, { subjectId: user.id, origin, urgency: urgency.cosmetic });
          }
          const after = await patchUser(tx, user.id, userPatch({ op: 'replace', path: 'title', value: `title ${i}` }), {
            origin,
          });
          return after.seq;
        });
        committed.push(seq);
      }),
    );
    const after = (await store.read((reading) => readPresent(reading, 'user', user.id)))!;
    assert.equal(new Set(committed).size, 40);
    assert.equal(after.seq, Math.max(...committed));
    assert.equal(after.version, 21);
  });

  it('passwords are argon2id hashes; the same password again is no change', async () => {
    const store = await bed.open();
    const hash = await hashPassword('pässword');
    assert.match(hash, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    assert.equal(await verifyPassword(hash, 'pa\u0308ssword'), true);
    assert.equal(await verifyPassword(hash, 'password'), false);
    const user = await store.write((tx) =>
      createUser(tx, userBody({ userName: 'ada' }), { origin, passwordHash: hash }),
    );
    const read = store.read.bind(store);
    assert.equal(await preparePassword(read, 'pässword', user.id), undefined);
    const other = await preparePassword(read, 'other', user.id);
    assert.equal(await verifyPassword(other!, 'other'), true);
    await assert.rejects(preparePassword(read, ''), { code: 'invalidValue', field: 'password' });
  });
});
