/**
 * What may have happened at a target without our knowing: written before a request leaves, cleared only by a recorded
 * answer (engine rules 7 and 8). `names` are all the names a resource may bear that we may have made; `paths` (only for
 * accounts that we adopted) all the attributes that we may have set there. `twin`: a creation was sent after its lease, so
 * that two resources may bear our mark. `aside`: ids that were set aside because the target said that it has no such
 * resource (rule 17). It may have been wrong, and not every resource that is ours bears our mark: one that was just
 * adopted does not yet, and some targets keep no marks.
 */
export type Doubt = { names: string[]; paths?: string[]; twin?: true; aside?: string[] };

/** More renames than this between two answers keep the latest. */
const namesKept = 20;
const asideKept = 3;

export function readDoubt(text: string | null): Doubt | null {
  return text === null ? null : (JSON.parse(text) as Doubt);
}

/** The doubt after more names and attributes were (or may be) sent. */
export function addDoubt(
  doubt: Doubt | null,
  names: readonly (string | undefined)[],
  paths: readonly string[] = [],
): Doubt {
  const all = [...(doubt?.names ?? []), ...names.filter((name): name is string => name !== undefined && name !== '')];
  const set = new Set([...(doubt?.paths ?? []), ...paths]);
  return {
    names: [...new Set(all)].slice(-namesKept),
    ...(set.size > 0 ? { paths: [...set] } : {}),
    ...(doubt?.twin ? { twin: true } : {}),
    ...(doubt?.aside ? { aside: doubt.aside } : {}),
  };
}

export function addAside(doubt: Doubt, ids: readonly string[]): Doubt {
  const all = [...new Set([...(doubt.aside ?? []), ...ids])].slice(-asideKept);
  return all.length === 0 ? doubt : { ...doubt, aside: all };
}
