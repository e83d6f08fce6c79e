import { parseArgs } from 'node:util';
import type { DatabaseKind } from '../../database.ts';
import { describeFound, explore } from './explore.ts';

// `node test/engine/explorer/run.ts explore N [--database sqlite|postgres] [--seed S] [--enough K]`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    database: { type: 'string', default: 'sqlite' },
    seed: { type: 'string', default: '1' },
    enough: { type: 'string', default: '1' },
  },
});
const [what, count] = positionals;
if (what !== 'explore' || !(Number(count) > 0) || !['sqlite', 'postgres'].includes(values.database)) {
  console.error('usage: explore N [--database sqlite|postgres] [--seed S] [--enough K]');
  process.exit(2);
}

const started = performance.now();
const explored = await explore({
  count: Number(count),
  seed: Number(values.seed),
  database: values.database as DatabaseKind,
  enough: Number(values.enough),
  onProgress(schedules) {
    if (schedules % 1_000 === 0) console.log(`${schedules} schedules`);
  },
});
for (const found of explored.wrong) console.log(`${describeFound(found)}\n`);
const seconds = (performance.now() - started) / 1_000;
console.log(
  `${values.database}: ${explored.attempts} attempts, ${(explored.schedules / seconds).toFixed(0)} schedules a second`,
);
console.log(`explored ${explored.schedules} schedules, ${explored.wrong.length} wrong`);
process.exit(explored.wrong.length > 0 ? 1 : 0);
