import { setTimeout as sleep } from 'node:timers/promises';
import { Presets, SingleBar } from 'cli-progress';
import type { StatusAnswer } from '../../contract/status.ts';
import type { Client } from '../client.ts';
import { showDuration } from '../output.ts';

/** Where progress goes: a bar on a terminal, a line now and then elsewhere, or nowhere. */
export type Screen = { stream: NodeJS.WriteStream | undefined; terminal: boolean };

/** Where the deliveries of a server stand. */
export type Deliveries = {
  users: number;
  groups: number;
  accounts: number;
  done: number;
  /** Accounts with something still to deliver, and changes nobody has planned yet. */
  pending: number;
  parked: number;
  /** Why nothing is sent, where that is so. */
  held: string[];
};

export async function readDeliveries(client: Client): Promise<Deliveries> {
  const status = await client.get<StatusAnswer>('/status');
  const sum = (of: (target: StatusAnswer['targets'][number]) => number) =>
    status.targets.reduce((total, target) => total + of(target), 0);
  return {
    users: status.users,
    groups: status.groups,
    accounts: sum((target) => target.accounts),
    done: sum((target) => target.byState.done ?? 0),
    pending: status.unplannedChanges + sum((target) => target.pending),
    parked: sum((target) => target.parked),
    held: status.targets.flatMap((target) => target.held.map((lane) => `${lane.kind}s: ${lane.hold}`)),
  };
}

const pollMs = 200;
const lineEveryMs = 2_000;
/** Members wait a moment for each other before their group is sent, and nothing is pending meanwhile. */
const quietMs = 800;

/**
 * Shows how deliveries come along from now until nothing is left to do: `sending` has ended and nothing was pending for
 * a moment. Answers where they stand then; also, with something pending, when nothing at all has moved for `stallMs`.
 * `sent()` is how many users and groups have been said to Acme, `total` how many there will be.
 */
export async function followDeliveries(parts: {
  client: Client;
  screen: Screen;
  title: string;
  total: number;
  sent: () => number;
  sending: Promise<void>;
  stallMs: number;
  signal: AbortSignal;
}): Promise<Deliveries> {
  const { client, title, total, sent, stallMs, signal } = parts;
  const display = openDisplay(parts.screen, title, total);
  const began = performance.now();
  let isSending = true;
  const sending = parts.sending.finally(() => {
    isSending = false;
  });
  // Thrown below; a failure must not be unhandled until then.
  sending.catch(() => {});
  let moved = { at: began, mark: '' };
  let quietSince: number | undefined;
  let lastDone = { at: began, done: 0 };
  try {
    for (;;) {
      signal.throwIfAborted();
      const wasSending = isSending;
      const deliveries = await readDeliveries(client);
      if (!wasSending) await sending;
      const now = performance.now();
      const { pending, parked } = deliveries;
      const done = Math.max(0, Math.min(total, sent()) - pending - parked);
      // The wait for whatever may still come does not count.
      if (done !== lastDone.done || pending > 0) lastDone = { at: now, done };
      const perSecond = (done / Math.max(1, lastDone.at - began)) * 1000;
      display.show({ done, pending, parked, held: deliveries.held, perSecond });
      const mark = `${sent()} ${deliveries.done} ${pending} ${parked}`;
      if (mark !== moved.mark) moved = { at: now, mark };
      quietSince = wasSending || pending > 0 ? undefined : (quietSince ?? now);
      const isAtRest = quietSince !== undefined && now - quietSince >= quietMs;
      if (isAtRest || (!wasSending && now - moved.at > stallMs)) return deliveries;
      await sleep(pollMs, undefined, { signal });
    }
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    display.close();
  }
}

type Shown = { done: number; pending: number; parked: number; held: string[]; perSecond: number };

function openDisplay({ stream, terminal }: Screen, title: string, total: number) {
  const leftOf = ({ done, perSecond }: Shown) => {
    if (done >= total) return '0 s';
    return perSecond > 0 ? showDuration(((total - done) / perSecond) * 1000) : '-';
  };
  if (!stream) return { show() {}, close() {} };
  if (!terminal) {
    let last = Number.NEGATIVE_INFINITY;
    let line = '';
    let written = '';
    const write = () => {
      if (line !== written) stream.write(`${line}\n`);
      written = line;
    };
    return {
      show(shown: Shown) {
        const { done, pending, parked, held, perSecond } = shown;
        const why = held.length > 0 ? ` held: ${held.join('; ')}` : '';
        line = `${title}: ${done} of ${total} done, ${pending} pending, ${parked} failed, ${Math.round(perSecond)}/s, ${leftOf(shown)} left${why}`;
        if (performance.now() - last < lineEveryMs) return;
        last = performance.now();
        write();
      },
      close: write,
    };
  }
  const bar = new SingleBar(
    {
      stream,
      format: `${title.padEnd(8)} {bar} {value}/{total} done  {pending} pending  {parked} failed  {rate}/s  {left} left{why}`,
      barsize: 24,
      hideCursor: true,
      gracefulExit: false,
      stopOnComplete: false,
    },
    Presets.shades_classic,
  );
  bar.start(total, 0, { pending: 0, parked: 0, rate: 0, left: '-', why: '' });
  return {
    show(shown: Shown) {
      const { done, pending, parked, held, perSecond } = shown;
      const why = held.length > 0 ? `  ${held.join('; ')}` : '';
      bar.update(done, { pending, parked, rate: Math.round(perSecond), left: leftOf(shown), why });
    },
    close: () => bar.stop(),
  };
}
