import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { fold } from '../base/fold.ts';
import { Problem } from '../base/problem.ts';
import { hashPassword } from '../directory/passwords.ts';
import { ensureResidentServiceProvider } from '../provisioning/service-providers.ts';
import type { OperatorRow } from '../store/schema.ts';
import { prepare, type Reading, type Store, type Tx, UniqueViolation } from '../store/store.ts';
import { endSessionsOf } from './sessions.ts';

/** The only writer of `operators`: administrators and service accounts. They are not directory users. */
export type Operator = Omit<OperatorRow, 'id'> & { id: number };

export type Role = OperatorRow['role'];

const byName = prepare<{ key: string }, Operator>(
  (_, p) => sql<Operator>`select * from operators where name_key = ${p.key}`,
);

/** By name, without regard to case. */
export async function findOperator(reading: Reading, name: string): Promise<Operator | undefined> {
  return (await reading.run(byName, { key: fold(name) }))[0];
}

const byId = prepare<{ id: number }, Operator>((_, p) => sql<Operator>`select * from operators where id = ${p.id}`);

export async function readOperator(reading: Reading, id: number): Promise<Operator | undefined> {
  return (await reading.run(byId, { id }))[0];
}

/** All of them, by name. */
export function listOperators(reading: Reading): Promise<Operator[]> {
  return reading.all<Operator>(reading.q.selectFrom('operators').selectAll().orderBy('name_key'));
}

/** Makes an operator; the hash comes from `hashPassword`. Throws `Problem('uniqueness')` when the name is taken. */
export async function createOperator(
  tx: Tx,
  operator: { name: string; hash: string; role: Role; mustChange: boolean },
): Promise<number> {
  const { name, hash, role, mustChange } = operator;
  if (name.trim() === '' || name.includes(':')) {
    throw new Problem('invalidValue', 'An operator needs a name, without a colon.', { field: 'name' });
  }
  try {
    const rows = await tx.all<{ id: number }>(
      tx.q
        .insertInto('operators')
        .values({ name, name_key: fold(name), hash, role, must_change: mustChange ? 1 : 0, created_at: tx.now })
        .returning('id'),
    );
    return rows[0]!.id;
  } catch (error) {
    if (!(error instanceof UniqueViolation)) throw error;
    throw new Problem('uniqueness', `There is an operator "${name}" already.`, { field: 'name', cause: error });
  }
}

/** Sets a hash that the operator chose themself: nothing is due any more. Safe to repeat. */
export async function setOperatorHash(tx: Tx, id: number, hash: string): Promise<void> {
  await tx.all(tx.q.updateTable('operators').set({ hash, must_change: 0 }).where('id', '=', id));
}

/** Throws Problem `conflict` where nobody could administer the server any more. */
export async function setOperatorRole(tx: Tx, operator: Operator, role: Role): Promise<void> {
  if (operator.role === role) return;
  if (operator.role === 'administrator') await refuseLastAdministrator(tx, operator);
  await tx.all(tx.q.updateTable('operators').set({ role }).where('id', '=', operator.id));
}

/** Their sessions end with them. Throws Problem `conflict` for the last administrator. */
export async function removeOperator(tx: Tx, operator: Operator): Promise<void> {
  if (operator.role === 'administrator') await refuseLastAdministrator(tx, operator);
  await endSessionsOf(tx, operator.id);
  await tx.all(tx.q.deleteFrom('operators').where('id', '=', operator.id));
}

const lockAdministrators = prepare<Record<string, never>, { id: number }>(
  (_, __, dialect) => sql<{ id: number }>`select id from operators where role = 'administrator'${dialect.forUpdate}`,
);

async function refuseLastAdministrator(tx: Tx, { id, name }: Operator): Promise<void> {
  const all = await tx.run(lockAdministrators, {});
  if (all.some((one) => one.id !== id)) return;
  throw new Problem('conflict', `${name} is the last administrator: make another one first`);
}

/**
 * A random password: whoever had another is signed out. People must change it; a service account could not, so it is
 * its password from now on. Safe to repeat.
 */
export async function setOneTimePassword(tx: Tx, id: number, hash: string): Promise<void> {
  const operator = await readOperator(tx, id);
  const mustChange = operator?.role === 'service' ? 0 : 1;
  await tx.all(tx.q.updateTable('operators').set({ hash, must_change: mustChange }).where('id', '=', id));
  await endSessionsOf(tx, id);
}

/**
 * Gives an administrator a random password that must be changed, and answers with it this one time. A running server
 * knows it within five seconds. Throws Problem `notFound`, `notAllowed` for whoever is no administrator (who could not
 * change it).
 */
export async function resetAdministratorPassword(
  store: Store,
  name: string,
): Promise<{ name: string; password: string }> {
  const password = makePassword();
  const hash = await hashPassword(password);
  return store.write(async (tx) => {
    const operator = await findOperator(tx, name);
    if (!operator) {
      const rows = await tx.all<{ name: string }>(
        tx.q.selectFrom('operators').select('name').where('role', '=', 'administrator').orderBy('name_key').limit(20),
      );
      const known = rows.map((row) => row.name).join(', ');
      throw new Problem('notFound', `there is no operator ${name}; administrators are ${known || 'none'}`);
    }
    if (operator.role !== 'administrator') throw new Problem('notAllowed', `${operator.name} is no administrator`);
    await setOneTimePassword(tx, operator.id, hash);
    return { name: operator.name, password };
  });
}

export function makePassword(): string {
  return randomBytes(15).toString('base64url');
}

export const firstAdministrator = 'admin';

/**
 * Makes the resident service provider and, where there is no operator yet, the administrator `admin` with a random
 * password that must be changed. Answers with it this one time; `undefined` when there were operators. Safe to repeat
 * and to run on many nodes at once: one of them makes it and learns the password.
 */
export async function ensureFirstAdministrator(store: Store): Promise<{ name: string; password: string } | undefined> {
  const any = (reading: Reading) => reading.first(reading.q.selectFrom('operators').select('id').limit(1));
  const isThere = await store.read(async (reading) => {
    const resident = await reading.first(
      reading.q.selectFrom('service_providers').select('id').where('resident', '=', 1),
    );
    return resident !== undefined && (await any(reading)) !== undefined;
  });
  if (isThere) return undefined;
  const password = makePassword();
  const hash = await hashPassword(password);
  try {
    return await store.write(async (tx) => {
      await ensureResidentServiceProvider(tx);
      if (await any(tx)) return undefined;
      await createOperator(tx, { name: firstAdministrator, hash, role: 'administrator', mustChange: true });
      return { name: firstAdministrator, password };
    });
  } catch (error) {
    if (error instanceof Problem && error.code === 'uniqueness') return undefined;
    throw error;
  }
}
