import { CompiledQuery } from 'kysely';
import type { Dialect } from './dialect.ts';
import { spine } from './migrations/0001-spine.ts';
import { trusted } from './migrations/0002-trusted.ts';
import { rules } from './migrations/0003-rules.ts';
import { extensions } from './migrations/0004-extensions.ts';
import { groupModes } from './migrations/0005-group-modes.ts';
import { forwardOnly } from './migrations/0006-forward-only.ts';
import { sessions } from './migrations/0007-sessions.ts';
import { policyRows } from './migrations/0008-policy-rows.ts';
import { decisions } from './migrations/0009-decisions.ts';
import { oauth } from './migrations/0010-oauth.ts';
import { federation } from './migrations/0011-federation.ts';
import { justInTime } from './migrations/0012-just-in-time.ts';
import { serviceProviderSettings } from './migrations/0013-service-provider-settings.ts';
import { keyRotation } from './migrations/0014-key-rotation.ts';
import { signInLocks } from './migrations/0015-sign-in-locks.ts';
import { requestedClaims } from './migrations/0016-requested-claims.ts';
import { signInLinks } from './migrations/0017-sign-in-links.ts';
import { signOut } from './migrations/0018-sign-out.ts';
import { manyAccounts } from './migrations/0019-many-accounts.ts';
import type { Migration } from './migrations/migration.ts';
import type { Store, Tx } from './store.ts';

const migrations: readonly Migration[] = [
  spine,
  trusted,
  rules,
  extensions,
  groupModes,
  forwardOnly,
  sessions,
  policyRows,
  decisions,
  oauth,
  federation,
  justInTime,
  serviceProviderSettings,
  keyRotation,
  signInLocks,
  requestedClaims,
  signInLinks,
  signOut,
  manyAccounts,
];

/**
 * Brings the schema up to date and answers with the names of the steps it took; none when it was. Safe to run from
 * many nodes at once: they stand in line. A database from a later version is refused.
 */
export async function migrateStore(store: Store): Promise<string[]> {
  return store.write(async (tx) => {
    if (tx.dialect.capabilities.manyNodes) await execute(tx, `select pg_advisory_xact_lock(7283519)`);
    await execute(tx, 'create table if not exists migrations (name $text primary key, at $int not null)');
    const rows = (await execute(tx, 'select name from migrations')) as { name: string }[];
    const known = new Set(rows.map((row) => row.name));
    const unknown = [...known].filter((name) => !migrations.some((migration) => migration.name === name));
    if (unknown.length > 0) {
      throw new Error(
        `the database was written by a later version of Purvey (it has ${unknown.join(', ')}): start that version, or restore a backup`,
      );
    }
    const taken: string[] = [];
    for (const migration of migrations) {
      if (known.has(migration.name)) continue;
      for (const statement of migration.statements) await execute(tx, statement);
      await execute(tx, `insert into migrations (name, at) values ('${migration.name}', ${Math.floor(tx.now)})`);
      taken.push(migration.name);
    }
    return taken;
  });
}

function execute(tx: Tx, text: string): Promise<unknown[]> {
  const statement = CompiledQuery.raw(withColumnTypes(text, tx.dialect));
  return tx.all({ compile: () => statement });
}

/** Puts the database's own column types where a migration says `$id`, `$int`, `$text`, `$json` or `$rowless`. */
function withColumnTypes(text: string, dialect: Dialect): string {
  return text.replace(/\$(id|int|text|json|rowless)\b/g, (name) => dialect.columns[name as keyof Dialect['columns']]);
}
