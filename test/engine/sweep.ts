/**
 * `npm run sweep -- explore N` runs N random schedules, `npm run sweep -- faults` every single fault; each takes the
 * options its own file names (`explorer/run.ts`, `sweep/run.ts`).
 */
const parts: Record<string, string> = { explore: './explorer/run.ts', faults: './sweep/run.ts' };

const part = parts[process.argv[2] ?? ''];
if (part === undefined) {
  console.error('usage: npm run sweep -- explore N [--seed S] [--database sqlite|postgres] [--workers K] [--enough W]');
  console.error('       npm run sweep -- faults [--every K] [--kind KIND] [--database sqlite|postgres] [--workers K]');
  process.exit(2);
}
await import(part);
