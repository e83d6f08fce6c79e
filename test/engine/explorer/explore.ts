import type { DatabaseKind } from '../../database.ts';
import { type Ground, openGround } from './ground.ts';
import { describeStep, makeSchedule, type Schedule, type Step } from './schedule.ts';
import { type Outcome, runSchedule } from './world.ts';

export type Explored = { schedules: number; attempts: number; wrong: Found[] };
export type Found = { schedule: Schedule; outcome: Outcome };

/** Runs `count` schedules, from `seed` on every `step`-th; each that comes out wrong is made as short as it goes. */
export async function explore(options: {
  count: number;
  seed: number;
  /** Default 1. */
  step?: number;
  database: DatabaseKind;
  /** Stops after this many wrong ones. Default 1. */
  enough?: number;
  onSchedule?: (attempts: number) => void;
  /** A schedule came out wrong; it takes a while until it is short. */
  onWrong?: (schedule: Schedule) => void;
  onFound?: (found: Found) => void;
  /** Asked before each schedule. */
  isStopped?: () => boolean;
}): Promise<Explored> {
  const { count, seed, step = 1, database, enough = 1 } = options;
  const ground = await openGround(database);
  const explored: Explored = { schedules: 0, attempts: 0, wrong: [] };
  try {
    for (let n = 0; n < count && explored.wrong.length < enough && !options.isStopped?.(); n++) {
      const schedule = makeSchedule(seed + n * step, { concurrent: database === 'postgres' });
      const outcome = await runSchedule(ground, schedule);
      explored.schedules += 1;
      explored.attempts += outcome.attempts;
      options.onSchedule?.(outcome.attempts);
      if (outcome.faults.length === 0) continue;
      options.onWrong?.(schedule);
      const found = await shorten(ground, { schedule, outcome });
      explored.wrong.push(found);
      options.onFound?.(found);
    }
  } finally {
    await ground.close();
  }
  return explored;
}

/** Drops steps as long as it still comes out wrong: first long runs, then one by one. */
async function shorten(ground: Ground, found: Found): Promise<Found> {
  let shortest = found;
  for (let size = Math.ceil(found.schedule.steps.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < shortest.schedule.steps.length; ) {
      const steps: Step[] = [...shortest.schedule.steps];
      steps.splice(from, size);
      const schedule = { ...shortest.schedule, steps };
      const outcome = await runSchedule(ground, schedule);
      if (outcome.faults.length > 0) shortest = { schedule, outcome };
      else from += size;
    }
  }
  return shortest;
}

export function describeFound({ schedule, outcome }: Found): string {
  return [
    `seed ${schedule.seed} comes out wrong:`,
    ...outcome.faults.map((fault) => `  ! ${fault}`),
    `setting: ${JSON.stringify(schedule.setting)}`,
    'the shortest schedule that does:',
    ...schedule.steps.map((step) => `  ${describeStep(step)}`),
    'what happened:',
    ...outcome.trace.map((line) => `  ${line}`),
  ].join('\n');
}
