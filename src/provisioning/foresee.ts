import { setImmediate as turn } from 'node:timers/promises';
import { sql } from 'kysely';
import type { AccountRow } from '../store/schema.ts';
import { prepare, type Store } from '../store/store.ts';
import { isAdopted } from './claim.ts';
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
  /** Requests that change something there, as far as can be told without asking: memberships and passwords are not counted. */
  requests: number;
  /** Of these: accounts that are removed there, and that are switched off. */
  removals: number;
  disables: number;
  /** What rules would withhold. */
  withheld: number;
  /** So many of them were looked at for this; where that is not all, the other numbers are reckoned from these. */
  looked: number;
};

/** So many are looked at, in slices of so many: spread over the accounts by the time their subjects were made. */
const mostLooked = 500;
const perSlice = 50;

export const noEffect: Effect = { accounts: 0, requests: 0, removals: 0, disables: 0, withheld: 0, looked: 0 };

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
export async function foresee(store: Store, book: TargetBook, open: OpenTarget, total: number): Promise<Effect> {
  const targetId = open.target.id;
  const [ends] = await store.read((reading) => reading.run(selectEnds, { targetId }));
  const effect = { ...noEffect };
  let after = '';
  for (let n = 0; n * perSlice < Math.min(total, mostLooked); n++) {
    if (total > mostLooked) {
      const start = startOf(ends!, (n * perSlice) / mostLooked);
      if (start > after) after = start;
    }
    const from = after;
    const rows = await store.read(async (reading) => {
      const accounts = await reading.run(selectSlice, { targetId, after: from, limit: perSlice });
      const seen = await previewAccounts(reading, book, open, accounts);
      for (const one of seen) count(effect, open, one, reading.now);
      return accounts;
    });
    const last = rows.at(-1);
    if (!last) break;
    effect.looked += rows.length;
    after = last.subject_id;
    await turn();
  }
  return { ...reckon(effect, total), accounts: total };
}

/** An id of the time that lies so far between the first subject's and the last one's: ids begin with their time. */
function startOf({ first, last }: Ends, part: number): string {
  const timeOf = (id: string | null) => Number.parseInt((id ?? '').replaceAll('-', '').slice(0, 12), 16) || 0;
  const time = Math.floor(timeOf(first) + (timeOf(last) - timeOf(first)) * part);
  const text = time.toString(16).padStart(12, '0');
  // Before whoever was made at that very time.
  return part === 0 ? '' : `${text.slice(0, 8)}-${text.slice(8)}`;
}

function count(effect: Effect, open: OpenTarget, one: Previewed, now: number): void {
  const { account, subject, wish, preview } = one;
  const { policy, version } = open.target;
  const isDue = account.wanted > account.done;
  if (!mustLook(account, wish, 'accounts', version, now)) return;
  // What is due goes anyway, unless it is to go now that was to stay. Of whom nothing is kept nothing is said.
  if ((isDue && wish !== 'absent') || subject?.life === 'forwarded') return;
  const { operation, rule } = preview;
  if (operation === 'nothing' || operation === 'none') return;
  const how = isAdopted(account) ? policy.deprovisionAdopted : policy.deprovision;
  if (operation === 'remove' && (how === 'keep' || (how === 'disable' && account.kind === 'group'))) return;
  if (rule && rule.action !== 'let-through') {
    effect.withheld++;
    return;
  }
  effect.requests++;
  if (operation === 'remove') effect[how === 'disable' ? 'disables' : 'removals']++;
}

/** From those that were looked at to all, in two figures: more would seem to be known. */
function reckon(effect: Effect, total: number): Effect {
  const { looked } = effect;
  if (looked === 0 || looked >= total) return effect;
  const of = (counted: number) => (counted === 0 ? 0 : Number(((counted * total) / looked).toPrecision(2)));
  return {
    ...effect,
    requests: of(effect.requests),
    removals: of(effect.removals),
    disables: of(effect.disables),
    withheld: of(effect.withheld),
  };
}
