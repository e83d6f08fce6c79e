import type { Command } from 'commander';
import { systemClock } from '../base/clock.ts';
import { openLog } from '../base/log.ts';
import { readConfig, storeFile } from '../config.ts';
import { CliError } from './client.ts';

/** `purvey migrate`: brings the database's schema up to date. `serve` does so too; this is for doing it apart. */
export function addMigrate(program: Command): void {
  program
    .command('migrate')
    .description("bring the database's schema up to date, without starting a server")
    .option('--data <folder>', 'data folder (PURVEY_DATA)')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  DATABASE_URL=postgres://purvey@db/purvey purvey migrate')
    .action(async (options: { data?: string; json?: boolean }) => {
      process.umask(0o077);
      const config = readConfig({ PURVEY_DATA: options.data });
      const { openStore } = await import('../store/open.ts');
      const { migrateStore } = await import('../store/migrate.ts');
      const { lockDatabaseFile } = await import('../store/lock.ts');
      const file = storeFile(config);
      try {
        const unlock = config.databaseUrl ? () => {} : lockDatabaseFile(file);
        const location = config.databaseUrl ? { url: config.databaseUrl.reveal() } : { file };
        const store = await openStore({ location, clock: systemClock(), log: openLog(config.log) });
        try {
          const steps = await migrateStore(store);
          if (options.json) process.stdout.write(`${JSON.stringify({ steps })}\n`);
          else if (steps.length === 0) process.stdout.write('the schema is up to date\n');
          else for (const step of steps) process.stdout.write(`${step} done\n`);
        } finally {
          await store.close();
          unlock();
        }
      } catch (error) {
        throw new CliError((error as Error).message);
      }
    });
}
