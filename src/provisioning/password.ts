import type { Secret } from '../base/secret.ts';
import type { Attributes } from '../mapping/rows.ts';
import type { Courier } from '../outbound/courier.ts';
import type { Claim } from './claim.ts';
import { isBare } from './owed-passwords.ts';
import { failureOf, finish, type PasswordFate, type Result, resultOf, setAside, stepOn } from './result.ts';

/**
 * Passwords on their way to a target (engine rule 28). An account owes the password of one change (`pw_seq`), the latest:
 *
 *     owed --creation or change answered "done"-----------------------------> the target has it
 *     owed --refused-------------------------------------------------------> let go, noted, nothing parks
 *     owed --sent by itself, no answer--> said once more --done or refused--> it has it (refused: it had it already)
 *                                                        --no answer------> let go, noted
 *     owed --sent with a creation that turns out to have arrived----------> it has it
 *     owed --the account is adopted, its time is over----------------------> let go, noted
 *
 * A creation that is refused while it carries a password is tried once without (`chunk` 0): if that is accepted the
 * password was at fault, else the account parks, and a later retry begins with the password again.
 *
 * A password cannot be read back, so what is in doubt about it is kept apart from the account's other doubt (`pw_sent`),
 * and only an answer, or a creation that is found, ends it.
 */

/** The password to be told, if there is one. */
export function passwordToSay(claim: Claim): Secret | undefined {
  return claim.owed !== null && 'password' in claim.owed ? claim.owed.password : undefined;
}

/** Says a password by itself: one attempt says one thing, whatever else differs follows (`more`). */
export async function sayPassword(
  claim: Claim,
  courier: Courier,
  ask: { remoteId: string; password: Secret; known: Attributes; managed: readonly string[]; more: boolean },
): Promise<Result> {
  const { remoteId, password, known, managed, more } = ask;
  const acked = JSON.stringify(known);
  const ours = Object.entries(known).filter(([path]) => managed.includes(path));
  const attributes = Object.fromEntries(ours);
  const said = await claim.open.connector.changePassword(courier, { remoteId, password, attributes });
  switch (said.outcome) {
    case 'done': {
      const change: Partial<Result> = { acked, password: { fate: 'taken' } };
      return more ? stepOn(claim, 'password', change) : finish(claim, 'password', change);
    }
    case 'absent':
      return setAside(claim, 'password', said.reason);
    case 'refused': {
      const arrived = claim.account.pw_sent !== null;
      return resultOf(claim, {
        operation: 'password',
        outcome: 'refused',
        reason: arrived ? `${said.reason}; it was sent before without an answer, so it had arrived` : said.reason,
        acked,
        ...(more ? {} : { finished: true, state: 'done' as const }),
        password: arrived ? { fate: 'taken' } : { fate: 'let go', note: noteOfRefusal(said.reason) },
      });
    }
    default: {
      // Said twice at most, so these failures end by themselves and need not park anything.
      const change: Partial<Result> = said.outcome === 'unknown' ? { acked, strike: 'no' } : { acked };
      return failureOf(claim, 'password', said, { settled: true, mutated: courier.mutated, change });
    }
  }
}

/** Which password a creation carries. */
export type Carried = 'clear' | 'default' | 'none';

const refusedDefault = 'Default Password refused: ';

export function noteOfRefusal(reason: string, carried: Carried = 'clear'): string {
  return `${carried === 'default' ? refusedDefault : 'password refused: '}${reason}`;
}

/** What a creation that is answered "done" says about the password. */
export function afterCreation(claim: Claim, carried: Carried): PasswordFate {
  const { account } = claim;
  if (carried === 'clear') return { fate: 'taken' };
  if (carried === 'default') {
    return account.pw_note?.startsWith(refusedDefault) ? { fate: 'kept', note: null } : { fate: 'kept' };
  }
  // Without a note the password that was refused is not this one: a newer one came in between.
  if (isBare(account) && account.pw_note !== null) return { fate: 'let go' };
  return { fate: 'kept' };
}

/** What it says that an account of ours is there after all, made by an earlier request. */
export function afterFinding(claim: Claim): PasswordFate {
  const { account } = claim;
  if (account.pw_sent === 'created' && !isBare(account)) return { fate: 'taken' };
  return afterCreation(claim, 'none');
}

/** An account that was there before us is sent no password (engine rule 16). */
export function afterAdoption(claim: Claim): PasswordFate {
  if (passwordToSay(claim) === undefined) return { fate: 'kept' };
  return { fate: 'let go', note: 'password not sent: the account was there before and is adopted as it is' };
}
