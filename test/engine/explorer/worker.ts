import type { DatabaseKind } from '../../database.ts';
import { openShift } from '../crew.ts';
import { describeFound, explore } from './explore.ts';

export type Order = { count: number; seed: number; database: DatabaseKind; enough: number };
/** `wrong` comes as soon as a schedule came out wrong, `found` when it is as short as it goes. */
export type Said = { schedules: number; attempts: number } | { wrong: number } | { found: string };

const shift = openShift<Order, Said>();
const { count, seed, database, enough, share } = shift.order;
await explore({
  count: Math.ceil((count - share.nth) / share.of),
  seed: seed + share.nth,
  step: share.of,
  database,
  enough,
  onSchedule: (attempts) => shift.say({ schedules: 1, attempts }),
  onWrong: (schedule) => shift.say({ wrong: schedule.seed }),
  onFound: (found) => shift.say({ found: describeFound(found) }),
  isStopped: () => shift.stopped,
});
shift.end();
