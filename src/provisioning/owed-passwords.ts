import type { SealingKey, Secret } from '../base/secret.ts';
import { openClearPasswords } from '../directory/clear-passwords.ts';
import type { AccountRow, PasswordSent } from '../store/schema.ts';
import type { Tx } from '../store/store.ts';
import { noteOfExpiry } from './account-passwords.ts';
import type { OpenTarget } from './target-book.ts';

/** What accounts owe their target, as it is when they are claimed (engine rule 28; `password.ts` has the whole walk). */

/** The password that an account owes; or `lost`: it cannot be told any more, with the note that says so, if anything is to be said. */
export type Owed = { seq: number; password: Secret } | { seq: number; lost: string | null };

const sentTwice =
  'password in doubt: it was sent twice without an answer and is not sent again. Set it again to be sure';

/** Opens what the accounts of one target owe, by subject. Read in the transaction that claims them. */
export async function readOwedPasswords(
  tx: Tx,
  key: SealingKey,
  open: OpenTarget,
  accounts: readonly AccountRow[],
): Promise<Map<string, Owed>> {
  const owing = accounts.filter((account) => account.pw_seq !== null);
  const opened = await openClearPasswords(
    tx,
    key,
    owing.map((account) => account.pw_seq!),
  );
  return new Map(
    owing.map((account): [string, Owed] => {
      const seq = account.pw_seq!;
      const found = opened.get(seq);
      const lost = (note: string | null): [string, Owed] => [account.subject_id, { seq, lost: note }];
      // Another password came, the user has none any more or is gone; or the target takes none by now.
      if (!found || !open.connector.takesPasswords) return lost(null);
      if ('expiredAt' in found) return lost(noteOfExpiry(found.expiredAt));
      if ('unreadable' in found) return lost('password lost: what was kept of it cannot be opened. Set it again');
      if (account.remote_id !== null && account.pw_sent === 'twice') return lost(sentTwice);
      return [account.subject_id, { seq, password: found.password }];
    }),
  );
}

/** How the password counts as sent if nothing is heard of the attempt that is about to begin. */
export function sentDuring(
  account: AccountRow,
  wish: 'present' | 'absent' | 'rest',
  owed: Owed | null,
): PasswordSent | null {
  if (wish !== 'present' || owed === null || 'lost' in owed || isBare(account)) return account.pw_sent;
  if (account.remote_id !== null) return account.pw_sent === null ? 'once' : 'twice';
  // What is in doubt already did not carry it, and may be what is found.
  return account.doubt === null || account.pw_sent === 'created' ? 'created' : 'perhaps';
}

/** The next creation carries no password, not even a default one. */
export function isBare(account: AccountRow): boolean {
  return account.kind === 'user' && account.remote_id === null && account.chunk === 0;
}
