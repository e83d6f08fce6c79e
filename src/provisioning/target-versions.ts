import { prepare, type Reading } from '../store/store.ts';

const selectVersions = prepare<{ ids: string }, { id: number; version: number }>((q, p, d) =>
  q
    .selectFrom('targets')
    .innerJoin(d.rowsOf<{ id: number }, 'r'>(p.ids, 'r', { id: 'int' }), 'r.id', 'targets.id')
    .where('targets.removed_at', 'is', null)
    .select(['targets.id', 'targets.version']),
);

/** The version each of these targets has by now (engine rule 5). A target that is gone is missing from the answer. */
export async function readTargetVersions(reading: Reading, ids: readonly number[]): Promise<Map<number, number>> {
  const rows = await reading.run(selectVersions, { ids: JSON.stringify(ids.map((id) => ({ id }))) });
  return new Map(rows.map((row) => [row.id, row.version]));
}
