import { fold } from '../base/fold.ts';
import { Problem } from '../base/problem.ts';

const longestName = 120;

/**
 * The name of an identity provider or service provider as it is kept: not empty, at most 120 characters, no slash, no
 * colon (`partner:SCIM2` names a target), no control characters, no spaces around it, not a number alone, because a
 * number in an address is an id, and not `.` or `..`, which lead elsewhere in an address.
 */
export function readName(value: unknown, what: string): { name: string; key: string } {
  const refuse = (why: string) => {
    throw new Problem('invalidValue', `the name of ${what} ${why}`, { field: 'name' });
  };
  if (typeof value !== 'string' || value === '') return refuse('is required');
  if (value.length > longestName) return refuse(`is longer than ${longestName} characters`);
  if (value !== value.trim()) return refuse('must not begin or end with a space');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\u0000-\u001f\u007f/:]/.test(value)) return refuse('must not hold slashes, colons or control characters');
  if (value === '.' || value === '..') return refuse('must not be dots alone');
  if (/^\d+$/.test(value)) return refuse('must not be a number alone: numbers are ids');
  return { name: value, key: fold(value) };
}

/** A text that may be absent: trimmed of nothing, empty counts as absent. `longest` in characters. */
export function readOptionalText(value: unknown, field: string, longest: number): string | null {
  if (value === undefined || value === null || value === '') return null;
  if (typeof value !== 'string') throw new Problem('invalidValue', `${field} must be a text`, { field });
  if (value.length > longest) {
    throw new Problem('invalidValue', `${field} is longer than ${longest} characters`, { field });
  }
  if (value.includes('\u0000')) throw new Problem('invalidValue', `${field} must not hold a NUL`, { field });
  return value;
}

/** A true or false that may be absent. */
export function readFlag(value: unknown, field: string, absent: boolean): boolean {
  if (value === undefined) return absent;
  if (typeof value !== 'boolean') throw new Problem('invalidValue', `${field} must be true or false`, { field });
  return value;
}

/** The object itself, when it is one and holds no key but these. */
export function readFields(value: unknown, field: string, known: readonly string[]): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Problem('invalidValue', `${field} must be an object`, { field });
  }
  for (const key of Object.keys(value)) {
    if (!known.includes(key)) {
      const path = field === 'body' ? key : `${field}.${key}`;
      throw new Problem('invalidValue', `there is no ${path}; known are ${known.join(', ')}`, { field: path });
    }
  }
  return value as Record<string, unknown>;
}
