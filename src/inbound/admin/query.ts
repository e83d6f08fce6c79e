import { Problem } from '../../base/problem.ts';
import { isStorable } from '../door.ts';

export type Query = Record<string, unknown>;

/** The query string as an object of single texts. Throws Problem `invalidValue` for a parameter that is not known. */
export function readQuery(query: unknown, known: readonly string[]): Record<string, string | undefined> {
  const given = (query ?? {}) as Query;
  for (const [name, value] of Object.entries(given)) {
    if (!known.includes(name)) {
      const list = known.length === 0 ? 'this resource takes none' : `known are ${known.join(', ')}`;
      throw new Problem('invalidValue', `there is no parameter ${name}: ${list}`, { field: name });
    }
    if (typeof value !== 'string') throw new Problem('invalidValue', `${name} is given twice`, { field: name });
    if (!isStorable(value)) throw new Problem('invalidValue', `${name} must not hold U+0000`, { field: name });
  }
  return given as Record<string, string | undefined>;
}

/** A whole number of at least `least`; more than `most` is refused too. */
export function readNumber(
  text: string | undefined,
  field: string,
  options: { absent: number; least: number; most: number },
): number {
  if (text === undefined) return options.absent;
  const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!(number >= options.least && number <= options.most)) {
    const why = `${field} must be a whole number from ${options.least} to ${options.most}, not ${text.slice(0, 40)}`;
    throw new Problem('invalidValue', why, { field });
  }
  return number;
}

export const readLimit = (text: string | undefined) =>
  readNumber(text, 'limit', { absent: 100, least: 1, most: 1_000 });

export function readOneOf<C extends string>(
  text: string | undefined,
  field: string,
  choices: readonly C[],
): C | undefined {
  if (text === undefined) return undefined;
  if (!choices.includes(text as C)) {
    throw new Problem('invalidValue', `${field} must be one of ${choices.join(', ')}, not ${text.slice(0, 40)}`, {
      field,
    });
  }
  return text as C;
}

/** The cursor of a page: opaque to callers. */
export function writeCursor(parts: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

export function readCursor(text: string | undefined): (string | number)[] | undefined {
  if (text === undefined) return undefined;
  try {
    const parts = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    if (Array.isArray(parts) && parts.every(isCursorPart)) return parts;
  } catch {
    // Said below.
  }
  throw new Problem('invalidValue', 'after must be the next of the page before', { field: 'after' });
}

function isCursorPart(part: unknown): boolean {
  return typeof part === 'number' || (typeof part === 'string' && isStorable(part));
}

/** ISO 8601 of milliseconds since 1970. */
export function showTime(at: number): string {
  return new Date(at).toISOString();
}
