import assert from 'node:assert/strict';
import { it } from 'node:test';
import { readSubjects } from '../../src/directory/subjects.ts';
import { replaceBindings } from '../../src/provisioning/service-providers.ts';
import { readTarget } from '../../src/provisioning/targets.ts';
import { readWhyHere } from '../../src/provisioning/why-here.ts';
import { eachDatabase } from '../database.ts';
import { resetTarget } from './another-target.ts';
import { type EngineBed, openEngineBed } from './bed.ts';

// Engine rule 20, told to whoever asks: who let an account in, and what holds it now.

const limits = { timeoutMs: 1_000, settleMs: 200 };

async function why(bed: EngineBed, subjectId: string) {
  const account = (await bed.account(subjectId))!;
  return bed.store.read(async (reading) => {
    const subject = (await readSubjects(reading, [subjectId])).get(subjectId);
    return readWhyHere(reading, await readTarget(reading, bed.targetId), account, subject);
  });
}

eachDatabase('why somebody is at a target', (database) => {
  it('names the binding as it is now, who else holds the account, and whether the scope does', async () => {
    await using bed = await openEngineBed(database, { policy: limits });
    await bed.start();
    const ada = await bed.addUser('ada');
    await bed.rest();
    await bed.stop();
    assert.match((await why(bed, ada)).sentence, /^resident, by its binding to partner:SCIM2, since change \d+$/);

    const bind = (spId: number, enabled: boolean[]) =>
      bed.store.write((tx) =>
        replaceBindings(
          tx,
          spId,
          enabled.map((one) => ({ target: bed.targetId, enabled: one })),
        ),
      );
    await bind(bed.resident.spId, [false]);
    const off = await why(bed, ada);
    assert.deepEqual([off.binding, off.heldBy], ['disabled', []]);
    assert.match(off.sentence, /switched off now.*so it rests$/);
    await bind(bed.resident.spId, []);
    assert.equal((await why(bed, ada)).binding, 'gone');

    await bind(bed.stranger.spId, [true]);
    await bed.changeUser(ada, 'ada', { title: 'x' }, bed.stranger);
    const other = await why(bed, ada);
    assert.deepEqual([other.serviceProvider, other.heldBy], ['resident', ['stranger']]);
    assert.match(other.sentence, /a binding to partner:SCIM2 that is gone now.*held now by stranger$/);

    await resetTarget(bed, { policy: { ...limits, scopeUsers: 'title eq "y"' } });
    const outside = await why(bed, ada);
    assert.equal(outside.inScope, false);
    assert.match(outside.sentence, /outside the scope now$/);
    await bed.store.write((tx) => tx.all(tx.q.deleteFrom('changes')));
    const forgotten = await why(bed, ada);
    assert.equal(forgotten.since, null);
    assert.match(forgotten.sentence, /before the change log begins/);
  });
});
