import { generateKeyPair, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import type { Selectable } from 'kysely';
import { Problem } from '../base/problem.ts';
import { type SealingKey, seal, unseal } from '../base/secret.ts';
import type { OAuthKeyRow } from '../store/oauth-rows.ts';
import type { Reading, Store, Tx } from '../store/store.ts';

/**
 * The only writer of `oauth_keys`: what tokens are signed with. A key comes and goes by the clock of the database alone:
 *
 *     published --signs_from--> signs --the next one's signs_from--> published still --the tokens it signed have ended--> gone
 *
 * Every server looks at the keys again before it answers once `lookEveryMs` are over, so the waits below are longer than
 * that: whoever is asked for the keys shows one before anybody signs with it, and while anybody may still show a token of it.
 */
export type SigningKey = Record<string, unknown> & { kid: string };

/** A server goes by what it read for so long. */
export const lookEveryMs = 10_000;
/** A new key is published for so long before it signs: for other servers, and for clients that keep the keys a while. */
export const publishedBeforeMs = 60_000;
/** How long an ID token is good, in seconds: nothing else is signed. */
export const idTokenSeconds = 3_600;
/** So long a key stays published after the next one took over. */
const publishedAfterMs = idTokenSeconds * 1_000 + publishedBeforeMs;

/** `publishedUntil` null: until another one has taken its place. */
export type KeyStanding = {
  kid: string;
  createdAt: number;
  signsFrom: number;
  publishedUntil: number | null;
  state: 'coming' | 'signs' | 'leaving';
};

type Row = Selectable<OAuthKeyRow>;

const contextOf = (kid: string) => `oauth key ${kid}`;

/** Where each key stands at a time, the latest first; those that are over are left out. `rows`: the latest first. */
function standingsOf<R extends Omit<Row, 'sealed'>>(rows: readonly R[], now: number): (KeyStanding & { row: R })[] {
  return rows.flatMap((row, n) => {
    const next = rows[n - 1];
    const isReplaced = next !== undefined && next.signs_from <= now;
    const publishedUntil = next ? next.signs_from + publishedAfterMs : null;
    if (publishedUntil !== null && publishedUntil <= now) return [];
    const state = row.signs_from > now ? 'coming' : isReplaced ? 'leaving' : 'signs';
    return [{ kid: row.kid, createdAt: row.created_at, signsFrom: row.signs_from, publishedUntil, state, row }];
  });
}

/** The keys to publish, the one that signs first; the first start on a database makes one. */
export async function readSigningKeys(store: Store, key: SealingKey): Promise<SigningKey[]> {
  const known = await store.read(readRows);
  const rows = known.length > 0 ? known : await keepFirst(store, key, await makeKey());
  const standings = standingsOf(rows, store.now());
  return [...standings.filter((one) => one.state === 'signs'), ...standings.filter((one) => one.state !== 'signs')].map(
    ({ kid, row }) => JSON.parse(unseal(key, row.sealed, contextOf(kid)).reveal()) as SigningKey,
  );
}

/** Where the keys stand, the latest first. */
export async function listKeys(reading: Reading): Promise<KeyStanding[]> {
  return standingsOf(await readRows(reading), reading.now).map(({ row: _, ...standing }) => standing);
}

/**
 * Keeps a fresh key (`makeKey`), which is published from now on and signs in a minute; keys that are over go for good.
 * Throws Problem `conflict` while a key is still coming.
 */
export async function rotateKeys(tx: Tx, key: SealingKey, fresh: SigningKey): Promise<KeyStanding[]> {
  await lockKeys(tx);
  const standings = standingsOf(await readRows(tx), tx.now);
  const coming = standings.find((one) => one.state === 'coming');
  if (coming) {
    const when = new Date(coming.signsFrom).toISOString();
    throw new Problem('conflict', `the key ${coming.kid} is new and signs from ${when}: it can be replaced after that`);
  }
  const kept = standings.map((one) => one.kid);
  if (kept.length > 0) await tx.all(tx.q.deleteFrom('oauth_keys').where('kid', 'not in', kept));
  await insertKey(tx, key, fresh, tx.now + publishedBeforeMs);
  return listKeys(tx);
}

function readRows(reading: Reading): Promise<Row[]> {
  const query = reading.q.selectFrom('oauth_keys').selectAll();
  return reading.all(query.orderBy('signs_from', 'desc').orderBy('created_at', 'desc').orderBy('kid'));
}

/** Of several servers that start at once, all take the key of the first. */
function keepFirst(store: Store, key: SealingKey, fresh: SigningKey): Promise<Row[]> {
  return store.write(async (tx) => {
    await lockKeys(tx);
    const known = await readRows(tx);
    if (known.length > 0) return known;
    await insertKey(tx, key, fresh, 0);
    return readRows(tx);
  });
}

/** Whoever comes second waits here until the first is through. */
async function lockKeys(tx: Tx): Promise<void> {
  const insert = tx.q.insertInto('stamps').values({ name: 'oauth-keys', value: 1 });
  await tx.all(insert.onConflict((conflict) => conflict.column('name').doUpdateSet({ value: 1 })));
}

async function insertKey(tx: Tx, key: SealingKey, fresh: SigningKey, signsFrom: number): Promise<void> {
  const sealed = seal(key, JSON.stringify(fresh), contextOf(fresh.kid));
  const row = { kid: fresh.kid, sealed, created_at: tx.now, signs_from: signsFrom };
  await tx.all(tx.q.insertInto('oauth_keys').values(row));
}

/** RS256, which every client understands (OpenID Connect Core section 15.1). Not inside a transaction: it takes its time. */
export async function makeKey(): Promise<SigningKey> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2_048 });
  const kid = randomBytes(12).toString('base64url');
  return { ...privateKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' };
}
