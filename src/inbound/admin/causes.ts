import type { FastifyInstance } from 'fastify';
import type { CausesAnswer } from '../../contract/cause.ts';
import { listCauses } from '../../provisioning/causes.ts';
import { fixOf } from '../../provisioning/known-fixes.ts';
import { listTargets } from '../../provisioning/targets.ts';
import { readNames } from './names.ts';
import type { AdminParts } from './parts.ts';
import { readQuery, showTime } from './query.ts';

const shown = 50;

export function addCauseRoutes(app: FastifyInstance, { store }: AdminParts): void {
  app.get('/causes', async (request): Promise<CausesAnswer> => {
    readQuery(request.query, []);
    const targets = await store.read((reading) => listTargets(reading));
    const { causes, more } = await listCauses(
      store,
      targets.map((target) => target.id),
    );
    const first = causes.slice(0, shown);
    const names = await store.read((reading) =>
      readNames(
        reading,
        first.map((cause) => cause.example.subjectId),
      ),
    );
    return {
      accounts: causes.reduce((sum, { parked, failing }) => sum + parked + failing, 0),
      causes: causes.length,
      more,
      items: first.map(({ key, targetId, cause, parked, failing, since, latest, example }) => ({
        key,
        targetId,
        target: names.target(targetId),
        cause,
        parked,
        failing,
        since: since === null ? null : showTime(since),
        latest: latest === null ? null : showTime(latest),
        example: { subject: names.subject(example.subjectId), reason: example.reason },
        fix: fixOf(example.reason),
      })),
    };
  });
}
