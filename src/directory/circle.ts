import type { Tx } from '../store/store.ts';

/**
 * Subjects made in one transaction that name each other, so that whoever is made first names somebody who is not there
 * yet. The ids are known before (`newId`). What names them is left out and done in the end: then nobody ever sees one
 * of them without the other.
 */
export type Circle = {
  /** Who is still to be made. */
  readonly coming: Set<string>;
  /** What is left to do once all are there. */
  readonly rest: ((tx: Tx) => Promise<unknown>)[];
};

/** Makes them in this order, each with the function under its id. Throws what one of them throws. */
export async function makeCircle<T>(
  tx: Tx,
  makers: readonly { id: string; make(tx: Tx, circle: Circle): Promise<T> }[],
): Promise<T[]> {
  const circle: Circle = { coming: new Set(makers.map(({ id }) => id)), rest: [] };
  const made: T[] = [];
  for (const { id, make } of makers) {
    made.push(await make(tx, circle));
    circle.coming.delete(id);
  }
  for (const each of circle.rest) await each(tx);
  return made;
}
