import type { Clock } from '../base/clock.ts';

const mostRemembered = 10_000;

/** Values that are believed for `keepMs`; the oldest go when there are too many. */
export function openMemory<V>(clock: Clock, keepMs: number) {
  const values = new Map<string, { value: V; until: number }>();
  return {
    get(key: string): V | undefined {
      const found = values.get(key);
      if (found === undefined) return undefined;
      if (found.until > clock.monotonic()) return found.value;
      values.delete(key);
      return undefined;
    },
    set(key: string, value: V): void {
      values.delete(key);
      values.set(key, { value, until: clock.monotonic() + keepMs });
      if (values.size > mostRemembered) values.delete(values.keys().next().value!);
    },
    clear: () => values.clear(),
  };
}
