import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { eachDatabase } from '../database.ts';

const program = new URL('./write-until-killed.ts', import.meta.url).pathname;

eachDatabase('kill -9', (bed) => {
  test('every write that was resolved before the kill is there after it, whole', { timeout: 60_000 }, async () => {
    const store = await bed.open();
    const location = bed.locationOf(store);
    await store.close();

    let promised = -1;
    for (let round = 0; round < 3; round++) {
      const child = spawn(process.execPath, [program, JSON.stringify(location), String(round * 1_000_000)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let said = '';
      child.stdout.on('data', (chunk) => {
        said += chunk;
      });
      while (said.split('\n').length < 200) await once(child.stdout, 'data');
      child.kill('SIGKILL');
      await once(child, 'close');
      // Only whole lines were said.
      promised = said.slice(0, said.lastIndexOf('\n')).split('\n').length;

      const after = await bed.openAgain(store);
      const rows = await after.read((r) =>
        r.all(
          r.q
            .selectFrom('members')
            .select('member_id')
            .where('group_id', '=', `round ${round * 1_000_000}`),
        ),
      );
      const stored = new Set(rows.map((row) => row.member_id));
      for (let i = 0; i < promised; i++) {
        assert.ok(stored.has(`${i}a`) && stored.has(`${i}b`), `write ${i} of round ${round} is lost`);
      }
      for (const id of stored) {
        assert.ok(
          stored.has(`${id.slice(0, -1)}a`) && stored.has(`${id.slice(0, -1)}b`),
          `half of write ${id} is stored`,
        );
      }
      await after.close();
    }
    assert.ok(promised > 100);
  });
});
