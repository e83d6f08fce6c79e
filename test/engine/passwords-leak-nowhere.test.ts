import assert from 'node:assert/strict';
import { it } from 'node:test';
import { inspect } from 'node:util';
import { openLog } from '../../src/base/log.ts';
import { connectorKinds } from '../../src/connectors/index.ts';
import { openOutbound } from '../../src/outbound/request.ts';
import { startEngine } from '../../src/provisioning/engine.ts';
import { eachDatabase } from '../database.ts';
import { readAllText } from './all-text.ts';
import { openEngineBed } from './bed.ts';

eachDatabase('passwords leak nowhere', (database) => {
  it('no table and no log holds one, whatever the target answers', async () => {
    const words = ['Ada"s \\ clear/pässword 1', 'bob-secret-&-word=2', 'cyd secret three'];
    const [first, second, third] = words as [string, string, string];
    // It echoes what it was sent, as chatty targets do.
    const judgePassword = (password: string) => (password === third ? `"${password}" will not do` : undefined);
    await using bed = await openEngineBed(database, {
      policy: { timeoutMs: 1_000, settleMs: 500 },
      fake: { judgePassword },
      settings: { 'scim2-default-pwd': 'the default secret' },
    });
    const logged: unknown[] = [];
    const log = openLog('silent');
    for (const level of ['debug', 'info', 'warn', 'error'] as const) {
      log[level] = ((...what: unknown[]) => void logged.push(...what)) as never;
    }
    log.isLevelEnabled = () => true;
    const { store, clock, key } = bed;
    const outbound = openOutbound({ clock, log });
    const engine = await startEngine({ store, clock, log, outbound, kinds: connectorKinds, key });
    const ids = [
      await bed.addUser('ada', { password: first }),
      await bed.addUser('bob', { password: second }),
      await bed.addUser('cyd', { password: third }),
      await bed.addUser('dee'),
    ];
    const look = async (when: string) => {
      const texts = { tables: await readAllText(store), log: inspect(logged, { depth: 12, maxStringLength: null }) };
      for (const [where, text] of Object.entries(texts)) {
        for (const word of [...words, 'the default secret']) {
          const forms = [word, JSON.stringify(word).slice(1, -1), encodeURIComponent(word)];
          for (const form of [...forms, JSON.stringify(forms[1]).slice(1, -1), Buffer.from(word).toString('base64')]) {
            assert.ok(!text.includes(form), `a password is in the ${where}, ${when}`);
          }
        }
      }
    };
    await look('before anything was sent');
    await bed.rest();
    const holds = (word: string) => (request: { body: unknown }) =>
      JSON.stringify(request.body ?? '').includes(JSON.stringify(word).slice(1, -1));
    const echo = { kind: 'answer', status: 500, body: { detail: `could not set ${first}` } } as const;
    bed.fake.misbehave({ when: { method: 'PATCH', that: holds(first) }, act: echo });
    bed.fake.misbehave({ when: { method: 'PATCH', that: holds(second) }, act: { kind: 'half', applied: true } });
    await bed.changeUser(ids[0]!, 'ada', { password: second });
    await bed.changeUser(ids[1]!, 'bob', { password: third });
    await bed.changeUser(ids[3]!, 'dee', { password: first });
    await look('while they are sent');
    await bed.rest();
    await look('at rest');
    assert.equal(bed.fake.passwordOf('ada'), second);
    assert.equal(bed.fake.passwordOf('dee'), first);
    const refused = (await bed.accounts()).filter((row) => row.pw_note?.startsWith('password refused'));
    assert.deepEqual(refused.map((row) => row.subject_id).sort(), [ids[1], ids[2]].sort());
    assert.ok(refused.every((row) => row.pw_note?.includes('will not do')));
    assert.ok(logged.length > 0, 'something was logged');
    let stopped = false;
    void engine.stop().then(() => {
      stopped = true;
    });
    await clock.runUntil(() => stopped);
    await outbound.close();
  });
});
