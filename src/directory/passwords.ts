import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { sql } from 'kysely';
import { fold } from '../base/fold.ts';
import { Problem } from '../base/problem.ts';
import { prepare, type Reading } from '../store/store.ts';
import { dropPrimaryPrefix } from './names.ts';

/**
 * Argon2id (RFC 9106) with 19 MiB, two passes and one lane: the smallest of the settings OWASP calls enough, because
 * a door hashes many at once and shares its machine with the engine. Measured: about 25 ms and 19 MiB each. A stored
 * hash names its own parameters, so raising them here keeps old hashes valid.
 *
 * Slow by design: never call these inside a transaction. They run on the thread pool, not on the event loop.
 */
const cost = { memory: 19_456, passes: 2, parallelism: 1 } as const;
const saltBytes = 16;
const tagBytes = 32;

const derive = promisify(argon2);

/** A new hash in PHC text form, with a salt of its own. */
export async function hashPassword(password: string): Promise<string> {
  const nonce = randomBytes(saltBytes);
  const tag = await derive('argon2id', { message: bytesOf(password), nonce, ...cost, tagLength: tagBytes });
  const parameters = `m=${cost.memory},t=${cost.passes},p=${cost.parallelism}`;
  return `$argon2id$v=19$${parameters}$${unpadded(nonce)}$${unpadded(tag)}`;
}

/** Whether this is the password the hash was made of. Throws for a text that is no hash of ours. */
export async function verifyPassword(hash: string, password: string): Promise<boolean> {
  const match = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([^$]+)\$([^$]+)$/.exec(hash);
  if (!match) throw new Error('this is not an argon2id hash');
  const [, memory, passes, parallelism, salt, tag] = match;
  const expected = Buffer.from(tag!, 'base64');
  const actual = await derive('argon2id', {
    message: bytesOf(password),
    nonce: Buffer.from(salt!, 'base64'),
    memory: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
    tagLength: expected.length,
  });
  return timingSafeEqual(actual, expected);
}

const maxPasswordLength = 1_024;

/**
 * What a given password comes to for a user who may have one already: a hash to store, or `undefined` when it is the
 * one they have. `userId` absent: a user about to be made. Throws `Problem('invalidValue')` for an empty or huge one.
 */
export async function preparePassword(
  read: <T>(work: (reading: Reading) => Promise<T>) => Promise<T>,
  password: string,
  userId?: string,
): Promise<string | undefined> {
  if (password.length === 0 || password.length > maxPasswordLength) {
    throw new Problem('invalidValue', `A password must have 1 to ${maxPasswordLength} characters.`, {
      field: 'password',
    });
  }
  if (userId !== undefined) {
    const present = await read((reading) => reading.run(findHash, { id: userId }));
    if (present[0] && (await verifyPassword(present[0].hash, password))) return undefined;
  }
  return hashPassword(password);
}

const findHash = prepare<{ id: string }, { hash: string }>(
  (_, p) => sql<{ hash: string }>`select hash from passwords where subject_id = ${p.id}`,
);

/** What a live user signs in with. `failures`: wrong passwords that are still counted (`sign-in-locks.ts`). */
export type SignIn = {
  id: string;
  userName: string;
  hash: string;
  active: boolean;
  locked: boolean;
  failures: number;
};

type SignInRow = { id: string; doc: string; hash: string; failures: number | null; locked_until: number | null };

const signIn = prepare<{ name: string }, SignInRow>(
  (_, p) => sql<SignInRow>`
    select s.id, s.doc, p.hash, f.failures, f.locked_until
    from subjects s inner join passwords p on p.subject_id = s.id left join sign_in_failures f on f.subject_id = s.id
    where s.kind = 'user' and s.life = 'live' and s.name_key = ${p.name}`,
);

/** The user of this userName, as a client wrote it, who has a password; whoever has no `active` is active. */
export async function findSignIn(reading: Reading, userName: string): Promise<SignIn | undefined> {
  const [row] = await reading.run(signIn, { name: fold(dropPrimaryPrefix(userName)) });
  if (!row) return undefined;
  const doc = JSON.parse(row.doc) as { userName: string; active?: boolean };
  return {
    id: row.id,
    userName: doc.userName,
    hash: row.hash,
    active: doc.active !== false,
    locked: (row.locked_until ?? 0) > reading.now,
    failures: row.failures ?? 0,
  };
}

/** The same characters typed on another keyboard are the same password (RFC 8265 section 4.2.2 normalizes with NFC). */
function bytesOf(password: string): Buffer {
  return Buffer.from(password.normalize('NFC'), 'utf8');
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}
