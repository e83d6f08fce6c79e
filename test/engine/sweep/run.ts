import { parseArgs } from 'node:util';
import type { DatabaseKind } from '../../database.ts';
import { openProgress, readWorkers, runCrew } from '../crew.ts';
import { type PlagueKind, plagueKinds } from './plague.ts';
import type { Order, Said } from './worker.ts';

// `node test/engine/sweep/run.ts faults [--database sqlite|postgres] [--every K] [--kind KIND] [--workers K] [--verbose]`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    database: { type: 'string', default: 'sqlite' },
    every: { type: 'string', default: '1' },
    kind: { type: 'string', multiple: true },
    workers: { type: 'string' },
    verbose: { type: 'boolean', default: false },
  },
});
const kinds = (values.kind ?? plagueKinds) as PlagueKind[];
const every = Number(values.every);
const workers = readWorkers(values.workers);
const known =
  positionals[0] === 'faults' &&
  ['sqlite', 'postgres'].includes(values.database) &&
  kinds.every((kind) => plagueKinds.includes(kind)) &&
  Number.isInteger(every) &&
  every > 0 &&
  workers !== undefined;
if (!known) {
  console.error('usage: faults [--database sqlite|postgres] [--every K] [--kind KIND] [--workers K]');
  console.error(`kinds: ${plagueKinds.join(' | ')}`);
  process.exit(2);
}

const database = values.database as DatabaseKind;
const started = performance.now();
const told = openProgress('faults');
const counts = new Map<string, number>(kinds.map((kind) => [kind, 0]));
const swept = { faults: 0, wrong: 0, planned: 0 };
await runCrew<Order, Said>(new URL('./worker.ts', import.meta.url), {
  workers,
  database,
  order: { database, every, kinds },
  onSaid(said) {
    if ('planned' in said) {
      swept.planned = said.planned;
      return;
    }
    const { plague, struck, faults } = said;
    if (values.verbose) console.log(`${plague.kind} ${plague.at}`);
    for (const fault of faults) console.log(`${plague.kind} at ${plague.at}: ${fault}`);
    if (faults.length > 0) swept.wrong += 1;
    if (!struck) return;
    swept.faults += 1;
    counts.set(plague.kind, counts.get(plague.kind)! + 1);
    told(swept.faults, swept.planned);
  },
});
for (const [kind, faults] of counts) console.log(`${String(faults).padStart(6)} times  ${kind}`);
const seconds = ((performance.now() - started) / 1_000).toFixed(0);
console.log(`${database}: ${seconds} s by ${workers} processes`);
console.log(`swept ${swept.faults} faults, ${swept.wrong} wrong`);
process.exit(swept.wrong > 0 ? 1 : 0);
