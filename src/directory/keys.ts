import { fold } from '../base/fold.ts';
import { isJsonObject, type JsonValue } from '../protocol/scim/json.ts';

/**
 * Values that are found by an index besides names: stored folded, and cut where a database's index ends (PostgreSQL
 * takes 2,700 bytes). A cut key is longer than any whole one, so it never equals the key of another, short value.
 */
const wholeLength = 500;

/** The key of a text; two texts with the same key are the same unless `isCutKey`. */
export function indexKey(text: string): string {
  if (text.length <= wholeLength) return text;
  const cut = text.slice(0, wholeLength + 1);
  return cut.isWellFormed() ? cut : text.slice(0, wholeLength + 2);
}

/** Whether texts with this key can differ after it. */
export function isCutKey(key: string): boolean {
  return key.length > wholeLength;
}

/** Paths (attribute, sub-attribute) of multi-valued attributes that are looked up by `eq`. Add to it, and new writes are indexed. */
const indexed: readonly { attr: string; attribute: string; sub: string }[] = [
  { attr: 'emails.value', attribute: 'emails', sub: 'value' },
];

/** Whether `subject_keys` has the values of this path for users. */
export function isIndexed(attr: string): boolean {
  return indexed.some((one) => one.attr === attr);
}

/** The rows of `subject_keys` for the attributes of a user, without doubles. */
export function listKeys(attributes: Readonly<Record<string, JsonValue | undefined>>): { attr: string; key: string }[] {
  const keys: { attr: string; key: string }[] = [];
  for (const { attr, attribute, sub } of indexed) {
    const elements = attributes[attribute];
    if (!Array.isArray(elements)) continue;
    const seen = new Set<string>();
    for (const element of elements) {
      const value = isJsonObject(element) ? element[sub] : undefined;
      if (typeof value === 'string') seen.add(indexKey(fold(value)));
    }
    for (const key of seen) keys.push({ attr, key });
  }
  return keys;
}
