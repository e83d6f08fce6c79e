import { sql } from 'kysely';
import { Problem } from '../base/problem.ts';
import { prepare, type Reading, type Tx } from '../store/store.ts';

/** The user store domain that names without a prefix are in. */
export const primaryDomain = 'PRIMARY';

export type UserStoreDomain = { name: string; description: string | null };

const form = /^[A-Z0-9][A-Z0-9._-]{0,63}$/;

/** All domains, by name. */
export async function listDomains(reading: Reading): Promise<UserStoreDomain[]> {
  return reading.all(reading.q.selectFrom('user_store_domains').selectAll().orderBy('name'));
}

/**
 * Makes a domain unless it is there, and answers whether it was made. Names are in upper case whatever the caller
 * wrote: letters, digits, dot, hyphen and underscore. Throws `Problem('invalidValue')` for any other name.
 */
export async function ensureDomain(tx: Tx, name: string, description?: string): Promise<'created' | 'unchanged'> {
  const upper = name.toUpperCase();
  if (!form.test(upper)) {
    throw new Problem(
      'invalidValue',
      `"${name.slice(0, 100)}" cannot name a user store domain: use 1 to 64 letters, digits, dots, hyphens and underscores.`,
      { field: 'name' },
    );
  }
  const made = await tx.all<{ name: string }>(
    tx.q
      .insertInto('user_store_domains')
      .values({ name: upper, description: description ?? null })
      .onConflict((conflict) => conflict.doNothing())
      .returning('name'),
  );
  return made.length > 0 ? 'created' : 'unchanged';
}

/** Makes a domain. Throws `Problem('uniqueness')` when there is one of that name, `Problem('invalidValue')` for a bad name. */
export async function addDomain(tx: Tx, name: string, description?: string): Promise<void> {
  if ((await ensureDomain(tx, name, description)) === 'created') return;
  throw new Problem('uniqueness', `There is a user store domain "${name.toUpperCase()}" already.`, { field: 'name' });
}

const find = prepare<{ name: string }, { name: string }>(
  (_, p) => sql<{ name: string }>`select name from user_store_domains where name = ${p.name}`,
);

/** The domain's name as it is stored, whatever case it is asked in; `undefined` when there is none. */
export async function findDomain(reading: Reading, name: string): Promise<string | undefined> {
  const upper = name.toUpperCase();
  if (upper === primaryDomain) return primaryDomain;
  if (!form.test(upper)) return undefined;
  return (await reading.run(find, { name: upper }))[0]?.name;
}
