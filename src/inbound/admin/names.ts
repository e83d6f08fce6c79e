import type { SubjectRef } from '../../contract/page.ts';
import { nameSubjects } from '../../provisioning/inspect.ts';
import { listServiceProviders } from '../../provisioning/service-providers.ts';
import { listTargets } from '../../provisioning/targets.ts';
import type { Reading } from '../../store/store.ts';

/** Names for the ids of a page of rows. */
export type Names = {
  subject(id: string): SubjectRef;
  target(id: number): string;
  serviceProvider(id: number): string;
};

/** Reads the names that these rows need; the few targets and service providers are read whole. */
export async function readNames(reading: Reading, subjectIds: Iterable<string | null>): Promise<Names> {
  const subjects = await nameSubjects(reading, subjectIds);
  const targets = new Map((await listTargets(reading)).map((target) => [target.id, target.name]));
  const providers = new Map((await listServiceProviders(reading)).map((provider) => [provider.id, provider.name]));
  return {
    subject(id) {
      const known = subjects.get(id);
      return known
        ? { id, kind: known.kind, name: known.fullName, life: known.life }
        : { id, kind: 'user', name: id, life: 'gone' };
    },
    target: (id) => targets.get(id) ?? String(id),
    serviceProvider: (id) => providers.get(id) ?? String(id),
  };
}
