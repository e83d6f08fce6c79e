import { randomUUID } from 'node:crypto';

/**
 * A new subject or request id: a UUID of version 7 (RFC 9562 section 5.7), so ids made later sort later and an
 * index on them grows at its end. `now` is in milliseconds since 1970.
 */
export function newId(now: number): string {
  const time = Math.max(0, Math.floor(now)).toString(16).padStart(12, '0');
  // The random part and the variant are those of a version 4 UUID, whose bytes the runtime draws many at a time.
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`;
}
