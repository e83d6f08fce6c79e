import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { Problem } from '../base/problem.ts';
import { isJsonObject, type JsonValue } from '../protocol/scim/json.ts';
import { comparisonValue } from '../protocol/scim/match.ts';
import type { ResourceType, UniquePath } from '../protocol/scim/schema.ts';
import { prepare, type Tx, UniqueViolation } from '../store/store.ts';
import type { Attributes, Subject } from './subjects.ts';

/**
 * Values of extension attributes with `uniqueness: server` (RFC 7643 section 7): the table `unique_values` has each of
 * them once for all users, or all groups, and its primary key decides between two writers. `declared-attributes.ts`
 * fills it for what was there before an attribute was declared so.
 */

type UniqueValue = { path: string; key: string };

/** Longest value that is its own key; of longer ones the key is a digest. */
const wholeLength = 200;

/** The key of a value in the form in which values of its attribute are compared: equal exactly when those are. */
export function uniqueKey(compared: string | number | boolean): string {
  const text = String(compared);
  return text.length <= wholeLength ? `=${text}` : `#${createHash('sha256').update(text).digest('hex')}`;
}

/** The unique values a subject has at these paths, each once, in one order for all writers. */
export function listUniqueValues(paths: readonly UniquePath[], attributes: Attributes): UniqueValue[] {
  const found = paths.flatMap(({ path, extension, attribute, sub }) => {
    const leaf = sub ?? attribute;
    const keys = valuesAt(attributes, extension, attribute.name, sub?.name).flatMap((value) => {
      const compared = comparisonValue(leaf, value);
      return compared === undefined ? [] : [uniqueKey(compared)];
    });
    return [...new Set(keys)].sort().map((key) => ({ path, key }));
  });
  return found.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

function valuesAt(attributes: Attributes, extension: string, name: string, sub: string | undefined): JsonValue[] {
  const container = attributes[extension];
  const values = isJsonObject(container) ? listValues(container[name]) : [];
  return sub === undefined ? values : values.flatMap((one) => (isJsonObject(one) ? listValues(one[sub]) : []));
}

function listValues(value: JsonValue | undefined): JsonValue[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}

const insertValue = prepare<{ kind: string; attr: string; key: string; id: string }, never>(
  (_, p) => sql`
    insert into unique_values (kind, attr, value_key, subject_id) values (${p.kind}, ${p.attr}, ${p.key}, ${p.id})`,
);
const deleteValue = prepare<{ kind: string; attr: string; key: string }, never>(
  (_, p) => sql`
    delete from unique_values where kind = ${p.kind} and attr = ${p.attr} and value_key = ${p.key}`,
);
const deleteValues = prepare<{ id: string }, never>(
  (_, p) => sql`delete from unique_values where subject_id = ${p.id}`,
);

/**
 * Keeps `unique_values` in step with a subject's attributes, whose row the caller holds. Throws
 * `Problem('uniqueness')` naming the attribute when somebody else has one of its values.
 */
export async function writeUniqueValues(
  tx: Tx,
  type: ResourceType,
  { id, kind }: Pick<Subject, 'id' | 'kind'>,
  before: Attributes,
  after: Attributes,
): Promise<void> {
  if (type.unique.length === 0) return;
  const had = listUniqueValues(type.unique, before);
  const has = listUniqueValues(type.unique, after);
  const isIn = (list: readonly UniqueValue[], one: UniqueValue) =>
    list.some(({ path, key }) => path === one.path && key === one.key);
  for (const one of had) {
    if (!isIn(has, one)) await tx.run(deleteValue, { kind, attr: one.path.toLowerCase(), key: one.key });
  }
  for (const one of has) {
    if (isIn(had, one)) continue;
    try {
      await tx.run(insertValue, { kind, attr: one.path.toLowerCase(), key: one.key, id });
    } catch (error) {
      if (!(error instanceof UniqueViolation)) throw error;
      // The value is not repeated: it may be one that is never given out.
      throw new Problem('uniqueness', `Another ${kind} has this value of "${one.path}" already; it is unique.`, {
        field: one.path,
        cause: error,
      });
    }
  }
}

export async function dropUniqueValues(tx: Tx, id: string): Promise<void> {
  await tx.run(deleteValues, { id });
}
