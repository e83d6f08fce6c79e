import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import { listUnplanned, type Speaker } from '../directory/changes.ts';
import type { Subject } from '../directory/subjects.ts';
import type { Store } from '../store/store.ts';
import type { Engine, Progress } from './engine.ts';
import { type InScope, readScopeFacts } from './scope.ts';
import { findComing, findRefused, judgeStanding, readStandings, type Standing, type Verdict } from './standing.ts';
import type { BlockingTarget } from './target-book.ts';

/**
 * Blocking bindings (engine rule 29): whoever changed somebody waits until the targets have it, for a bounded time.
 *
 *     committed --the planner has seen the change--> goal := wanted --done >= goal--> done | parked | withheld | none
 *                                                       |--switched off, held, due too late, time is up--> pending
 *
 * While it waits a door holds no connection. Those who wait are looked at together, when the engine of this node says
 * that something happened to them, and now and then besides, since another node may have done the work.
 */
export interface Waits {
  /**
   * What became of a committed change at every blocking target of the service provider it was made for, in the order of
   * its bindings; empty when it has none, which costs no query. Never rejects: what cannot be found out in time is
   * `pending`. `subject`: as the change left it, a tombstone for a deletion; `by`: default a call. Resolves at once when `signal` aborts.
   */
  settle(
    change: { spId: number; subject: Subject; by?: Speaker['by'] },
    options?: {
      /**
       * Wait no longer than this many milliseconds; default and most: the server's bound. 0 does not wait at all, and
       * then no binding makes the request fail.
       */
      withinMs?: number | undefined;
      signal?: AbortSignal;
    },
  ): Promise<Delivery[]>;
  /** Answers everybody who waits, with `pending`, and from then on lets nobody wait. Safe to repeat. */
  stop(): void;
}

/** What one blocking target made of a change. `none`: the subject has no account there and is to have none. */
export type Delivery = Verdict & {
  targetId: number;
  /** `partner:SCIM2`. */
  target: string;
  onFailure: BlockingTarget['onFailure'];
};

type Place = BlockingTarget & {
  /** `wanted` as it was planned; undefined until then. */
  goal: number | undefined;
  verdict: Verdict | undefined;
  lastReason: string | null;
};

type Wait = {
  subject: Subject;
  places: Place[];
  planned: boolean;
  /** On the monotonic clock. */
  deadline: number;
  /** Ends the waiting; places without a verdict get this one. */
  end(rest: (place: Place) => Verdict): void;
};

/** Another node may have done the work: everybody is looked at this often. */
const pollMs = 150;
/** Looking again has to wait at least this long, and as long as looking took the last time. */
const pauseMs = 5;

const pending = (reason: string): Verdict => ({ outcome: 'pending', reason });

export function openWaits(options: {
  store: Store;
  clock: Clock;
  log: Logger;
  engine: Pick<Engine, 'currentBook' | 'onProgress'>;
  boundMs: number;
}): Waits {
  const { store, clock, log, engine, boundMs } = options;
  const waits = new Set<Wait>();
  const bySubject = new Map<string, Set<Wait>>();
  /** Those to be looked at in the next round. */
  const worthALook = new Set<Wait>();
  let looking = false;
  /** The last look failed, which is logged once. */
  let blind = false;
  let cancelPoll: (() => void) | undefined;
  let stopped = false;

  const silence = engine.onProgress((progress) => {
    for (const wait of touchedBy(progress)) worthALook.add(wait);
    look();
  });

  function touchedBy(progress: Progress): Wait[] {
    if (waits.size === 0) return [];
    if ('planned' in progress) return [...waits].filter((wait) => !wait.planned);
    return progress.recorded.flatMap(({ subjectId }) => [...(bySubject.get(subjectId) ?? [])]);
  }

  function enter(wait: Wait): void {
    waits.add(wait);
    const { id } = wait.subject;
    bySubject.set(id, (bySubject.get(id) ?? new Set()).add(wait));
    worthALook.add(wait);
    cancelPoll ??= clock.after(pollMs, poll);
    look();
  }

  function leave(wait: Wait): void {
    waits.delete(wait);
    worthALook.delete(wait);
    const same = bySubject.get(wait.subject.id);
    same?.delete(wait);
    if (same?.size === 0) bySubject.delete(wait.subject.id);
    if (waits.size === 0) {
      cancelPoll?.();
      cancelPoll = undefined;
    }
  }

  function poll(): void {
    for (const wait of waits) worthALook.add(wait);
    cancelPoll = clock.after(pollMs, poll);
    look();
  }

  function look(): void {
    if (looking || worthALook.size === 0) return;
    looking = true;
    const began = clock.monotonic();
    const round = [...worthALook];
    worthALook.clear();
    lookAt(round)
      .then(
        () => {
          blind = false;
        },
        (error: unknown) => {
          if (!blind) log.warn({ error, waiting: round.length }, 'looking after deliveries failed; trying again');
          blind = true;
        },
      )
      .finally(() => {
        const rest = Math.max(pauseMs, clock.monotonic() - began);
        clock.after(rest, () => {
          looking = false;
          look();
        });
      });
  }

  /** A few statements look after everybody in the round. */
  async function lookAt(round: readonly Wait[]): Promise<void> {
    await store.read(async (reading) => {
      const early = round.filter((wait) => !wait.planned);
      const seqs = early.map((wait) => wait.subject.seq);
      const unplanned = await listUnplanned(reading, seqs);
      for (const wait of early) wait.planned = !unplanned.has(wait.subject.seq);
      const asked = round
        .filter((wait) => wait.planned)
        .flatMap((wait) => wait.places.filter((place) => !place.verdict).map((place) => ({ wait, place })));
      if (asked.length === 0) return;
      // Members who arrive raise what is wanted of their groups, so while some come no goal is fixed. They are asked for
      // before the accounts: whoever has arrived by now has raised it by then. Refusals come with an account's end, so
      // they are asked for after it.
      const groups = asked.filter(({ wait: { subject } }) => subject.kind === 'group' && subject.life !== 'gone');
      const coming = await findComing(reading, groups.map(groupKeyOf));
      const isInScope = await readScopeFacts(
        reading,
        asked.map(({ place }) => place.open),
        asked.map(({ wait }) => wait.subject),
      );
      const standings = await readStandings(reading, asked.map(accountKeyOf));
      const verdicts = new Map<Place, Verdict | undefined>();
      for (const [n, { wait, place }] of asked.entries()) {
        verdicts.set(place, judgePlace(wait, place, standings[n]!, isInScope, reading.now));
      }
      for (const n of coming) {
        const { place } = groups[n]!;
        place.goal = undefined;
        if (verdicts.get(place)?.outcome === 'done') verdicts.delete(place);
      }
      const ended = groups.filter(({ place }) => verdicts.get(place)?.outcome === 'done');
      for (const [n, verdict] of await findRefused(reading, ended.map(groupKeyOf))) {
        verdicts.set(ended[n]!.place, verdict);
      }
      for (const { wait, place } of asked) if (waits.has(wait)) place.verdict = verdicts.get(place);
    });
    for (const wait of round) {
      if (waits.has(wait) && wait.places.every((place) => place.verdict)) wait.end(({ verdict }) => verdict!);
    }
  }

  function judgePlace(
    wait: Wait,
    place: Place,
    standing: Standing,
    isInScope: InScope,
    now: number,
  ): Verdict | undefined {
    const { open } = place;
    const { subject } = wait;
    const { wanted } = standing;
    // An account that was dropped and made again counts from the beginning.
    if (wanted !== null) place.goal = Math.min(place.goal ?? wanted, wanted);
    place.lastReason = standing.reason;
    const until = now + (wait.deadline - clock.monotonic());
    return judgeStanding(standing, { open, subject, inScope: isInScope(open, subject), goal: place.goal ?? 0, until });
  }

  async function settle(
    { spId, subject, by = 'call' }: Parameters<Waits['settle']>[0],
    { withinMs = boundMs, signal }: NonNullable<Parameters<Waits['settle']>[1]> = {},
  ): Promise<Delivery[]> {
    const within = Math.min(withinMs, boundMs);
    const began = clock.monotonic();
    const blocking = (await engine.currentBook()).blockingOf({ spId, by });
    if (blocking.length === 0) return [];
    const places = blocking.map((each): Place => ({ ...each, goal: undefined, verdict: undefined, lastReason: null }));
    await new Promise<void>((resolve) => {
      const wait: Wait = {
        subject,
        places,
        planned: false,
        deadline: began + within,
        end(rest) {
          cancel();
          signal?.removeEventListener('abort', abandon);
          for (const place of places) place.verdict ??= rest(place);
          leave(wait);
          resolve();
        },
      };
      const abandon = () => wait.end(() => pending('whoever asked went away'));
      const left = Math.max(0, wait.deadline - clock.monotonic());
      const cancel = clock.after(left, () => wait.end((place) => lateness(wait, place, within)));
      if (stopped) return wait.end(() => pending(stopping));
      if (signal?.aborted) return abandon();
      if (within === 0) return wait.end(() => pending('not waited for, as the request wished'));
      signal?.addEventListener('abort', abandon, { once: true });
      enter(wait);
    });
    return places.map(({ open: { target }, onFailure, verdict }) => ({
      targetId: target.id,
      target: `${target.idpName}:${target.type}`,
      onFailure: within === 0 ? 'report' : onFailure,
      ...verdict!,
    }));
  }

  return {
    settle,
    stop() {
      stopped = true;
      silence();
      for (const wait of [...waits]) wait.end(() => pending(stopping));
    },
  };
}

type Asked = { wait: Wait; place: Place };

function accountKeyOf({ wait: { subject }, place }: Asked) {
  return { targetId: place.open.target.id, subjectId: subject.id, kind: subject.kind };
}

function groupKeyOf({ wait: { subject }, place }: Asked) {
  return { targetId: place.open.target.id, groupId: subject.id, seq: subject.seq };
}

function lateness(wait: Wait, { lastReason }: Place, withinMs: number): Verdict {
  const what = `not ${wait.planned ? 'delivered' : 'planned'} within ${showSeconds(withinMs)}`;
  return pending(lastReason === null ? what : `${what}: ${lastReason}`);
}

const stopping = 'this server is stopping; delivery goes on';

function showSeconds(ms: number): string {
  return `${Number((ms / 1_000).toFixed(1))} s`;
}
