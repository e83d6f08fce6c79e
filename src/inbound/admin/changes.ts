import type { FastifyInstance } from 'fastify';
import type { ChangeAnswer } from '../../contract/change.ts';
import type { AgingPage } from '../../contract/page.ts';
import { listChanges } from '../../directory/changes.ts';
import { readLastSeq } from '../../provisioning/inspect.ts';
import { readForgotten } from '../../provisioning/retention.ts';
import { keptFor } from './kept.ts';
import { readNames } from './names.ts';
import type { AdminParts } from './parts.ts';
import { readLimit, readNumber, readQuery, showTime } from './query.ts';
import type { StatusFacts } from './status.ts';

export function addChangeRoutes(app: FastifyInstance, { store }: AdminParts, { keep }: StatusFacts): void {
  const kept = keptFor('changes', keep.changesDays);

  /** In the order of the log, from the one after `after`; without it, the last `limit` ones (fewer where sequence numbers are missing). */
  app.get('/changes', async (request): Promise<AgingPage<ChangeAnswer>> => {
    const query = readQuery(request.query, ['after', 'limit', 'subject']);
    const limit = readLimit(query.limit);
    const given = query.after === undefined ? undefined : readSeq(query.after);
    return store.read(async (reading) => {
      const after = given ?? (query.subject === undefined ? Math.max(0, (await readLastSeq(reading)) - limit) : 0);
      const subject = query.subject === undefined ? {} : { subjectId: query.subject };
      const changes = await listChanges(reading, { after, limit: limit + 1, ...subject });
      const shown = changes.slice(0, limit);
      const names = await readNames(
        reading,
        shown.flatMap((change) => [change.subjectId, change.otherId]),
      );
      return {
        items: shown.map((change) => ({
          seq: change.seq,
          at: showTime(change.at),
          subject: names.subject(change.subjectId),
          other: change.otherId === null ? null : names.subject(change.otherId),
          door: change.door,
          actor: change.actor,
          serviceProvider: names.serviceProvider(change.spId),
        })),
        next: changes.length > limit ? String(shown.at(-1)!.seq) : null,
        gone: after < (await readForgotten(reading)).changes ? kept.older : null,
      };
    });
  });
}

const readSeq = (text: string) => readNumber(text, 'after', { absent: 0, least: 0, most: Number.MAX_SAFE_INTEGER });
