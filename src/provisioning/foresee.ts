import { setImmediate as turn } from 'node:timers/promises';
import { sql } from 'kysely';
import { findClearPasswords } from '../directory/clear-passwords.ts';
import type { AccountRow } from '../store/schema.ts';
import { prepare, type Reading, type Store } from '../store/store.ts';
import { isAdopted } from './claim.ts';
import { countArrivals, foreseeMemberships, type MembershipBounds, type Memberships } from './foresee-memberships.ts';
import { isBare } from './owed-passwords.ts';
import { type Previewed, previewAccounts } from './preview.ts';
import type { OpenTarget, TargetBook } from './target-book.ts';
import { mustLook } from './wave-step.ts';

/**
 * What a change of a target's settings, policy or bindings would do, before it is made: its wave looks at every account,
 * and this looks at some of them as the wave would, by a book in which the change is made already. Nothing is written.
 */
export type Effect = {
  /** So many are looked at again. */
  accounts: number;
  /** Requests that change something there, as far as can be told without asking; of memberships and passwords see below. */
  requests: number;
  /** Of these: accounts that are removed there, and that are switched off. */
  removals: number;
  disables: number;
  /** What rules would withhold. */
  withheld: number;
  memberships: Memberships;
  /** Passwords that are sent, most of them with a creation; and of these the Default Password of the target. */
  passwords: number;
  defaultPasswords: number;
  /** So many of them were looked at for this; where that is not all, the other numbers are reckoned from these. */
  looked: number;
};

/** So many are looked at, in slices of so many: spread over the accounts by the time their subjects were made. */
const mostLooked = 500;
const perSlice = 50;

export const noEffect: Effect = {
  accounts: 0,
  requests: 0,
  removals: 0,
  disables: 0,
  withheld: 0,
  memberships: { added: 0, removed: 0, more: false },
  passwords: 0,
  defaultPasswords: 0,
  looked: 0,
};

type Ends = { first: string | null; last: string | null };

const selectEnds = prepare<{ targetId: number }, Ends>(
  (_, p) => sql<Ends>`
    select (select min(subject_id) from accounts where target_id = ${p.targetId}) as first,
      (select max(subject_id) from accounts where target_id = ${p.targetId}) as last`,
);

const selectSlice = prepare<{ targetId: number; after: string; limit: number }, AccountRow>((q, p) =>
  q
    .selectFrom('accounts')
    .selectAll()
    .where('target_id', '=', p.targetId)
    .where('subject_id', '>', p.after)
    .orderBy('subject_id')
    .limit(p.limit),
);

/** `total`: so many accounts the target has, or had a moment ago. */
export async function foresee(
  store: Store,
  book: TargetBook,
  open: OpenTarget,
  total: number,
  most?: MembershipBounds,
): Promise<Effect> {
  const targetId = open.target.id;
  const [ends] = await store.read((reading) => reading.run(selectEnds, { targetId }));
  const counted = { ...noEffect, arrivals: 0 };
  let after = '';
  for (let n = 0; n * perSlice < Math.min(total, mostLooked); n++) {
    if (total > mostLooked) {
      const start = startOf(ends!, (n * perSlice) / mostLooked);
      if (start > after) after = start;
    }
    const from = after;
    const rows = await store.read(async (reading) => {
      const accounts = await reading.run(selectSlice, { targetId, after: from, limit: perSlice });
      await countSlice(reading, counted, open, await previewAccounts(reading, book, open, accounts));
      return accounts;
    });
    const last = rows.at(-1);
    if (!last) break;
    counted.looked += rows.length;
    after = last.subject_id;
    // Where the database is in this process, others have their turn.
    await turn();
  }
  const { arrivals, ...effect } = reckon(counted, total);
  const memberships = await foreseeMemberships(store, book, open, most);
  return { ...effect, accounts: total, memberships: { ...memberships, added: memberships.added + arrivals } };
}

/** An id of the time that lies so far between the first subject's and the last one's: ids begin with their time. */
function startOf({ first, last }: Ends, part: number): string {
  const timeOf = (id: string | null) => Number.parseInt((id ?? '').replaceAll('-', '').slice(0, 12), 16) || 0;
  const time = Math.floor(timeOf(first) + (timeOf(last) - timeOf(first)) * part);
  const text = time.toString(16).padStart(12, '0');
  // Before whoever was made at that very time.
  return part === 0 ? '' : `${text.slice(0, 8)}-${text.slice(8)}`;
}

/** `arrivals`: memberships that wait for whoever is made. */
type Counted = Effect & { arrivals: number };

async function countSlice(
  reading: Reading,
  counted: Counted,
  open: OpenTarget,
  slice: readonly Previewed[],
): Promise<void> {
  const seqs = slice.flatMap(({ account }) => account.pw_seq ?? []);
  const kept = open.connector.takesPasswords ? await findClearPasswords(reading, seqs) : new Set<number>();
  const made: string[] = [];
  for (const one of slice) {
    const { account, wish, subject } = one;
    if (!mustLook(account, wish, 'accounts', open.target.version, reading.now)) continue;
    // What is due goes anyway, unless it is to go now that was to stay. Of whom nothing is kept nothing is said.
    const isDue = account.wanted > account.done;
    if ((isDue && wish !== 'absent') || subject?.life === 'forwarded') continue;
    const isSent = countRequest(counted, open, one);
    if (isSent && one.preview.operation === 'create') made.push(account.subject_id);
    countPassword(counted, open, one, { isSent, isKept: kept.has(account.pw_seq ?? 0) });
  }
  counted.arrivals += await countArrivals(reading, open.target.id, made);
}

/** Answers whether the account is sent. */
function countRequest(counted: Counted, open: OpenTarget, { account, preview }: Previewed): boolean {
  const { policy } = open.target;
  const { operation, rule } = preview;
  if (operation === 'nothing' || operation === 'none') return false;
  const how = isAdopted(account) ? policy.deprovisionAdopted : policy.deprovision;
  if (operation === 'remove' && (how === 'keep' || (how === 'disable' && account.kind === 'group'))) return false;
  if (rule && rule.action !== 'let-through') {
    counted.withheld++;
    return false;
  }
  counted.requests++;
  if (operation === 'remove') counted[how === 'disable' ? 'disables' : 'removals']++;
  return true;
}

/** `isKept`: the password that the account owes the target is still there to be sent. */
function countPassword(
  counted: Counted,
  open: OpenTarget,
  { account, wish, ask }: Previewed,
  { isSent, isKept }: { isSent: boolean; isKept: boolean },
): void {
  if (account.kind !== 'user' || wish !== 'present' || isBare(account)) return;
  if (account.remote_id !== null) {
    if (isKept && account.pw_sent !== 'twice' && (ask('PATCH')?.action ?? 'let-through') === 'let-through')
      counted.passwords++;
  } else if (isSent && (isKept || open.connector.hasDefaultPassword)) {
    counted.passwords++;
    if (!isKept) counted.defaultPasswords++;
  }
}

/** From those that were looked at to all, in two figures: more would seem to be known. */
function reckon(counted: Counted, total: number): Counted {
  const { looked } = counted;
  if (looked === 0 || looked >= total) return counted;
  const of = (count: number) => (count === 0 ? 0 : Number(((count * total) / looked).toPrecision(2)));
  return {
    ...counted,
    requests: of(counted.requests),
    removals: of(counted.removals),
    disables: of(counted.disables),
    withheld: of(counted.withheld),
    passwords: of(counted.passwords),
    defaultPasswords: of(counted.defaultPasswords),
    arrivals: of(counted.arrivals),
  };
}
