import type { Topic } from './store.ts';

/** Listeners of this process by topic. A listener that throws does not keep the others from hearing. */
export function openSignals() {
  const listeners = new Map<Topic, Set<() => void>>();
  return {
    emit(topic: Topic): void {
      for (const listener of listeners.get(topic) ?? []) listener();
    },
    on(topic: Topic, listener: () => void): () => void {
      const set = listeners.get(topic) ?? new Set();
      listeners.set(topic, set.add(listener));
      return () => set.delete(listener);
    },
  };
}
