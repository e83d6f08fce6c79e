import { Presets, SingleBar } from 'cli-progress';
import type { SyncAnswer } from '../contract/sync.ts';
import { type Output, showDuration } from './output.ts';

const lineEveryMs = 2_000;

/** How a sync comes along: a bar on a terminal, a line now and then in a pipe, nothing with `--json`. */
export function openSyncProgress(out: Output, target: string): { show(answer: SyncAnswer): void; close(): void } {
  if (out.json) return { show() {}, close() {} };
  return out.terminal ? openBar(target) : openLines(out, target);
}

function openLines(out: Output, target: string) {
  let last = Number.NEGATIVE_INFINITY;
  return {
    show(answer: SyncAnswer) {
      if (performance.now() - last < lineEveryMs) return;
      last = performance.now();
      const { seen, total, perSecond } = answer.sync!;
      const speed = perSecond === null ? '-' : `${Math.round(perSecond)}/s`;
      out.write(
        `${target}: ${seen} of ${total} looked at, ${answer.pending} pending, ${speed}, ${leftOf(answer)} left${whyOf(answer)}\n`,
      );
    },
    close() {},
  };
}

function openBar(target: string) {
  const bar = new SingleBar(
    {
      stream: process.stderr,
      format: `${target} {bar} {value}/{total}  {pending} pending  {rate}/s  {left} left{why}`,
      barsize: 24,
      hideCursor: true,
      gracefulExit: false,
      stopOnComplete: false,
    },
    Presets.shades_classic,
  );
  let open = false;
  return {
    show(answer: SyncAnswer) {
      const { seen, total, perSecond } = answer.sync!;
      const shown = {
        pending: answer.pending,
        rate: perSecond === null ? '-' : Math.round(perSecond),
        left: leftOf(answer),
        why: whyOf(answer),
      };
      if (!open) bar.start(total, seen, shown);
      open = true;
      bar.setTotal(total);
      bar.update(seen, shown);
    },
    close() {
      if (open) bar.stop();
      open = false;
    },
  };
}

function leftOf({ sync }: SyncAnswer): string {
  return sync?.secondsLeft === null || sync === null ? '-' : showDuration(sync.secondsLeft * 1_000);
}

/** Why it may stand still. */
function whyOf({ held }: SyncAnswer): string {
  return held.length === 0 ? '' : `  held: ${held.map((lane) => `${lane.kind}s: ${lane.hold}`).join('; ')}`;
}
