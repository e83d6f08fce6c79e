import type { Clock } from '../../../src/base/clock.ts';
import type { Answer, Courier, OutboundRequest } from '../../../src/outbound/courier.ts';
import type { Outbound } from '../../../src/outbound/outbound.ts';
import { type Engine, startEngine } from '../../../src/provisioning/engine.ts';
import type { Store } from '../../../src/store/store.ts';
import { makeMemoryKind } from '../explorer/connector.ts';
import { silentLog } from '../explorer/ground.ts';
import type { Heard, MemoryTarget, Said, TargetTraits } from '../explorer/memory-target.ts';

/** One process, from its start until it is stopped or killed. A killed one does nothing any more: no timer, no request. */
export type Life = {
  readonly store: Store;
  readonly engine: Engine;
  readonly dead: boolean;
  kill(): void;
};

/** What becomes of one exchange. `later`: at the last moment that is allowed. */
export type Fate =
  | { fate: 'answered'; before?: () => Promise<void> }
  | { fate: 'status'; status: number; carriedOut: boolean }
  | { fate: 'not sent' }
  | { fate: 'lost'; carriedOut: 'now' | 'later' | 'never' }
  | { fate: 'stall'; ms: number }
  | { fate: 'killed'; carriedOut: 'now' | 'later' | 'never' };

const lineMs = 2;
const answerMs = 5;

export async function startLife(options: {
  store: Store;
  clock: Clock;
  key: Buffer;
  traits: TargetTraits;
  target: MemoryTarget;
  timeoutMs: number;
  /** Asked once for each exchange, directly before it leaves. */
  fateOf(): Fate;
  /** A request whose caller is gone is carried out at the last moment that is allowed. */
  deferTo(said: Said, leftAt: number): void;
}): Promise<Life> {
  const { store, clock, target, timeoutMs, fateOf, deferTo } = options;
  let dead = false;
  const mortal: Clock = {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    after: (ms, wake) =>
      clock.after(ms, () => {
        if (!dead) wake();
      }),
  };
  const pass = (ms: number) => new Promise<void>((resolve) => mortal.after(ms, resolve));
  const never = new Promise<never>(() => {});
  const answered = (heard: Heard): Answer => ({
    ended: 'answered',
    status: heard.status,
    headers: {},
    body: heard,
    text: '',
  });

  async function say(
    request: OutboundRequest,
    mutation: boolean,
    deadline: number | (() => number),
    leaving: () => void,
  ): Promise<Answer> {
    await pass(lineMs);
    const said = request.body as Said;
    const what = fateOf();
    if (what.fate === 'stall') await pass(what.ms);
    if (mutation && clock.monotonic() > (typeof deadline === 'function' ? deadline() : deadline)) {
      return { ended: 'not-sent', cause: 'deadline', reason: 'its time was over' };
    }
    if (what.fate === 'not sent') return { ended: 'not-sent', cause: 'connect', reason: 'nobody there' };
    const leftAt = clock.now();
    leaving();
    switch (what.fate) {
      case 'killed':
        if (mutation && what.carriedOut === 'now') target.carryOut(said);
        if (mutation && what.carriedOut === 'later') deferTo(said, leftAt);
        dead = true;
        return never;
      case 'lost':
        if (what.carriedOut === 'now') target.carryOut(said);
        if (mutation && what.carriedOut === 'later') deferTo(said, leftAt);
        await pass(timeoutMs);
        return { ended: 'unknown', cause: 'timeout', reason: 'no answer in time' };
      case 'status':
        if (what.carriedOut) target.carryOut(said);
        await pass(answerMs);
        return answered({ status: what.status });
      case 'answered':
        await what.before?.();
        break;
    }
    await pass(answerMs);
    return answered(target.carryOut(said));
  }

  const outbound: Outbound = {
    clock: mortal,
    courier({ deadline }): Courier {
      let asked = false;
      let mutated = false;
      return {
        exchanges: [],
        get mutated() {
          return mutated;
        },
        read: (request) => say(request, false, deadline, () => {}),
        mutate(request) {
          if (asked) throw new Error('an attempt may send one mutation');
          asked = true;
          return say(request, true, deadline, () => {
            mutated = true;
          });
        },
      };
    },
    close: async () => {},
  };
  const kinds = [makeMemoryKind(() => options.traits)];
  const engine = await startEngine({
    store,
    clock: mortal,
    log: silentLog,
    outbound,
    kinds,
    key: options.key,
    random: () => 0.5,
  });
  return {
    store,
    engine,
    get dead() {
      return dead;
    },
    kill() {
      dead = true;
    },
  };
}
