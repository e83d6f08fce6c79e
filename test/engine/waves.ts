import { replaceBindings } from '../../src/provisioning/service-providers.ts';
import { startSync, type Wave } from '../../src/provisioning/waves.ts';
import type { EngineBed } from './bed.ts';

/** Asks for a sync of the bed's first target, as an operator does. */
export async function askForSync(bed: EngineBed): Promise<Wave> {
  const { targetId } = bed;
  const wave = await bed.store.write((tx) => startSync(tx, { targetId, kinds: ['user', 'group'], actor: 'operator' }));
  bed.store.signal('changes');
  return wave;
}

export function listWaves(bed: EngineBed): Promise<Wave[]> {
  return bed.store.read((r) => r.all(r.q.selectFrom('waves').selectAll().orderBy('id'))) as Promise<Wave[]>;
}

/** Binds a service provider to the bed's first target, or to nothing. */
export async function bind(bed: EngineBed, spId: number, enabled: boolean | 'not at all'): Promise<void> {
  const bindings = enabled === 'not at all' ? [] : [{ target: bed.targetId, enabled }];
  await bed.store.write((tx) => replaceBindings(tx, spId, bindings));
  bed.store.signal('targets');
}

/** `each` names them. */
export async function addUsers(bed: EngineBed, count: number, each: (n: number) => string): Promise<string[]> {
  const ids: string[] = [];
  for (let n = 0; n < count; n++) ids.push(await bed.addUser(each(n)));
  return ids;
}
