import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import { startPostgres } from '../test/postgres.ts';
import { bindTargets } from './population.ts';
import { makeDataFolder, readUsage, removeFolder, startProcess, startPurveyProcess } from './processes.ts';

const targets = 50;
/** PostgreSQL counts what an idle connection did at last after ten seconds. */
const warmUpMs = 12_000;

/**
 * What a server costs while nothing happens: processor time of its main thread, with 50 bound targets, on each database;
 * on PostgreSQL also the transactions that the database counts.
 */
export async function benchIdle({ quick }: { quick: boolean }): Promise<string> {
  const seconds = quick ? 3 : 10;
  const target = await startProcess('./null-target.ts');
  const postgres = await startPostgres();
  const folders: string[] = [];
  const results: string[] = [];
  try {
    for (const database of ['sqlite', 'postgres'] as const) {
      const data = makeDataFolder();
      folders.push(data);
      const purvey = await startPurveyProcess({
        data,
        ...(database === 'postgres' ? { databaseUrl: postgres.url } : {}),
      });
      try {
        await bindTargets(
          purvey,
          target,
          Array.from({ length: targets }, (_, n) => `partner${n}`),
        );
        await wait(warmUpMs);
        const before = readUsage(purvey.pid).cpuSeconds;
        const commits = database === 'postgres' ? await countCommits(postgres.url) : 0;
        await wait(seconds * 1_000);
        const used = (readUsage(purvey.pid).cpuSeconds - before) / seconds;
        const perSecond =
          database === 'postgres' ? ((await countCommits(postgres.url)) - commits) / seconds : undefined;
        const transactions = perSecond === undefined ? '' : `, ${perSecond.toFixed(1)} transactions/s`;
        results.push(`${database} ${(used * 1_000).toFixed(1)} ms of processor time a second${transactions}`);
      } finally {
        await purvey.stop();
      }
    }
  } finally {
    await postgres.stop();
    await target.stop();
    for (const folder of folders) removeFolder(folder);
  }
  return `idle with ${targets} targets: ${results.join('; ')}`;
}

async function countCommits(url: string): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    // What other sessions did is counted a moment later.
    const { rows } = await client.query(
      'select xact_commit + xact_rollback as n from pg_stat_database where datname = current_database()',
    );
    return Number(rows[0].n);
  } finally {
    await client.end();
  }
}
