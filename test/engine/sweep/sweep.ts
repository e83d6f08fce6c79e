import { replaceTarget } from '../../../src/provisioning/targets.ts';
import { openStore } from '../../../src/store/open.ts';
import type { Store } from '../../../src/store/store.ts';
import { openTestClock } from '../../clock.ts';
import type { DatabaseKind } from '../../database.ts';
import { findFaults } from '../explorer/check.ts';
import { makeMemoryKind } from '../explorer/connector.ts';
import { openGround, silentLog } from '../explorer/ground.ts';
import { openMemoryTarget, type Said, type TargetTraits } from '../explorer/memory-target.ts';
import { type Fate, type Life, startLife } from './life.ts';
import { countsStatements, outageMs, type Plague, type PlagueKind, plagueKinds, stallMs } from './plague.ts';
import { interfere, playScenario } from './scenario.ts';

export type Swept = { faults: number; wrong: { plague: Plague; faults: string[] }[] };

const timeoutMs = 1_000;
const settleMs = 500;
const policy = {
  timeoutMs,
  settleMs,
  deprovisionAdopted: 'delete',
  scopeUsers: 'not (userType eq "outside" or groups.display eq "away")',
};
const holds = (groups: readonly string[]) => !groups.includes('away');
const traits: TargetTraits = {
  patch: true,
  searchesExternalId: true,
  lagMs: 0,
  membersPerRequest: 2,
  unknownMember: 'refused',
};
const killedAgainAfter = 12;
const restRealMs = 30_000;

/**
 * Plays one scenario again and again, with one fault at a time: at the 1st, 2nd, 3rd … statement or exchange, until the
 * scenario gets through untouched. `every`: only every so many places, from one that differs by kind.
 */
export async function sweepFaults(options: {
  database: DatabaseKind;
  every?: number;
  kinds?: readonly PlagueKind[];
  onRun?: (plague: Plague, faults: string[]) => void;
}): Promise<Swept> {
  const { database, every = 1, kinds = plagueKinds, onRun } = options;
  const ground = await openSweepGround(database);
  const swept: Swept = { faults: 0, wrong: [] };
  try {
    for (const [index, kind] of kinds.entries()) {
      for (let at = 1 + (index % every); ; at += every) {
        const plague = { kind, at };
        const { struck, faults } = await ground.play(plague);
        if (faults.length > 0) swept.wrong.push({ plague, faults });
        onRun?.(plague, faults);
        if (!struck) break;
        swept.faults += 1;
      }
    }
  } finally {
    await ground.close();
  }
  return swept;
}

/** A database and a target on which the scenario is played any number of times. */
export async function openSweepGround(database: DatabaseKind) {
  const base = await openGround(database);
  const clock = openTestClock();
  return { play: (plague: Plague | undefined) => play(base, clock, plague), close: base.close };
}

async function play(
  base: Awaited<ReturnType<typeof openGround>>,
  clock: ReturnType<typeof openTestClock>,
  plague: Plague | undefined,
): Promise<{ struck: boolean; faults: string[]; statements: number; exchanges: number }> {
  await base.clear({ policy, traits, planSize: 'many' });
  const watch = base.store;
  const target = openMemoryTarget(traits, clock.now);
  const late: Set<() => void> = new Set();
  let statements = 0;
  let exchanges = 0;
  let struck = false;
  let killedAgainAt = Number.POSITIVE_INFINITY;
  let outageEnds = Number.NEGATIVE_INFINITY;
  let interfering: Promise<unknown> = Promise.resolve();
  let life: Life | undefined;
  const dying = new WeakSet<Life>();

  const failure = (message: string, code?: string) => Object.assign(new Error(message), code ? { code } : {});

  function onStatement(): void {
    if (!life && !starting) return;
    if (life?.dead) throw failure('the process was killed');
    statements += 1;
    if (statements === killedAgainAt) {
      killedAgainAt = Number.POSITIVE_INFINITY;
      life?.kill();
      throw failure('the process was killed again');
    }
    if (!plague || struck || !countsStatements(plague.kind) || statements !== plague.at) return;
    struck = true;
    switch (plague.kind) {
      case 'statement fails':
        throw failure('disk full');
      case 'deadlock':
        throw failure('deadlock detected', '40P01');
      case 'killed twice':
        killedAgainAt = statements + killedAgainAfter;
    }
    life?.kill();
    throw failure('the process was killed');
  }

  function fateOf(): Fate {
    exchanges += 1;
    if (clock.now() < outageEnds) return inOutage();
    if (!plague || struck || countsStatements(plague.kind) || exchanges < plague.at) return { fate: 'answered' };
    if (exchanges > plague.at) return { fate: 'answered' };
    struck = true;
    switch (plague.kind) {
      case 'killed before a request':
        return { fate: 'killed', carriedOut: 'never' };
      case 'killed while a request is carried out':
        return { fate: 'killed', carriedOut: 'now' };
      case 'killed and the request lands later':
        return { fate: 'killed', carriedOut: 'later' };
      case 'request lost':
        return { fate: 'lost', carriedOut: 'never' };
      case 'answer lost':
        return { fate: 'lost', carriedOut: 'now' };
      case 'request lands after its timeout':
        return { fate: 'lost', carriedOut: 'later' };
      case 'answered 500, carried out':
        return { fate: 'status', status: 500, carriedOut: true };
      case 'answered 503':
        return { fate: 'status', status: 503, carriedOut: false };
      case 'answered 429':
        return { fate: 'status', status: 429, carriedOut: false };
      case 'answered 404':
        return { fate: 'status', status: 404, carriedOut: false };
      case 'answered 409':
        return { fate: 'status', status: 409, carriedOut: false };
      case 'stall past the lease':
        return { fate: 'stall', ms: stallMs };
      case 'outage of 401':
      case 'outage of 500':
      case 'outage of the connection':
        outageEnds = clock.now() + outageMs;
        return inOutage();
      case 'directory changes':
        return { fate: 'answered', before: () => meddle((store) => interfere(base.origin, store, exchanges)) };
      case 'target changes':
        return { fate: 'answered', before: () => meddle(changeTarget) };
    }
    return { fate: 'answered' };
  }

  function inOutage(): Fate {
    if (plague?.kind === 'outage of the connection') return { fate: 'not sent' };
    return { fate: 'status', status: plague?.kind === 'outage of 401' ? 401 : 500, carriedOut: false };
  }

  /** Not awaited by the request it happens in: a write of our own process stands in line with the engine's. */
  async function meddle(work: (store: Store) => Promise<unknown>): Promise<void> {
    const store = life!.store;
    interfering = work(store).then(() => store.signal('changes'));
    await interfering;
  }

  const changeTarget = (store: Store) =>
    store
      .write((tx) =>
        replaceTarget(tx, { key: base.key, kinds: [makeMemoryKind(() => traits)] }, base.targetId, {
          settings: {},
          policy: { ...policy, maxTries: 9 },
        }),
      )
      .then(() => store.signal('targets'));

  let starting = false;
  async function start(): Promise<Life> {
    for (;;) {
      starting = true;
      const store = await openStore({
        location: base.location,
        clock,
        log: silentLog,
        time: 'clock',
        durability: 'none',
        onStatement,
      });
      try {
        const started = await startLife({
          store,
          clock,
          key: base.key,
          traits,
          target,
          timeoutMs,
          fateOf,
          deferTo(said: Said, leftAt: number) {
            const land = () => {
              late.delete(land);
              target.carryOut(said);
            };
            late.add(land);
            clock.after(leftAt + timeoutMs + settleMs - clock.now(), land);
          },
        });
        return started;
      } catch {
        // The fault struck while it started: a supervisor starts it again.
        await store.close();
      } finally {
        starting = false;
      }
    }
  }

  /** Whoever was killed is buried, and a fresh process takes its place. */
  async function revive(): Promise<void> {
    while (life?.dead) {
      const buried = life;
      if (!dying.has(buried)) {
        dying.add(buried);
        await buried.store.close();
      }
      life = undefined;
      life = await start();
    }
  }

  async function write<T>(work: (store: Store) => Promise<T>): Promise<T> {
    for (;;) {
      await revive();
      try {
        const value = await work(life!.store);
        life!.store.signal('changes');
        return value;
      } catch (error) {
        if (!(error instanceof Error) || !/^(the process was killed|disk full|deadlock)/.test(error.message))
          throw error;
      }
    }
  }

  const isQuiet = async () => {
    if (life!.dead || life!.engine.busy || late.size > 0) return false;
    const left = await watch.read(async ({ q, all }) => {
      const unplanned = await all(q.selectFrom('changes').select('seq').where('unplanned', 'is not', null).limit(1));
      const wakes = await all(q.selectFrom('wakes').select('id').limit(1));
      const descents = await all(q.selectFrom('descents').select('group_id').limit(1));
      const due = await all(q.selectFrom('accounts').select('subject_id').where('due_at', 'is not', null).limit(1));
      const waves = await all(q.selectFrom('waves').select('id').where('state', '=', 'running').limit(1));
      return unplanned.length + wakes.length + descents.length + due.length + waves.length;
    });
    return left === 0 && !life!.engine.busy && !life!.dead;
  };
  async function rest(): Promise<void> {
    const giveUp = performance.now() + restRealMs;
    while (!(await isQuiet())) {
      if (performance.now() > giveUp) throw new Error('it does not come to rest');
      await revive();
      // Real input and output gets its turn before time goes on.
      if (base.store.dialect.capabilities.manyNodes) await new Promise((resolve) => setTimeout(resolve, 1));
      await clock.advance(life!.engine.busy ? 50 : 500);
    }
    await interfering;
  }

  life = await start();
  let faults: string[];
  try {
    const passwords = await playScenario(base.origin, base.key, write, rest);
    await rest();
    // Who is moved out of scope before a password arrives comes back without it.
    if (plague?.kind === 'directory changes') for (const last of passwords.values()) last.unclaimed = true;
    faults = await findFaults(watch, target, {
      targetId: base.targetId,
      nick: (id) => id,
      leavers: 'deleted',
      passwords,
      holds,
    });
  } catch (error) {
    faults = [error instanceof Error ? (error.stack ?? error.message) : String(error)];
  }
  life.kill();
  await life.store.close();
  return { struck, faults, statements, exchanges };
}
