import { sql } from 'kysely';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import { prepare, type Store } from '../store/store.ts';

/**
 * What got newer, for whoever watches: the log, deliveries (attempts, held lanes, waves) or what is configured. A hint
 * of where to look again and no more; it is read from the database, so it tells of what other nodes do too.
 */
export const newsTopics = ['changes', 'deliveries', 'targets'] as const;
export type News = (typeof newsTopics)[number];

export interface Newsroom {
  /**
   * Calls `hear` with all that got newer since it was last called, from when this resolves on: whoever reads after that
   * misses nothing. The answer ends it.
   */
  listen(hear: (news: readonly News[]) => void): Promise<() => void>;
  /** Nobody hears anything any more. Safe to repeat. */
  stop(): void;
}

/** How often it looks, while anybody listens: one look serves all of them. */
const lookEveryMs = 1_000;
/** So many of the last attempts are looked at for having ended since. */
const recentAttempts = 500;

type Marks = Record<'log' | 'attempts' | 'ended' | 'ended_at' | 'lanes' | 'waves' | 'settings', unknown>;

const readMarks = prepare<Record<string, never>, Marks>(
  () => sql<Marks>`
    select (select max(seq) from changes) as log, recent.*,
      (select count(*) || ' ' || coalesce(sum(held_since + coalesce(probe_at, 0)), 0)
        from lanes where hold is not null) as lanes,
      (select count(*) || ' ' || coalesce(sum(seen + raised), 0)
        from waves where state in ('running', 'paused')) as waves,
      (select value from stamps where name = 'delivery') as settings
    from (
      select max(id) as attempts, count(ended_at) as ended, max(ended_at) as ended_at
      from (select id, ended_at from attempts order by id desc limit ${sql.lit(recentAttempts)}) last
    ) recent`,
);

export function openNewsroom({ store, clock, log }: { store: Store; clock: Clock; log: Logger }): Newsroom {
  const listeners = new Set<(news: readonly News[]) => void>();
  let before: Record<News, string> | undefined;
  let looking: Promise<void> | undefined;
  let cancel: (() => void) | undefined;
  let isStopped = false;

  async function look(): Promise<void> {
    try {
      const [row] = await store.read((reading) => reading.run(readMarks, {}));
      const now = marksOf(row!);
      const news = newsTopics.filter((topic) => before !== undefined && before[topic] !== now[topic]);
      before = now;
      if (news.length > 0) for (const hear of listeners) hear(news);
    } catch (error) {
      log.debug({ error }, 'what is new could not be read; looked for again soon');
    }
    looking = undefined;
    if (listeners.size > 0 && !isStopped) cancel = clock.after(lookEveryMs, start);
    else before = undefined;
  }

  function start(): void {
    cancel?.();
    cancel = undefined;
    looking ??= look();
  }

  return {
    async listen(hear) {
      listeners.add(hear);
      if (!before) start();
      await looking;
      return () => void listeners.delete(hear);
    },
    stop() {
      isStopped = true;
      cancel?.();
      listeners.clear();
    },
  };
}

function marksOf({ log, attempts, ended, ended_at, lanes, waves, settings }: Marks): Record<News, string> {
  return {
    changes: String(log),
    deliveries: [attempts, ended, ended_at, lanes, waves].join(' '),
    targets: String(settings),
  };
}
