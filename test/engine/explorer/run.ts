import { parseArgs } from 'node:util';
import type { DatabaseKind } from '../../database.ts';
import { openProgress, readWorkers, runCrew } from '../crew.ts';
import type { Order, Said } from './worker.ts';

// `node test/engine/explorer/run.ts explore N [--database sqlite|postgres] [--seed S] [--enough W] [--workers K]`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    database: { type: 'string', default: 'sqlite' },
    seed: { type: 'string', default: '1' },
    enough: { type: 'string', default: '1' },
    workers: { type: 'string' },
  },
});
const [what, given] = positionals;
const [count, seed, enough] = [given, values.seed, values.enough].map(Number) as [number, number, number];
const workers = readWorkers(values.workers);
const known =
  what === 'explore' &&
  [count, enough].every((number) => Number.isInteger(number) && number > 0) &&
  Number.isInteger(seed) &&
  workers !== undefined &&
  ['sqlite', 'postgres'].includes(values.database);
if (!known) {
  console.error('usage: explore N [--seed S] [--database sqlite|postgres] [--workers K] [--enough W]');
  console.error('N schedules by K processes (default: as many as processors); ends at the W-th wrong one (default 1)');
  process.exit(2);
}

const database = values.database as DatabaseKind;
const started = performance.now();
const told = openProgress('schedules');
const explored = { schedules: 0, attempts: 0, wrong: 0 };
await runCrew<Order, Said>(new URL('./worker.ts', import.meta.url), {
  workers: Math.min(workers, count),
  database,
  order: { count, seed, database, enough },
  onSaid(said, stop) {
    if ('schedules' in said) {
      explored.schedules += said.schedules;
      explored.attempts += said.attempts;
      told(explored.schedules, count);
    } else if ('wrong' in said) {
      explored.wrong += 1;
      console.log(`seed ${said.wrong} comes out wrong; looking for its shortest schedule`);
      if (explored.wrong >= enough) stop();
    } else {
      console.log(`${said.found}\n`);
    }
  },
});
const seconds = (performance.now() - started) / 1_000;
const rate = (explored.schedules / seconds).toFixed(0);
console.log(
  `${database}: ${explored.attempts} attempts in ${seconds.toFixed(0)} s by ${workers} processes, ${rate} schedules a second`,
);
console.log(`explored ${explored.schedules} schedules, ${explored.wrong} wrong`);
process.exit(explored.wrong > 0 ? 1 : 0);
