import { writeSync } from 'node:fs';
import { systemClock } from '../../src/base/clock.ts';
import { openLog } from '../../src/base/log.ts';
import { openStore } from '../../src/store/open.ts';

// The process that `kill-loses-no-resolved-write.test.ts` kills: writes pairs of rows, eight at a time, and prints a
// line for each write once it is resolved. Lines are said in the order of the writes.
const store = await openStore({ location: JSON.parse(process.argv[2]!), clock: systemClock(), log: openLog('error') });
const group = `round ${process.argv[3]}`;
for (let next = 0; ; next += 8) {
  const writes = Array.from({ length: 8 }, (_, i) =>
    store.write((tx) =>
      tx.all(
        tx.q.insertInto('members').values([
          { group_id: group, member_id: `${next + i}a` },
          { group_id: group, member_id: `${next + i}b` },
        ]),
      ),
    ),
  );
  for (const [i, write] of writes.entries()) {
    await write;
    writeSync(1, `${next + i}\n`);
  }
}
