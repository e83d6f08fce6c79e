import { generateKeyPair, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { type SealingKey, seal, unseal } from '../../base/secret.ts';
import type { Reading, Store } from '../../store/store.ts';

/** A private key as a JWK. */
export type SigningKey = Record<string, unknown> & { kid: string };

const contextOf = (kid: string) => `oauth key ${kid}`;

/** The keys that tokens are signed with, the one in use first; the first start on a database makes one. */
export async function ensureSigningKeys(store: Store, key: SealingKey): Promise<SigningKey[]> {
  const known = await store.read(readKeys);
  const rows = known.length > 0 ? known : await keepFirst(store, key, await makeKey());
  return rows.map(({ kid, sealed }) => JSON.parse(unseal(key, sealed, contextOf(kid)).reveal()) as SigningKey);
}

function readKeys(reading: Reading) {
  return reading.all(reading.q.selectFrom('oauth_keys').selectAll().orderBy('created_at', 'desc').orderBy('kid'));
}

/** Of several servers that start at once, all take the key of the first. */
function keepFirst(store: Store, key: SealingKey, fresh: SigningKey) {
  return store.write(async (tx) => {
    const stamp = { name: 'oauth-keys', value: 1 };
    // Whoever comes second waits here until the first is through.
    await tx.all(
      tx.q
        .insertInto('stamps')
        .values(stamp)
        .onConflict((conflict) => conflict.doNothing()),
    );
    const known = await readKeys(tx);
    if (known.length > 0) return known;
    const sealed = seal(key, JSON.stringify(fresh), contextOf(fresh.kid));
    const row = { kid: fresh.kid, sealed, created_at: tx.now };
    await tx.all(tx.q.insertInto('oauth_keys').values(row));
    return [row];
  });
}

/** RS256, which every client understands (OpenID Connect Core section 15.1). */
async function makeKey(): Promise<SigningKey> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2_048 });
  const kid = randomBytes(12).toString('base64url');
  return { ...privateKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' };
}
