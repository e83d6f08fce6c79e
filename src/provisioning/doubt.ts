/**
 * What may have happened at a target without our knowing: written before a request leaves, cleared only by a recorded
 * answer (engine rules 7 and 8). `names` are all the names a resource may bear that we may have made.
 */
export type Doubt = { names: string[] };

/** More renames than this between two answers keep the latest. */
const namesKept = 20;

export function readDoubt(text: string | null): Doubt | null {
  return text === null ? null : (JSON.parse(text) as Doubt);
}

/** The doubt after one more name was (or may be) sent. */
export function addDoubt(doubt: Doubt | null, names: readonly (string | undefined)[]): Doubt {
  const all = [...(doubt?.names ?? []), ...names.filter((name): name is string => name !== undefined && name !== '')];
  return { names: [...new Set(all)].slice(-namesKept) };
}
