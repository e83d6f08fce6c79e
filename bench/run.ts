import { availableParallelism, cpus, totalmem } from 'node:os';
import { benchConsole } from './console.ts';
import { benchGroup } from './group.ts';
import { benchIdle } from './idle.ts';
import { benchInbound } from './inbound.ts';
import { benchLatency } from './latency.ts';
import { benchMemory } from './memory.ts';
import { benchMillion, type Database } from './million.ts';
import { benchOAuth } from './oauth.ts';
import { benchOutbound } from './outbound.ts';
import { benchRules } from './rules.ts';
import { benchScim } from './scim.ts';

// `npm run bench -- NAME [--quick] [--database postgres]`: measures against a yardstick of the same run, or a mark, and ends with one line `NAME …`.

type Options = { quick: boolean; database: Database };

const benches: Record<string, { what: string; run: (options: Options) => Promise<string> }> = {
  outbound: { what: 'initial load of 20,000 users to a SCIM target, over a bare loop', run: benchOutbound },
  inbound: { what: 'SCIM requests per second at 16 connections, over scimmy-routers', run: benchInbound },
  latency: { what: 'from a change to its arrival at the target; leavers beside a waiting load', run: benchLatency },
  group: { what: 'one member added to a group of 100,000, over one of 100', run: benchGroup },
  idle: { what: 'what a server with 50 targets costs while nothing happens', run: benchIdle },
  scim: { what: 'filters and PATCH over npm packages, and pages of lists as the directory grows', run: benchScim },
  console: { what: 'first paint of the console in a real browser', run: benchConsole },
  oauth: { what: 'access tokens, and what looking at one costs a SCIM request', run: benchOAuth },
  rules: { what: 'decisions of the role template, over Cedar in WebAssembly', run: benchRules },
  memory: { what: 'memory and start with 100,000 users and 200,000 accounts', run: benchMemory },
  million: { what: 'what console, commands and SCIM ask, with a million users', run: benchMillion },
};

const args = process.argv.slice(2);
const quick = args.includes('--quick');
const onDatabase = args.indexOf('--database');
const database: Database = onDatabase >= 0 && args[onDatabase + 1] === 'postgres' ? 'postgres' : 'sqlite';
if (onDatabase >= 0) args.splice(onDatabase, 2);
const names = args.filter((arg) => !arg.startsWith('-'));
const strange = args.filter((arg) => (arg.startsWith('-') ? arg !== '--quick' : !Object.hasOwn(benches, arg)));
if (strange.length > 0 || names.length === 0) {
  if (strange.length > 0) console.error(`there is no ${strange.join(', ')}`);
  console.error(
    'npm run bench -- NAME [--quick]\n  --quick   a tenth of the size, to see that it runs\n  --database postgres   for million: not on SQLite',
  );
  for (const [name, { what }] of Object.entries(benches)) console.error(`  ${name.padEnd(9)} ${what}`);
  process.exit(2);
}

const { model } = cpus()[0] ?? { model: 'unknown processor' };
for (const name of names) {
  console.log(`${name}: ${benches[name]!.what}${quick ? ' (a tenth of it)' : ''}`);
  console.log(
    `machine: ${availableParallelism()} x ${model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GB, ${process.platform}, node ${process.versions.node}`,
  );
  console.log(await benches[name]!.run({ quick, database }));
}
