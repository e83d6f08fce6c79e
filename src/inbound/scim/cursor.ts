import { createHash } from 'node:crypto';
import { Problem } from '../../base/problem.ts';
import { type SealingKey, seal, unseal } from '../../base/secret.ts';
import type { Place } from '../../directory/search.ts';

/** Where the next page begins, and how many there were in all when the walk began. */
export type Cursor = { place: Place; total: number };

/** A sealed value as it goes over the wire: characters that need no escape in an address (RFC 9865 section 2). */
const form = /^v1\.[A-Za-z0-9_-]+$/;

/**
 * A cursor holds all there is to know, so that no server keeps anything and none expires. It is sealed: nobody reads
 * values out of it or makes one. `asked` is what the walk is about; the cursor opens with the same alone.
 */
export function writeCursor(key: SealingKey, { place, total }: Cursor, asked: readonly unknown[]): string {
  return seal(key, JSON.stringify([place.key, place.id, total]), contextOf(asked));
}

/** Throws `Problem('invalidCursor')` for what `writeCursor` did not answer for the same `asked`. */
export function readCursor(key: SealingKey, text: string, asked: readonly unknown[]): Cursor {
  try {
    if (!form.test(text)) throw new Error('not the form of a cursor');
    const opened = unseal(key, text, contextOf(asked)).reveal();
    const [value, id, total] = JSON.parse(opened) as [Place['key'], string, number];
    return { place: { key: value, id }, total };
  } catch (cause) {
    const why = 'It was not given here, or was given for another filter, order, domain or address.';
    throw new Problem('invalidCursor', `This cursor cannot be used. ${why} Begin again with an empty one.`, {
      field: 'cursor',
      cause,
    });
  }
}

function contextOf(asked: readonly unknown[]): string {
  return `scim cursor ${createHash('sha256').update(JSON.stringify(asked)).digest('base64')}`;
}
