import { isDeepStrictEqual } from 'node:util';
import { Problem } from '../../../src/base/problem.ts';
import type { Attributes } from '../../../src/mapping/rows.ts';
import {
  type Conflict,
  decideAdoption,
  leaveParked,
  readConflict,
  readLeaves,
} from '../../../src/provisioning/decisions.ts';
import { retryAccount } from '../../../src/provisioning/retry.ts';
import type { AccountRow } from '../../../src/store/schema.ts';
import type { Attempt } from './attempt.ts';
import type { Ground } from './ground.ts';
import { type MemoryTarget, nameOf } from './memory-target.ts';
import type { People } from './people.ts';
import { type Schedule, type Step, strangerGroup, strangerName } from './schedule.ts';
import { Wrong } from './wrong.ts';

/** `stands`: no later word came, and it was not carried out. `mayFail`: something happened by which it may come to nothing. */
type Word = { subjectId: string; remoteId: string; name: string; stands: boolean; mayFail: boolean };

/**
 * Resources at the target that nobody of us made, the operator who says what becomes of them, and what must be true of
 * both: a stranger is taken by whom the word named, under the name it had then, after it was read; and is never touched
 * otherwise. What was said, and what happened since, is remembered here and not asked of the engine.
 */
export function openOperator(
  { store, targetId }: Ground,
  { setting, seed }: Schedule,
  target: MemoryTarget,
  people: People,
) {
  const { nick } = people;
  /** As they were when somebody at the target last changed them. */
  const strangers = new Map<string, Attributes>();
  const owners = new Map<string, string>();
  /** Whose it was that was set aside without a mark: the same account may find it again, as long as it is there. */
  const setAside = new Map<string, string>();
  const words: Word[] = [];
  /** The password that was owed to a resource when it was taken over; it gets none by that (rule 16). */
  const notToSay = new Map<string, string>();

  function come(kind: 'user' | 'group'): string | undefined {
    const name = kind === 'user' ? strangerName : strangerGroup;
    const id = target.putStranger(kind, name);
    if (id === undefined) return undefined;
    strangers.set(id, target.held.get(id)!.attributes);
    return `${name} is at the target (${id}), and nobody of us made it`;
  }
  for (let n = 0; n < setting.strangers; n++) come('user');
  if (setting.asks && seed % 2 === 0) come('group');

  const accountOf = (subjectId: string) =>
    store.read(
      (reading) =>
        reading.first(
          reading.q
            .selectFrom('accounts')
            .selectAll()
            .where('target_id', '=', targetId)
            .where('subject_id', '=', subjectId),
        ) as Promise<AccountRow | undefined>,
    );
  const listParked = () =>
    store.read(
      (reading) =>
        reading.all(
          reading.q
            .selectFrom('accounts')
            .selectAll()
            .where('target_id', '=', targetId)
            .where('state', '=', 'parked')
            .whereRef('wanted', '<=', 'done')
            .orderBy('subject_id'),
        ) as Promise<AccountRow[]>,
    );
  const conflictOf = (account: AccountRow) => store.read((reading) => readConflict(reading, account));

  function doubtWords(remoteId: string): void {
    for (const word of words) if (word.remoteId === remoteId) word.mayFail = true;
  }

  /** False when it was refused. What it met is read in the same transaction: others write it down at the same time. */
  async function adopt(account: AccountRow, remoteId: string): Promise<boolean> {
    const key = { targetId, subjectId: account.subject_id };
    let conflict: Conflict | null = null;
    try {
      await store.write(async (tx) => {
        const query = tx.q.selectFrom('accounts').selectAll().where('target_id', '=', targetId);
        const found = query.where('subject_id', '=', key.subjectId).modifyEnd(tx.dialect.forUpdate);
        const row = (await tx.first(found)) as AccountRow | undefined;
        conflict = row ? await readConflict(tx, row) : null;
        await decideAdoption(tx, key, { remoteId, actor: 'olga' });
      });
    } catch (error) {
      if (error instanceof Problem) return false;
      throw error;
    }
    const met = conflict as Conflict | null;
    const before = words.findLast((word) => word.subjectId === account.subject_id);
    if ((before?.stands && before.remoteId === remoteId) || account.remote_id === remoteId) return true;
    if (!met?.adoptable || !met.remotes.some((one) => one.remoteId === remoteId)) {
      throw new Wrong(`${nick(account.subject_id)}: a word named ${remoteId}, which it did not meet, and was taken`);
    }
    supersede(account.subject_id);
    const { subject_id: subjectId, kind } = account;
    const { name } = met;
    const isAsMet = target.held.get(remoteId)?.attributes[nameOf[kind]] === name && people.nameOf(subjectId) === name;
    // By a scope that reads groups anybody may be out of it for a while.
    const mayFail = !isAsMet || (kind === 'user' && setting.scope !== 'attribute');
    words.push({ subjectId, remoteId, name, stands: true, mayFail });
    return true;
  }

  /** Its id is known no more, and it bears no mark: to take it over takes another word. */
  async function noteSetAside(subjectId: string, id: string): Promise<void> {
    if (target.held.get(id)?.attributes['externalId'] === subjectId) return;
    if ((await accountOf(subjectId))?.remote_id === id) return;
    owners.delete(id);
    setAside.set(id, subjectId);
  }

  function forgetAside(subjectId: string): void {
    for (const [id, whose] of setAside) if (whose === subjectId) setAside.delete(id);
  }

  function supersede(subjectId: string): void {
    for (const word of words) if (word.subjectId === subjectId) word.stands = false;
  }

  async function leave(account: AccountRow): Promise<boolean> {
    try {
      await store.write((tx) =>
        leaveParked(tx, { targetId, subjectId: account.subject_id }, { note: null, actor: 'olga' }),
      );
    } catch (error) {
      if (error instanceof Problem) return false;
      throw error;
    }
    supersede(account.subject_id);
    return true;
  }

  const retry = (account: AccountRow) => store.write((tx) => retryAccount(tx, account));

  async function decide({ which, what, remote }: Extract<Step, { do: 'decide' }>): Promise<string | undefined> {
    const parked = await listParked();
    const account = parked[which % Math.max(1, parked.length)];
    if (!account) return undefined;
    const who = nick(account.subject_id);
    switch (what) {
      case 'retry':
        await retry(account);
        return `an operator wants ${who} to be tried again`;
      case 'leave':
        return (await leave(account)) ? `an operator leaves ${who} parked` : undefined;
      case 'adopt': {
        const conflict = await conflictOf(account);
        const all = [...target.held.keys()];
        const id = remote < 0 ? conflict?.remotes[0]?.remoteId : all[remote % Math.max(1, all.length)];
        if (id === undefined) return undefined;
        const said = await adopt(account, id);
        return `an operator decides that ${who} takes ${id} over${said ? '' : ', which is refused'}`;
      }
    }
  }

  /** Only of strangers that nobody of us has an eye on: what changes between our looking and our writing, nobody can know. */
  function meddle(
    { what, which }: Extract<Step, { do: 'somebody there' }>,
    underWay: readonly Attempt[],
  ): string | undefined {
    if (what === 'comes') return come(which % 3 === 0 ? 'group' : 'user');
    const alone = [...strangers.keys()].filter(
      (id) => target.held.has(id) && !owners.has(id) && !underWay.some((attempt) => attempt.read.has(id)),
    );
    const id = alone[which % Math.max(1, alone.length)];
    if (id === undefined) return undefined;
    doubtWords(id);
    if (what === 'goes') {
      target.removeThere(id);
      return `${id} is removed at the target`;
    }
    const { kind } = target.held.get(id)!;
    const name = kind === 'user' ? strangerName : strangerGroup;
    const isAway = target.held.get(id)!.attributes[nameOf[kind]] !== name;
    const isFree = ![...target.held.values()].some((one) => one.attributes[nameOf[kind]] === name);
    if (isAway && !isFree) return undefined;
    const after = isAway ? name : `${name} ${id}`;
    target.renameThere(id, after);
    strangers.set(id, target.held.get(id)!.attributes);
    return `${id} is called ${after} at the target`;
  }

  return {
    decide,
    meddle,

    /** After every write: who is called otherwise by now, or is gone, needs what was decided no more. */
    lookAtNames(): void {
      for (const word of words) if (people.nameOf(word.subjectId) !== word.name) word.mayFail = true;
    },
    /** Whoever is out of the target for a while is another account when it comes back. */
    doubtAllWords(): void {
      for (const word of words) word.mayFail = true;
    },
    /** It got a wrong answer about this resource, or somebody removed it. */
    doubtWordsAbout: doubtWords,

    /** Before a mutation leaves. */
    checkMutation({ said, claim: { account } }: Attempt): void {
      if (!said || !('id' in said) || !strangers.has(said.id)) return;
      if (owners.get(said.id) !== account.subject_id) {
        throw new Wrong(`${nick(account.subject_id)}: a mutation of ${said.id}, which is a stranger's, left`);
      }
      if (said.say === 'password' && said.password === notToSay.get(said.id)) {
        throw new Wrong(`${nick(account.subject_id)}: ${said.id} was adopted and got a password of before`);
      }
    },

    /** After results were written down: whoever has a stranger's id by now must have been allowed to take it. */
    async checkTaken(recorded: readonly Attempt[]): Promise<void> {
      for (const { claim, ended, read } of recorded) {
        const { remoteId } = ended!.result;
        const { subject_id: subjectId, remote_id: before } = claim.account;
        const who = nick(subjectId);
        if (!(await accountOf(subjectId))) forgetAside(subjectId);
        if (before !== null && before !== remoteId && strangers.has(before)) await noteSetAside(subjectId, before);
        if (remoteId === null || !strangers.has(remoteId) || owners.get(remoteId) === subjectId) continue;
        if ((await accountOf(subjectId))?.remote_id !== remoteId) continue;
        if (!read.has(remoteId)) throw new Wrong(`${who} took ${remoteId}, which was not read`);
        if (setAside.get(remoteId) === subjectId) {
          owners.set(remoteId, subjectId);
          continue;
        }
        const wasCalled = strangers.get(remoteId)![nameOf[claim.account.kind]];
        if (wasCalled !== claim.name)
          throw new Wrong(`${who} took ${remoteId} as ${claim.name}, but it was ${wasCalled}`);
        if (setting.asks) {
          const word = words.findLast((each) => each.subjectId === subjectId);
          if (!word?.stands || word.remoteId !== remoteId || word.name !== claim.name) {
            throw new Wrong(`${who} took ${remoteId}, and no word of an operator said so`);
          }
          word.stands = false;
        }
        owners.set(remoteId, subjectId);
        setAside.delete(remoteId);
        const { owed } = claim;
        if (owed && 'password' in owed) notToSay.set(remoteId, owed.password.reveal());
      }
    },

    /**
     * When everything rests: who is parked is tried once more, then by turns taken over or left. Answers who was left;
     * nothing may happen to them any more.
     */
    async settle(
      rest: () => Promise<number>,
      wait: (ms: number) => Promise<void>,
      isLetIn: (id: string) => boolean,
      /** Of whom nothing is kept, they do not learn by themselves that a manager came by a word. */
      sendAgain: () => Promise<void>,
    ): Promise<Set<string>> {
      for (const { subjectId, remoteId, stands, mayFail } of words) {
        if (stands && !mayFail && isLetIn(subjectId))
          throw new Wrong(`that ${nick(subjectId)} takes ${remoteId} over was decided and forgotten`);
      }
      for (const account of await listParked()) await retry(account);
      await rest();
      const left: AccountRow[] = [];
      for (const [n, account] of (await listParked()).entries()) {
        const who = nick(account.subject_id);
        const conflict = await conflictOf(account);
        const name = people.nameOf(account.subject_id);
        const holder = [...target.held.values()].find(
          (one) => one.kind === account.kind && strangers.has(one.id) && one.attributes[nameOf[one.kind]] === name,
        );
        if (!holder || !conflict?.adoptable || conflict.remotes.every((one) => one.remoteId !== holder.id)) {
          throw new Wrong(`${who} is parked and met ${JSON.stringify(conflict)}: ${account.reason}`);
        }
        if ((seed + n) % 2 === 0) left.push(account);
        else if (!(await adopt(account, holder.id))) throw new Wrong(`${who} may not take ${holder.id} over`);
      }
      await rest();
      await sendAgain();
      await rest();
      const unused = words.find((word) => word.stands && !word.mayFail && isLetIn(word.subjectId));
      if (unused) throw new Wrong(`${nick(unused.subjectId)} did not take ${unused.remoteId} over, as decided`);
      if (left.length === 0) return new Set();
      for (const account of left) {
        if (!(await leave(account))) throw new Wrong(`${nick(account.subject_id)} cannot be left parked`);
      }
      await wait(3_600_000);
      if ((await rest()) > 0) throw new Wrong('an account that was left parked was tried again');
      const now = await listParked();
      const leaves = await store.read((reading) => readLeaves(reading, now));
      if (now.length !== left.length || leaves.size !== left.length) throw new Wrong('who was left parked is not');
      return new Set(left.map((one) => one.subject_id));
    },

    /** Strangers that nobody took are as they were. */
    findTouched(): string[] {
      return [...strangers].flatMap(([id, attributes]) => {
        const one = target.held.get(id);
        if (!one || typeof one.attributes['externalId'] === 'string') return [];
        if (isDeepStrictEqual(one.attributes, attributes) && one.members.size === 0) return [];
        return [
          `${id}, which is a stranger's, is ${JSON.stringify(one.attributes)} and was ${JSON.stringify(attributes)}`,
        ];
      });
    },
  };
}

export type Operator = ReturnType<typeof openOperator>;
