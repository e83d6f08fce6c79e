import { createHash } from 'node:crypto';

/** What stands where one account differs from another. */
const hole = '…';

/**
 * Why an account is in trouble, without what is only its own: names, ids, numbers, times and what is quoted become `…`, so
 * that what happened to many for one reason has one text. The status that a target answered with stays, as it is most of
 * the reason. `name`: of the subject, as the target may say it without quotes. `known`: what it made of others, for whoever
 * asks of many.
 */
export function causeOf(reason: string, name: string | null, known: Map<string, string> = new Map()): string {
  let text = reason.slice(0, 1_000);
  if (name !== null && name.length > 1 && mayHold(text, name)) text = text.replace(wordOf(name), hole);
  const nameless = text;
  const before = known.get(nameless);
  if (before !== undefined) return before;
  for (const [pattern, instead] of own) text = text.replace(pattern, instead);
  text = text.trim();
  if (known.size < rememberedTexts) known.set(nameless, text);
  return text;
}

const rememberedTexts = 1_000;

const own: readonly (readonly [RegExp, string])[] = [
  [/"[^"]*"|“[^”]*”|«[^»]*»|`[^`]*`/g, hole],
  // An apostrophe within a word quotes nothing.
  [/(?<![\p{L}\p{N}])'[^']*'(?![\p{L}\p{N}])/gu, hole],
  [/\b[a-z][a-z0-9+.-]*:\/\/[^\s,;)]+/gi, hole],
  [/[^\s,;:()<>]+@[^\s,;:()<>]+\.[\p{L}\p{N}]+/gu, hole],
  [/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/gi, hole],
  [/\b\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:?\d\d)?)?/g, hole],
  // Whoever has a digit among letters is an id, a token or a name with a number.
  [/\b(?=[\p{L}\d_-]*\d)(?=[\p{L}\d_-]*\p{L})[\p{L}\d][\p{L}\d_-]*/gu, hole],
  [/(?<!(?:answered|status|HTTP) )(?<![\p{L}\d])\d+(?:[.,]\d+)*(?![\p{L}\d])/giu, hole],
  // Lists of any length are one cause.
  [/(…(?: \(id …\))?)(?:(?:, | and )…(?: \(id …\))?)+/g, '$1'],
];

/**
 * Spares most texts the search for a word. Of other letters than these the search knows more forms than two; of these
 * only the long s has one more.
 */
function mayHold(text: string, name: string): boolean {
  return !/^[ -~]*$/.test(name) || text.toLowerCase().replaceAll('ſ', 's').includes(name.toLowerCase());
}

function wordOf(name: string): RegExp {
  const literal = name.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  return new RegExp(`(?<![\\p{L}\\p{N}])${literal}(?![\\p{L}\\p{N}])`, 'giu');
}

/** By which a cause is asked for: short, and the same on every server. */
export function keyOfCause(cause: string): string {
  return createHash('sha256').update(cause).digest('hex').slice(0, 16);
}
