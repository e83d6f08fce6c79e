import { Problem } from '../base/problem.ts';

/** Lets a few run at once and refuses, with Problem `overloaded`, when too many wait. */
export function openGate({ atOnce, waitingAtMost }: { atOnce: number; waitingAtMost: number }) {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (running >= atOnce) {
      if (waiting.length >= waitingAtMost) {
        throw new Problem('overloaded', 'Too many sign-ins at once. Try again in a few seconds.');
      }
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
    running++;
    try {
      return await work();
    } finally {
      running--;
      waiting.shift()?.();
    }
  };
}
