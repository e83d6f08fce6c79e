import { availableParallelism, cpus, totalmem } from 'node:os';
import { benchInbound } from './inbound.ts';
import { benchOutbound } from './outbound.ts';

// `npm run bench -- NAME [--quick]`: measures against a yardstick in the same run and ends with `NAME ratio R …`.

const benches: Record<string, { what: string; run: (options: { quick: boolean }) => Promise<string> }> = {
  outbound: { what: 'initial load of 20,000 users to a SCIM target, over a bare loop', run: benchOutbound },
  inbound: { what: 'SCIM requests per second at 16 connections, over scimmy-routers', run: benchInbound },
};

const args = process.argv.slice(2);
const quick = args.includes('--quick');
const names = args.filter((arg) => !arg.startsWith('-'));
const strange = args.filter((arg) => (arg.startsWith('-') ? arg !== '--quick' : !Object.hasOwn(benches, arg)));
if (strange.length > 0 || names.length === 0) {
  if (strange.length > 0) console.error(`there is no ${strange.join(', ')}`);
  console.error('npm run bench -- NAME [--quick]\n  --quick   a tenth of the size, to see that it runs');
  for (const [name, { what }] of Object.entries(benches)) console.error(`  ${name.padEnd(9)} ${what}`);
  process.exit(2);
}

const { model } = cpus()[0] ?? { model: 'unknown processor' };
for (const name of names) {
  console.log(`${name}: ${benches[name]!.what}${quick ? ' (a tenth of it)' : ''}`);
  console.log(
    `machine: ${availableParallelism()} x ${model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GB, ${process.platform}, node ${process.versions.node}`,
  );
  console.log(await benches[name]!.run({ quick }));
}
