import { createHash } from 'node:crypto';
import type { SealingKey } from '../base/secret.ts';
import type { Tx } from '../store/store.ts';

const stampName = 'sealing-key';

/**
 * Whether this is the key of this database: the first key a database sees is remembered by 48 bits of its digest, so
 * that a server with another one says so at its start instead of failing at its first delivery. Safe to repeat.
 */
export async function checkSealingKey(tx: Tx, key: SealingKey): Promise<boolean> {
  const value = createHash('sha256').update('purvey sealing key').update(key).digest().readUIntBE(0, 6);
  const insert = tx.q.insertInto('stamps').values({ name: stampName, value });
  await tx.all(insert.onConflict((conflict) => conflict.doNothing()));
  const row = await tx.first(tx.q.selectFrom('stamps').select('value').where('name', '=', stampName));
  return row!.value === value;
}
