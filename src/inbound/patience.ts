import type { FastifyReply } from 'fastify';
import { Problem } from '../base/problem.ts';
import type { Door } from './door.ts';

/**
 * A search that may have to look at everybody: `signal` breaks it off when nobody waits for its answer any more, and,
 * with `Problem('tooMany')`, when it took longer than a search may (`DoorLimits`).
 */
export async function searchWithPatience<T>(
  reply: FastifyReply,
  { clock, limits }: Pick<Door, 'clock' | 'limits'>,
  search: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const leave = () => over.abort(new Problem('overloaded', 'The client went away before its answer was there.'));
  reply.raw.once('close', leave);
  if (reply.raw.destroyed) leave();
  const cancel = clock.after(limits.searchMs, () => over.abort(tooLong(limits.searchMs)));
  try {
    return await search(over.signal);
  } finally {
    cancel();
    reply.raw.off('close', leave);
  }
}

function tooLong(searchMs: number): Problem {
  const seconds = Math.round(searchMs / 100) / 10;
  return new Problem(
    'tooMany',
    `No index answers this search, and looking at everybody took longer than ${seconds} s. Narrow it by the name, externalId, id or e-mail address, or walk everybody with "cursor" and choose on your side.`,
    { field: 'filter' },
  );
}
