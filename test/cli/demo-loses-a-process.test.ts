import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive, openDemoBed, waitUntil } from './demo-process.ts';
import { assertResumes, people, waitForUsers } from './demo-resumed.ts';

describe('kill -9 of one process of the demo, then --resume', () => {
  test('the demo, while it makes changes: its servers end by themselves', async () => {
    using bed = openDemoBed();
    const first = bed.run('--people', String(people));
    await waitUntil('changing', () => ['changing', 'done'].includes(bed.stage() ?? ''));
    await sleep(60);
    const servers = bed.serverPids();
    process.kill(first.child.pid!, 'SIGKILL');
    await first.ended;
    // They may be just ending when the next one starts: it waits for them.
    await assertResumes(bed);
    assert.deepEqual(servers.filter(isAlive), []);
  });

  test('Partner, then Acme, while Acme delivers: the demo ends and stops the other one', async () => {
    using bed = openDemoBed();
    const first = bed.run('--people', String(people));
    await waitForUsers(bed, 'partner', (count) => count > 30);
    process.kill(bed.serverPids()[1]!, 'SIGKILL');
    assert.equal((await first.ended).code, 1);
    const second = bed.run('--resume');
    await waitForUsers(bed, 'partner', (count) => count > 100);
    process.kill(bed.serverPids()[0]!, 'SIGKILL');
    assert.equal((await second.ended).code, 1);
    await assertResumes(bed);
  });
});
