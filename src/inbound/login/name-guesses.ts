import type { Clock } from '../../base/clock.ts';
import { Problem } from '../../base/problem.ts';
import type { RemoteUser } from '../../directory/sign-in-links.ts';
import { noteWrongPassword, readLockedUntil, wrongPasswordsAtMost } from '../../directory/sign-in-locks.ts';
import type { Reading, Store } from '../../store/store.ts';
import { openThrottle } from '../throttle.ts';
import { digestOf } from './browser.ts';

/**
 * Whoever is new and is told that a user name is taken has learned that somebody here has it. So those names are counted as
 * wrong passwords are, for whoever tries them and not for the name: first each further one has to wait, then none can be
 * tried for a while, on all servers. It concerns those who are to be made, and nobody who is known.
 */
export type NameGuesses = {
  /** Before it is looked whether a name is taken. Throws Problem `tooManyRequests`, with `userName` as its field. */
  check(reading: Reading, remote: RemoteUser): Promise<void>;
  /** Before they are told that it is. Throws the same where they tried too many meanwhile. */
  count(remote: RemoteUser): Promise<void>;
};

const says = 'Too many user names that somebody here has already.';

export function openNameGuesses({ store, clock }: { store: Store; clock: Clock }): NameGuesses {
  const throttle = openThrottle(clock, says);
  const refuseLocked = async (reading: Reading, key: string) => {
    const until = await readLockedUntil(reading, key);
    if (until === null) return;
    const minutes = Math.ceil((until - reading.now) / 60_000);
    throw new Problem('tooManyRequests', `${says} Try again in ${minutes === 1 ? 'a minute' : `${minutes} minutes`}.`);
  };
  return {
    check: (reading, remote) =>
      atUserName(async () => {
        throttle.check(keyOf(remote));
        await refuseLocked(reading, keyOf(remote));
      }),
    count: (remote) =>
      atUserName(() => {
        throttle.fail(keyOf(remote));
        return store.write(async (tx) => {
          // Counted first: of many that are tried at once no more are told of than one after the other.
          if ((await noteWrongPassword(tx, keyOf(remote))) > wrongPasswordsAtMost)
            await refuseLocked(tx, keyOf(remote));
        });
      }),
  };
}

async function atUserName(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw error instanceof Problem ? new Problem(error.code, error.message, { field: 'userName' }) : error;
  }
}

/** Nobody's id here, and no text that an identity provider makes up. */
const keyOf = ({ idpId, issuer, subject }: RemoteUser) =>
  `user names of ${digestOf(JSON.stringify([idpId, issuer, subject]))}`;
