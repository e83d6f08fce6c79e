import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type DemoBed, isAlive, openDemoBed, waitUntil } from './demo-process.ts';
import { assertResumes, people, waitForUsers } from './demo-resumed.ts';

/** The demo and both servers, at one moment. */
function killAll(bed: DemoBed, demo: { child: { pid?: number | undefined } }): void {
  for (const pid of [demo.child.pid!, ...bed.serverPids()]) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
}

describe('kill -9 of the demo and its servers, then --resume', () => {
  test('while people are being loaded, again while they are, and while changes are made', async () => {
    using bed = openDemoBed();
    const first = bed.run('--people', String(people));
    await waitUntil('loading', () => bed.stage() === 'loading');
    await waitForUsers(bed, 'acme', (count) => count > 20);
    killAll(bed, first);
    await first.ended;
    assert.equal(bed.stage(), 'loading');

    const second = bed.run('--resume');
    await waitForUsers(bed, 'partner', (count) => count > 60);
    killAll(bed, second);
    await second.ended;
    assert.equal(bed.stage(), 'loading');

    const third = bed.run('--resume');
    await waitUntil('changing', () => bed.stage() === 'changing');
    await waitForUsers(bed, 'acme', (count) => count > 0 && count < people);
    killAll(bed, third);
    await third.ended;
    assert.equal(bed.stage(), 'changing');
    await assertResumes(bed);
  });

  test('before anything is loaded', async () => {
    using bed = openDemoBed();
    const first = bed.run('--people', String(people));
    await waitUntil('it has begun', () => bed.stage() !== undefined);
    killAll(bed, first);
    await first.ended;
    await assertResumes(bed);
  });
});
