import { isDeepStrictEqual } from 'node:util';
import type { Attributes } from '../../../src/mapping/rows.ts';
import { enterpriseUserUrn } from '../../../src/protocol/scim/schema.ts';
import type { Nesting } from '../../../src/provisioning/policy.ts';
import type { Store } from '../../../src/store/store.ts';
import type { MemoryTarget } from './memory-target.ts';
import type { LastPassword } from './people.ts';

type Doc = {
  userName?: string;
  displayName?: string;
  title?: string;
  active?: boolean;
  userType?: string;
  [enterpriseUserUrn]?: { manager?: { value?: string } };
};

/**
 * What is wrong at rest; empty when nothing is. The directory says what should be: every live subject in scope has one
 * account with its attributes, manager and members; nobody else has one; and our own books say the same and wait for
 * nothing.
 */
export async function findFaults(
  store: Store,
  target: MemoryTarget,
  options: {
    targetId: number;
    nick: (id: string) => string;
    leavers: 'deleted' | 'disabled';
    passwords: ReadonlyMap<string, LastPassword>;
    /** Whether the scope lets in who is in groups of these names (small letters); default all. */
    holds?: (groups: readonly string[]) => boolean;
    /** How groups in groups are treated; default `native`. */
    nesting?: Nesting;
    /** What those should be who are only forwarded: the directory does not know. */
    forwarded?: ReadonlyMap<string, Record<string, unknown>>;
    /** Whether a binding lets this subject in; default everybody. Whoever is not keeps what is there, and rests. */
    letIn?: (id: string) => boolean;
    /** Those that an operator left parked, without account. */
    left?: ReadonlySet<string>;
  },
): Promise<string[]> {
  const { nick, leavers, passwords, holds = () => true, nesting = 'native', letIn = () => true } = options;
  const left = options.left ?? new Set<string>();
  const faults: string[] = [];
  const { subjects, members, accounts, links, wakes, descents, former, unplanned, secrets, bodies, conflicts } =
    await store.read(async (reading) => {
      const { q } = reading;
      return {
        subjects: await reading.all(q.selectFrom('subjects').select(['id', 'kind', 'life', 'doc'])),
        members: await reading.all(q.selectFrom('members').selectAll()),
        accounts: await reading.all(q.selectFrom('accounts').selectAll().where('target_id', '=', options.targetId)),
        links: await reading.all(q.selectFrom('links').selectAll()),
        wakes: await reading.all(q.selectFrom('wakes').selectAll()),
        descents: await reading.all(q.selectFrom('descents').selectAll()),
        former: await reading.all(q.selectFrom('former_members').selectAll()),
        secrets: await reading.all(q.selectFrom('secrets').select(['seq', 'subject_id'])),
        bodies: await reading.all(q.selectFrom('forwarded_bodies').select('subject_id')),
        conflicts: await reading.all(q.selectFrom('conflicts').select('subject_id')),
        unplanned: await reading.all(q.selectFrom('changes').select('seq').where('unplanned', 'is not', null)),
      };
    });
  const { forwarded } = options;
  const docOf = new Map(subjects.map((row) => [row.id, (forwarded?.get(row.id) ?? JSON.parse(row.doc)) as Doc]));
  const wanted = subjects.filter(
    ({ id, kind, life }) =>
      life !== 'gone' &&
      letIn(id) &&
      !left.has(id) &&
      docOf.get(id)!.userType !== 'outside' &&
      (kind === 'group' || holds(groupsOf(id))),
  );

  /** The names of the groups that somebody is in, through other groups too. */
  function groupsOf(id: string): string[] {
    const found = new Set<string>();
    collect(id);
    function collect(of: string): void {
      for (const { group_id } of members.filter((row) => row.member_id === of)) {
        if (found.has(group_id)) continue;
        found.add(group_id);
        collect(group_id);
      }
    }
    return [...found].map((group) => docOf.get(group)!.displayName!.toLowerCase());
  }
  const kindOf = new Map(subjects.map((row) => [row.id, row.kind]));
  /** Who should be named in a group. */
  function membersOf(id: string): Set<string> {
    const held = (group: string) => members.filter((row) => row.group_id === group).map((row) => row.member_id);
    if (nesting === 'native') return new Set(held(id));
    const met = new Set(held(id));
    if (nesting === 'flatten')
      for (const one of met) if (kindOf.get(one) === 'group') for (const m of held(one)) met.add(m);
    return new Set([...met].filter((one) => kindOf.get(one) === 'user'));
  }
  const byMark = new Map<string, string[]>();
  for (const one of target.held.values()) {
    const mark = String(one.attributes['externalId'] ?? '');
    byMark.set(mark, [...(byMark.get(mark) ?? []), one.id]);
  }
  const isWanted = new Set(wanted.map((row) => row.id));
  const accountOf = new Map(accounts.map((row) => [row.subject_id, row]));
  /** Who rests is named by the id that is known of it. */
  function remoteOf(id: string | undefined): string | undefined {
    if (id === undefined) return undefined;
    if (!letIn(id)) return accountOf.get(id)?.remote_id ?? undefined;
    return leavers === 'disabled' || isWanted.has(id) ? byMark.get(id)?.[0] : undefined;
  }

  for (const { id, kind } of wanted) {
    const doc = docOf.get(id)!;
    const remotes = byMark.get(id) ?? [];
    if (remotes.length !== 1) {
      faults.push(`${nick(id)} should have one account and has ${remotes.length}`);
      continue;
    }
    const held = target.held.get(remotes[0]!)!;
    const right: Attributes = { externalId: id };
    if (kind === 'user') {
      Object.assign(right, { userName: doc.userName, title: doc.title, active: doc.active ?? true });
      const manager = remoteOf(doc[enterpriseUserUrn]?.manager?.value);
      if (manager !== undefined) right['manager'] = manager;
    } else {
      right['displayName'] = doc.displayName!;
    }
    if (!isDeepStrictEqual(sorted(held.attributes), sorted(right))) {
      faults.push(`${nick(id)} holds ${JSON.stringify(held.attributes)} and should hold ${JSON.stringify(right)}`);
    }
    if (kind === 'group') {
      const should = [...membersOf(id)].flatMap((member) => remoteOf(member) ?? []);
      if (!isDeepStrictEqual([...held.members].sort(), should.sort())) {
        faults.push(`${nick(id)} has the members [${[...held.members].sort()}] and should have [${should}]`);
      }
    }
    const account = accountOf.get(id);
    const last = passwords.get(id);
    // What did not get there is noted. An account that was made anew starts without: its password is kept no longer.
    const madeAnew = held.password === undefined && (last?.unclaimed || target.passwords.get(id)?.has(last!.password));
    if (held.password !== last?.password && !madeAnew && account?.pw_note == null) {
      faults.push(`${nick(id)} has the password ${held.password} and should have ${last?.password}`);
    }
    if (account?.remote_id !== held.id) {
      faults.push(`the account of ${nick(id)} knows the remote id ${account?.remote_id}, it is ${held.id}`);
    } else if (!forwarded && !isDeepStrictEqual(sorted(JSON.parse(account.acked ?? '{}')), sorted(held.attributes))) {
      faults.push(`${nick(id)} acknowledged ${account.acked} and holds ${JSON.stringify(held.attributes)}`);
    }
  }
  for (const one of target.held.values()) {
    const mark = one.attributes['externalId'];
    if (typeof mark === 'string' && !letIn(mark)) continue;
    if (leavers === 'disabled' && typeof mark === 'string' && !isWanted.has(mark)) {
      if (one.kind === 'user' && one.attributes['active'] !== false) {
        faults.push(`the account of ${nick(mark)}, who should have none, is not switched off (${one.id})`);
      }
      continue;
    }
    if (typeof mark === 'string' ? !isWanted.has(mark) : !one.stranger) {
      faults.push(`an account is left of somebody who should have none: ${nick(String(mark))} (${one.id})`);
    }
  }
  for (const row of accounts) {
    const who = nick(row.subject_id);
    if (left.has(row.subject_id)) {
      if (row.state !== 'parked' || row.remote_id !== null) faults.push(`${who} was left parked and is ${row.state}`);
      if (row.wanted > row.done || row.due_at !== null) faults.push(`${who} was left parked and is due`);
      continue;
    }
    if (!letIn(row.subject_id)) {
      if (row.wanted > row.done || row.due_at !== null) faults.push(`${who} rests and is due`);
      const right = leavers === 'disabled' ? ['unbound', 'disabled', 'kept'] : ['unbound'];
      if (!right.includes(row.state)) faults.push(`${who}, whom no binding lets in, is ${row.state}: ${row.reason}`);
      continue;
    }
    if (row.decision !== null) faults.push(`something stays decided about ${who}, who is ${row.state}`);
    if (row.pw_seq !== null && row.state !== 'disabled') faults.push(`${who} owes a password at rest`);
    if (row.wanted > row.done) faults.push(`${who} is due and nobody goes: wanted ${row.wanted}, done ${row.done}`);
    if (row.lease_attempt !== null || row.due_at !== null) faults.push(`${who} is leased or due at rest`);
    if (leavers === 'disabled' && !isWanted.has(row.subject_id)) {
      const right = row.kind === 'user' ? 'disabled' : 'kept';
      if (row.state !== right) faults.push(`${who}, who is gone, is ${row.state} and not ${right}`);
      if (row.remote_id === null) faults.push(`a row is left of ${who}, who was never there`);
      continue;
    }
    if (!isWanted.has(row.subject_id)) faults.push(`a row is left of ${who}, who should have no account: ${row.state}`);
    if (row.state !== 'done') faults.push(`${who} is ${row.state}: ${row.reason}`);
    if (row.doubt !== null) faults.push(`${who} is in doubt at rest`);
    if (row.wait_on !== null) faults.push(`${who} waits for ${nick(row.wait_on)}`);
  }
  for (const row of links) {
    // A group that rests, is parked, or is kept there though it is gone here keeps what was still to be said, in case it comes back.
    if (!letIn(row.group_id) || left.has(row.group_id) || (leavers === 'disabled' && !isWanted.has(row.group_id)))
      continue;
    // Whether one who is parked was ever put into it shows when something becomes of him.
    if (left.has(row.member_id) && row.state === 'waiting') continue;
    // Refused when the account was gone there; whoever rests is not made anew.
    if (!letIn(row.member_id) && remoteOf(row.member_id) === undefined) continue;
    const link = `${row.op} ${nick(row.member_id)} in ${nick(row.group_id)}`;
    if (row.state !== 'waiting') faults.push(`a membership is ${row.state} at rest: ${link} (${row.reason})`);
    if (!membersOf(row.group_id).has(row.member_id) || row.op !== 'add' || remoteOf(row.member_id) !== undefined)
      faults.push(`a membership waits for nothing: ${link}`);
  }
  for (const { seq, subject_id: id } of secrets) {
    if (!accounts.some((row) => row.pw_seq === seq)) faults.push(`a password of ${nick(id)} is kept for nobody`);
  }
  for (const { subject_id: id } of bodies.filter((body) => !left.has(body.subject_id)))
    faults.push(`what was forwarded of ${nick(id)} is kept at rest`);
  for (const { subject_id: id } of conflicts) {
    if (!accountOf.has(id)) faults.push(`whom ${nick(id)} met is not forgotten`);
  }
  if (wakes.length > 0) faults.push(`${wakes.length} wakes are left`);
  if (descents.length > 0) faults.push(`${descents.length} groups are not looked through`);
  if (former.length > 0) faults.push(`${former.length} members of deleted groups are not forgotten`);
  if (unplanned.length > 0) faults.push(`${unplanned.length} changes are not planned`);
  return faults;
}

/** Before a sync looks at everybody: whom no binding lets in rests, and nobody else does. */
export async function findMisplaced(
  store: Store,
  options: { targetId: number; nick: (id: string) => string; letIn: (id: string) => boolean },
): Promise<string[]> {
  const { targetId, nick, letIn } = options;
  const rows = await store.read((reading) =>
    reading.all(reading.q.selectFrom('accounts').select(['subject_id', 'state']).where('target_id', '=', targetId)),
  );
  return rows.flatMap(({ subject_id: id, state }) => {
    if (letIn(id)) return state === 'unbound' ? [`${nick(id)} rests, though a binding lets it in`] : [];
    const rests = state === 'unbound' || state === 'disabled' || state === 'kept';
    return rests ? [] : [`${nick(id)}, whom no binding lets in, is ${state}`];
  });
}

function sorted(attributes: Attributes): [string, unknown][] {
  return Object.entries(attributes)
    .filter(([, value]) => value !== null && value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
}
