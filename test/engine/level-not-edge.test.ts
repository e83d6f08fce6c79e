import assert from 'node:assert/strict';
import { it } from 'node:test';
import { eachDatabase } from '../database.ts';
import { openEngineBed } from './bed.ts';

eachDatabase('level, not edge', (database) => {
  it('carries a creation, a change and a removal out', async () => {
    await using bed = await openEngineBed(database);
    await bed.start();
    const ada = await bed.addUser('ada', { title: 'Analyst' });
    const bob = await bed.addUser('bob');
    await bed.rest();
    await bed.assertAgrees();
    assert.equal(bed.fake.users.size, 2);

    await bed.changeUser(ada, 'ada', { title: 'Engineer' });
    await bed.rest();
    await bed.assertAgrees();
    const patch = bed.fake.requests.findLast((request) => request.method === 'PATCH');
    assert.deepEqual((patch?.body as { Operations: unknown } | undefined)?.Operations, [
      { op: 'replace', path: 'title', value: 'Engineer' },
    ]);

    await bed.removeUser(bob);
    await bed.rest();
    await bed.assertAgrees();
    assert.equal(await bed.account(bob), undefined, 'nothing is left to say about a leaver');
  });

  it('sends only what is, not what was on the way', async () => {
    await using bed = await openEngineBed(database);
    const ada = await bed.addUser('ada', { title: 'one' });
    await bed.changeUser(ada, 'ada', { title: 'two' });
    await bed.changeUser(ada, 'ada', { title: 'three' });
    const gone = await bed.addUser('gone');
    await bed.removeUser(gone);
    await bed.start();
    await bed.rest();
    await bed.assertAgrees();
    const writes = bed.fake.requests.filter((request) => request.method !== 'GET');
    assert.deepEqual(
      writes.map((request) => `${request.method} ${(request.body as { title: string }).title}`),
      ['POST three'],
    );
  });

  it('says nothing when a change leaves the target as it should be', async () => {
    await using bed = await openEngineBed(database);
    await bed.start();
    const ada = await bed.addUser('ada', { title: 'one' });
    await bed.rest();
    const before = bed.fake.requests.length;
    await bed.stop();
    await bed.changeUser(ada, 'ada', { title: 'two' });
    await bed.changeUser(ada, 'ada', { title: 'one' });
    await bed.start();
    await bed.rest();
    assert.equal(bed.fake.requests.filter((request) => request.n > before && request.on === 'users').length, 0);
    assert.equal((await bed.attempts(ada)).at(-1)?.operation, 'none');
  });

  it('gives a manager as the remote id, also when the manager comes later', async () => {
    await using bed = await openEngineBed(database);
    const boss = await bed.addUser('boss');
    const urn = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
    // Everybody's manager is somebody who is refused at first.
    const refusal = bed.fake.misbehave({
      when: { method: 'POST', that: (request) => (request.body as { userName: string }).userName === 'boss' },
      times: 1,
      act: { kind: 'answer', status: 503, headers: { 'retry-after': '30' }, body: {} },
    });
    const ada = await bed.addUser('ada', { [urn]: { manager: { value: boss } } });
    await bed.start();
    await bed.rest();
    assert.equal(refusal.hits, 1);
    const bossId = (await bed.account(boss))?.remote_id;
    const held = bed.fake.userNamed('ada') as { [key: string]: { manager?: { value: string } } } | undefined;
    assert.equal(held?.[urn]?.manager?.value, bossId);
    assert.equal((await bed.account(ada))?.state, 'done');
    await bed.assertAgrees();
  });
});
