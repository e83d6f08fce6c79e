import { parseArgs } from 'node:util';
import type { DatabaseKind } from '../../database.ts';
import { type PlagueKind, plagueKinds } from './plague.ts';
import { sweepFaults } from './sweep.ts';

// `node test/engine/sweep/run.ts faults [--database sqlite|postgres] [--every K] [--kind KIND] [--verbose]`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    database: { type: 'string', default: 'sqlite' },
    every: { type: 'string', default: '1' },
    kind: { type: 'string', multiple: true },
    verbose: { type: 'boolean', default: false },
  },
});
const kinds = (values.kind ?? plagueKinds) as PlagueKind[];
const known = ['sqlite', 'postgres'].includes(values.database) && kinds.every((kind) => plagueKinds.includes(kind));
if (positionals[0] !== 'faults' || !known) {
  console.error(
    `usage: faults [--database sqlite|postgres] [--every K] [--kind KIND]\nkinds: ${plagueKinds.join(', ')}`,
  );
  process.exit(2);
}

const started = performance.now();
const counts = new Map<string, number>();
const swept = await sweepFaults({
  database: values.database as DatabaseKind,
  every: Number(values.every),
  kinds,
  onRun({ kind, at }, faults) {
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
    if (values.verbose) console.log(`${kind} ${at}`);
    for (const fault of faults) console.log(`${kind} at ${at}: ${fault}`);
  },
});
for (const [kind, runs] of counts) console.log(`${String(runs).padStart(6)} runs  ${kind}`);
console.log(`${values.database}: ${((performance.now() - started) / 1_000).toFixed(0)} s`);
console.log(`swept ${swept.faults} faults, ${swept.wrong.length} wrong`);
process.exit(swept.wrong.length > 0 ? 1 : 0);
