import { systemClock } from '../../src/base/clock.ts';
import { openLog } from '../../src/base/log.ts';
import { migrateStore } from '../../src/store/migrate.ts';
import { openStore } from '../../src/store/open.ts';

// One process of `migrations.test.ts`: migrates the database it is given and prints the steps it took.
const store = await openStore({ location: JSON.parse(process.argv[2]!), clock: systemClock(), log: openLog('error') });
console.log(JSON.stringify(await migrateStore(store)));
await store.close();
