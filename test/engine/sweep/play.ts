import { openPass } from '../../../src/provisioning/retention.ts';
import { replaceTarget } from '../../../src/provisioning/targets.ts';
import type { Store } from '../../../src/store/store.ts';
import type { TestClock } from '../../clock.ts';
import { lookAhead } from '../explorer/ahead.ts';
import { findFaults } from '../explorer/check.ts';
import { makeMemoryKind } from '../explorer/connector.ts';
import type { Ground } from '../explorer/ground.ts';
import { openMemoryTarget, type Said, type TargetTraits } from '../explorer/memory-target.ts';
import { type Fate, type Life, startLife } from './life.ts';
import type { Place, Places } from './place.ts';
import { again, fateInOutage, fateOfStruck, forgets, lags, type Plague, placesOf } from './plague.ts';
import { applications, interfere, playScenario, strangerName } from './scenario.ts';

/** What a play came to: `struck` when it was long enough for the plague. */
export type Played = { struck: boolean; faults: string[]; statements: number; exchanges: number };

const timeoutMs = 1_000;
const settleMs = 500;
const policy = {
  timeoutMs,
  settleMs,
  deprovisionAdopted: 'delete',
  scopeUsers: 'not (userType eq "outside" or groups.display eq "away")',
  nestedGroups: 'flatten',
  adopt: 'ask',
};
const holds = (groups: readonly string[]) => !groups.includes('away');
const restRealMs = 60_000;
/** As good as nothing: 0 would be for ever. */
const keepNothing = { attemptsDays: 1e-9, changesDays: 1e-9 };

/** Plays the scenario once, with one fault at one place (or none), and says what is wrong when everything rests. */
export async function play(base: Ground, clock: TestClock, places: Places, plague?: Plague): Promise<Played> {
  const traits: TargetTraits = {
    patch: true,
    searchesExternalId: true,
    lagMs: lags(plague?.kind) ? settleMs / 2 : 0,
    membersPerRequest: 2,
    unknownMember: 'refused',
  };
  await base.clear({ policy, traits, planSize: 'many', applications });
  const watch = base.store;
  const target = openMemoryTarget(traits, clock.now);
  const stranger = target.putStranger('user', strangerName)!;
  /** Of these somebody at the resident service provider changed something meanwhile. */
  const touched = new Set<string>();
  /** What happens by itself at its hour. */
  const late: Set<() => void> = new Set();
  let statements = 0;
  let exchanges = 0;
  let struck = false;
  let killedAgainAt = Number.POSITIVE_INFINITY;
  let fullFrom = Number.POSITIVE_INFINITY;
  let outageEnds = Number.NEGATIVE_INFINITY;
  let meddling: Promise<unknown> = Promise.resolve();
  let life: Life | undefined;
  let place: Place | undefined;
  let starting = false;
  const buried = new WeakSet<Life>();

  const failure = (message: string, code?: string) => Object.assign(new Error(message), code ? { code } : {});
  const isOurs = (error: unknown) =>
    error instanceof Error && /^(the process was killed|disk full|deadlock)/.test(error.message);

  function onStatement(): void {
    if (!life && !starting) return;
    if (life?.dead) throw failure('the process was killed');
    statements += 1;
    if (statements >= fullFrom && statements < fullFrom + again.fullStatements) throw failure('disk full');
    if (statements === killedAgainAt) {
      life?.kill();
      throw failure('the process was killed again');
    }
    if (!plague || struck || placesOf(plague.kind).place !== 'statements' || statements !== plague.at) return;
    struck = true;
    switch (plague.kind) {
      case 'statement fails':
        throw failure('disk full');
      case 'disk full for a while':
        fullFrom = statements;
        throw failure('disk full');
      case 'deadlock':
        throw failure('deadlock detected', '40P01');
      case 'directory changes beside a statement':
        if (life) void others.changeDirectory();
        return;
      case 'killed twice':
        killedAgainAt = statements + again.afterKill(plague.at);
        break;
      case 'killed, then disk full':
        fullFrom = statements + again.afterKill(plague.at);
        break;
    }
    life?.kill();
    throw failure('the process was killed');
  }

  function fateOf(): Fate {
    exchanges += 1;
    if (clock.monotonic() < outageEnds) return fateInOutage(plague!.kind)!;
    if (!plague || struck || placesOf(plague.kind).place !== 'exchanges' || exchanges !== plague.at) {
      return { fate: 'answered' };
    }
    struck = true;
    if (fateInOutage(plague.kind)) outageEnds = clock.monotonic() + again.outageMs;
    return fateOfStruck(plague.kind, others);
  }

  /** By another node where there can be one, else in line with the engine's own writes. */
  function meddle(work: (store: Store) => Promise<unknown>, topic: 'changes' | 'targets'): Promise<void> {
    const store = watch.dialect.capabilities.manyNodes ? watch : life!.store;
    const done = work(store).then(
      () => {
        store.signal(topic);
        if (life && store !== life.store) life.store.signal(topic);
      },
      (error) => {
        if (!isOurs(error)) throw error;
      },
    );
    meddling = Promise.all([meddling, done]);
    return done;
  }

  const kinds = [makeMemoryKind(() => traits)];
  const writeTarget = (input: Record<string, unknown>) =>
    meddle(
      (store) =>
        store.write((tx) =>
          replaceTarget(tx, { key: base.key, kinds }, base.targetId, { settings: {}, policy, ...input }),
        ),
      'targets',
    );
  const others = {
    changeDirectory: () =>
      meddle(async (store) => {
        const id = await interfere(base.origin, store, plague!.at);
        if (id !== undefined) touched.add(id);
      }, 'changes'),
    changeTarget: () => writeTarget({ policy: { ...policy, nestedGroups: 'native' } }),
    switchTargetOff() {
      byItself(again.offMs, () => void writeTarget({ enabled: true }));
      return writeTarget({ enabled: false });
    },
    stepClock: (ms: number) => clock.stepWall(ms),
  };

  function byItself(ms: number, happen: () => void): void {
    const event = () => {
      late.delete(event);
      happen();
    };
    late.add(event);
    clock.after(ms, event);
  }

  async function start(): Promise<Life> {
    for (;;) {
      starting = true;
      const fresh = await places.take(onStatement);
      try {
        const started = await startLife({
          store: fresh.store,
          clock,
          key: base.key,
          traits,
          target,
          timeoutMs,
          fateOf,
          deferTo: (said: Said, leftAt: number) =>
            byItself(leftAt + timeoutMs + settleMs - clock.now(), () => void target.carryOut(said)),
        });
        place = fresh;
        return started;
      } catch {
        // The fault struck while it started: a supervisor starts it again.
        await fresh.store.close();
      } finally {
        starting = false;
      }
    }
  }

  /** Whoever was killed is buried, and a fresh process takes its place. */
  async function revive(): Promise<void> {
    while (life?.dead) {
      const dead = life;
      if (!buried.has(dead)) {
        buried.add(dead);
        await dead.store.close();
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
        life!.store.signal('work');
        return value;
      } catch (error) {
        if (!isOurs(error)) throw error;
      }
    }
  }

  const isQuiet = async () => {
    if (life!.dead || life!.engine.busy || late.size > 0) return false;
    const { accounts, toPlan } = await lookAhead(watch);
    return accounts.length === 0 && !toPlan && !life!.engine.busy && !life!.dead;
  };
  /** Where nothing is kept, it is forgotten while the engine is at work: it must not need it. */
  async function forgetAll(): Promise<void> {
    const pass = openPass(life!.store, keepNothing, 'at once');
    while (await pass.step());
  }
  async function rest(): Promise<void> {
    const giveUp = performance.now() + restRealMs;
    while (!(await isQuiet())) {
      if (performance.now() > giveUp) throw new Error('it does not come to rest');
      await revive();
      if (struck && forgets(plague?.kind)) await forgetAll();
      // Real input and output gets its turn before time goes on.
      if (watch.dialect.capabilities.manyNodes) await new Promise((resolve) => setTimeout(resolve, 1));
      await clock.advance(life!.engine.busy ? 50 : 500);
    }
    await meddling;
  }

  life = await start();
  let faults: string[];
  try {
    const { passwords, signedInInVain } = await playScenario(base, write, rest);
    await rest();
    const isLetIn = (id: string) => touched.has(id) || !signedInInVain.includes(id);
    // Who is moved out of scope before a password arrives comes back without it.
    if (plague?.kind.startsWith('directory changes')) for (const last of passwords.values()) last.unclaimed = true;
    faults = await findFaults(watch, target, {
      targetId: base.targetId,
      nick: (id) => id,
      leavers: 'deleted',
      passwords,
      holds,
      nesting: struck && plague?.kind === 'target changes' ? 'native' : 'flatten',
      letIn: isLetIn,
    });
    for (const { id, attributes } of target.held.values()) {
      const mark = attributes['externalId'];
      if (typeof mark === 'string' && !isLetIn(mark)) faults.push(`${mark} is there (${id}), whom nothing let in`);
      if (id === stranger && mark === undefined && touched.size === 0) faults.push('nobody took the stranger over');
    }
  } catch (error) {
    faults = [error instanceof Error ? (error.stack ?? error.message) : String(error)];
  }
  if (faults.length === 0) {
    await life.engine.stop();
    await places.giveBack(place!);
  } else {
    life.kill();
    await life.store.close();
  }
  return { struck, faults, statements, exchanges };
}
