import { sql } from 'kysely';
import { urgency } from '../directory/changes.ts';
import { readWholeSubjects } from '../directory/forwarded-bodies.ts';
import { lacksBody, listLiveSubjects, type Subject, spokenForBy } from '../directory/subjects.ts';
import type { AccountRow } from '../store/schema.ts';
import { prepare, type Reading, type Store, type Tx } from '../store/store.ts';
import { type Raise, raiseAccounts } from './accounts.ts';
import { type Claim, wishFor } from './claim.ts';
import { lockDeliveryStamp } from './delivery-stamp.ts';
import { beginGroups, switchModes } from './group-starts.ts';
import { unparkLinksBetween } from './links.ts';
import { lockPlanner } from './plan.ts';
import { readScopeFacts } from './scope.ts';
import type { OpenTarget, TargetBook } from './target-book.ts';
import { listRunningWaves, lockWave, type Wave, writeWave } from './waves.ts';

/** Subjects that one transaction looks at, and refused memberships that it takes up again. */
const subjectsPerStep = 250;
const linksPerStep = 250;

/**
 * A sync makes nobody due while so many accounts of its target could be claimed already: who comes meanwhile does not
 * stand behind everybody, and what is paused or cancelled stops soon. Other waves do not wait, since there may be
 * somebody to remove at their end.
 */
const claimableAtMost = 2_000;

/**
 * Carries one wave on by one chunk, in one transaction. Answers how many subjects it looked at (at least 1 for a wave
 * that came to its end); 0 when there is no wave, `waiting` when those there are wait for deliveries. `outdated` as in
 * `planStep`.
 */
export async function waveStep(store: Store, book: TargetBook): Promise<number | 'waiting' | 'outdated'> {
  // Almost always there is none, and that is known without a transaction.
  if ((await store.read(listRunningWaves)).length === 0) return 0;
  const step = await store.write(async (tx) => {
    await lockPlanner(tx);
    if ((await lockDeliveryStamp(tx)) !== book.stamp) return 'outdated';
    let waiting = false;
    for (const { id, target_id: targetId, kind } of await listRunningWaves(tx)) {
      const open = book.targets.get(targetId);
      if (!open) continue;
      if (kind === 'everyone' && (await isBusy(tx, targetId))) {
        waiting = true;
        continue;
      }
      const wave = await lockWave(tx, id);
      if (wave?.state === 'running') return stepWave(tx, book, open, wave);
    }
    return waiting ? 'waiting' : { looked: 0, raised: 0 };
  });
  if (typeof step === 'string') return step;
  if (step.raised > 0) store.signal('work');
  return step.looked;
}

const countClaimable = prepare<{ targetId: number; now: number; limit: number }, { n: number }>(
  (_, p) => sql<{ n: number }>`
    select count(*) as n from (
      select 1 from accounts where target_id = ${p.targetId} and due_at <= ${p.now} limit ${p.limit}) as claimable`,
);

async function isBusy(reading: Reading, targetId: number): Promise<boolean> {
  const [row] = await reading.run(countClaimable, { targetId, now: reading.now, limit: claimableAtMost });
  return row!.n >= claimableAtMost;
}

type Seen = Pick<
  AccountRow,
  | 'subject_id'
  | 'kind'
  | 'due_at'
  | 'wanted'
  | 'done'
  | 'lease_attempt'
  | 'tries'
  | 'state'
  | 'version'
  | 'sp_id'
  | 'regime'
>;

const selectAccounts = prepare<{ targetId: number; after: string; limit: number }, Seen>((q, p) =>
  q
    .selectFrom('accounts')
    .select(['subject_id', 'kind', 'due_at', 'wanted', 'done', 'lease_attempt', 'tries', 'state', 'version'])
    .select(['sp_id', 'regime'])
    .where('target_id', '=', p.targetId)
    .where('subject_id', '>', p.after)
    .orderBy('subject_id')
    .limit(p.limit),
);

/** Sorts after every id. */
const afterAll = '~';

async function stepWave(
  tx: Tx,
  book: TargetBook,
  open: OpenTarget,
  wave: Wave,
): Promise<{ looked: number; raised: number }> {
  const targetId = open.target.id;
  const [after = '', member = afterAll] = wave.cursor.split(' ');
  const accounts = await tx.run(selectAccounts, { targetId, after, limit: subjectsPerStep });
  const live: Subject[] = [];
  if (wave.kind === 'everyone') {
    for (const kind of (['user', 'group'] as const).filter((one) => open.sends(one))) {
      live.push(...(await listLiveSubjects(tx, kind, { after, limit: subjectsPerStep })));
    }
  }
  // Each list was cut at the same length, so of the first so many ids in all none is missing.
  const all = [...new Set([...accounts.map((row) => row.subject_id), ...live.map((subject) => subject.id)])].sort();
  let ids = all.slice(0, subjectsPerStep);
  let isLast = all.length < subjectsPerStep;
  let cursor = ids.at(-1) ?? after;
  const unparked = await unparkLinksBetween(tx, targetId, {
    after: { groupId: after, memberId: member },
    last: isLast ? afterAll : cursor,
    limit: linksPerStep,
  });
  if (unparked.length === linksPerStep) {
    const { groupId, memberId } = unparked.at(-1)!;
    ids = ids.filter((id) => id <= groupId);
    isLast = false;
    cursor = `${groupId} ${memberId}`;
  }
  const groups = new Set(unparked.map((link) => link.groupId));
  const raises = await chooseRaises(tx, {
    book,
    open,
    wave,
    ids: [...new Set([...groups, ...ids])],
    groups,
    accounts,
    live,
  });
  const made = await raiseAccounts(tx, raises);
  const kinds = new Map(raises.map((one) => [one.subjectId, one.kind]));
  await beginGroups(
    tx,
    book,
    made
      .filter((key) => kinds.get(key.subjectId) === 'group')
      .map(({ subjectId }) => ({ targetId, groupId: subjectId })),
  );
  const looked = new Set(ids);
  await switchModes(
    tx,
    book,
    accounts
      .filter((row) => row.kind === 'group' && looked.has(row.subject_id))
      .map((row) => ({ targetId, groupId: row.subject_id, regime: row.regime })),
  );
  const seen = wave.seen + ids.length;
  await writeWave(tx, wave.id, {
    cursor,
    seen,
    raised: wave.raised + raises.length,
    total: Math.max(wave.total, seen),
    ...(isLast ? { state: 'done', ended_at: tx.now } : {}),
  });
  return { looked: Math.max(1, ids.length), raised: raises.length };
}

/** Who of these is due by the wave, and who comes into being. */
async function chooseRaises(
  tx: Tx,
  chunk: {
    book: TargetBook;
    open: OpenTarget;
    wave: Wave;
    ids: readonly string[];
    /** Groups with memberships to say again. */
    groups: ReadonlySet<string>;
    accounts: readonly Seen[];
    live: readonly Subject[];
  },
): Promise<Raise[]> {
  const { book, open, wave, ids, groups } = chunk;
  const targetId = open.target.id;
  const accountOf = new Map(chunk.accounts.map((row) => [row.subject_id, row]));
  const subjects = new Map(chunk.live.map((subject) => [subject.id, subject]));
  for (const [id, subject] of await readWholeSubjects(
    tx,
    book.key,
    ids.filter((id) => !subjects.has(id)),
  )) {
    subjects.set(id, subject);
  }
  const spokenFor = await spokenForBy(tx, ids);
  const isInScope = await readScopeFacts(tx, [open], subjects.values());
  const raises: Raise[] = [];
  for (const id of ids) {
    const account = accountOf.get(id);
    const subject = subjects.get(id);
    const sps = spokenFor.get(id) ?? [];
    const wish = wishFor(book, open, subject, sps, isInScope);
    const looks = account !== undefined && mustLook(account, wish, wave.kind, open.target.version, tx.now);
    if (account && looks && !(lacksBody(subject) && isDecided(account))) {
      const { kind, sp_id: spId } = account;
      raises.push({ targetId, subjectId: id, kind, spId, urgency: gradeOf(account, subject, wish), makes: false });
    } else if (!account && wave.kind === 'everyone' && wish === 'present' && subject) {
      const spId = sps.find((each) => book.isBound(targetId, [each]))!.spId;
      raises.push({ targetId, subjectId: id, kind: subject.kind, spId, urgency: urgency.creation, makes: true });
    }
    // Who is in a group decides what somebody may do there.
    if (groups.has(id)) {
      raises.push({ targetId, subjectId: id, kind: 'group', spId: 0, urgency: urgency.security, makes: false });
    }
  }
  return raises;
}

/**
 * Whether an account may stand otherwise by what is true now. Results computed before that are left due when they are
 * written down (complete.ts), so what comes to rest after this look needs no other.
 */
export function mustLook(
  account: Pick<Seen, 'wanted' | 'done' | 'lease_attempt' | 'tries' | 'due_at' | 'state' | 'version'>,
  wish: Claim['wish'],
  kind: Wave['kind'],
  version: number,
  now: number,
): boolean {
  if (account.wanted > account.done) {
    // Whoever may be claimed at once is read as it is then; the others have a backoff to lose.
    const goesAnyway = account.lease_attempt === null && account.tries === 0 && (account.due_at ?? now) <= now;
    return !goesAnyway || wish === 'absent';
  }
  switch (account.state) {
    case 'disabled':
    case 'kept':
      // What becomes of somebody who goes was decided when they went: a new policy is for those who go from now on.
      return wish === 'present';
    case 'unbound':
      return wish !== 'rest';
    case 'done':
      return kind === 'everyone' || wish !== 'present' || account.version !== version;
    default:
      return true;
  }
}

/** Of whom nothing is kept: what became of the account stays until something new is sent. */
function isDecided({ wanted, done, state }: Seen): boolean {
  return wanted <= done && (state === 'disabled' || state === 'kept' || state === 'parked');
}

/** Removals first, and whoever was switched off meanwhile (engine rule 6). */
function gradeOf(account: Seen, subject: Subject | undefined, wish: Claim['wish']): Raise['urgency'] {
  if (wish === 'absent') return urgency.removal;
  const isOff = subject?.attributes.active === false && account.state !== 'done';
  return wish === 'present' && isOff ? urgency.removal : urgency.cosmetic;
}
