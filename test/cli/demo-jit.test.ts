import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { isAlive, openDemoBed, type Summary } from './demo-process.ts';

describe('the demo of people who sign in', () => {
  test('--jit --once --json prints one line, all is as it should be, and nothing is left running', async () => {
    using bed = openDemoBed();
    const { code, stdout, stderr } = await bed.run('--jit', '--once').ended;
    assert.equal(code, 0, stderr);
    assert.equal(stderr, '');
    assert.equal(stdout.split('\n').length, 2, 'one line');
    const { seconds, ...counts } = JSON.parse(stdout) as Summary;
    // Grace's account rests since Enable JIT was switched off; Heidi never had one.
    assert.deepEqual(counts, { users: 3, groups: 0, accounts: 2, done: 1, pending: 0, parked: 0, differences: 0 });
    assert.ok(seconds > 0);
    for (const name of ['acme', 'partner', 'training']) {
      const file = join(bed.folder, 'jit', name, 'purvey.db.lock.pid');
      assert.ok(!existsSync(file) || !isAlive(Number(readFileSync(file, 'utf8'))), `${name} still runs`);
    }
  });

  test('--jit is not resumed', async () => {
    using bed = openDemoBed();
    const { code, stderr } = await bed.run('--jit', '--resume').ended;
    assert.equal(code, 1);
    assert.match(stderr, /it starts anew each time/);
  });
});
