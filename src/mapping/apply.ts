import type { Attributes, Json, MappingRow } from './rows.ts';

export type MappingSubject = {
  kind: 'user' | 'group';
  id: string;
  /** As the target writes it (`Connector.writeName`). */
  name: string;
  /** The directory's resource, nested as SCIM nests it; extensions under their URN. */
  attributes: { readonly [name: string]: Json | undefined };
};

export type Mapped = {
  attributes: Attributes;
  /** Where each value came from: the row's `from`, or `otherwise` where the row's fallback was taken. */
  sources: Record<string, string>;
  /** Ids of the subjects that reference rows name, whether they have a remote id or not. */
  references: string[];
  /** Those of `references` without a remote id: their attributes are left out until they have one. */
  unresolved: string[];
};

/**
 * What `subject` should look like at a target. Rows of the other kind are passed over; where several rows lead to the
 * same path the last that has a value wins. An unassigned value (absent, null, empty text, list or object) is left out,
 * so that whoever compares sees it as cleared. Lists and objects are the subject's own: they are not to be changed.
 */
export function applyMapping(
  rows: readonly MappingRow[],
  subject: MappingSubject,
  resolve: (subjectId: string) => string | undefined,
): Mapped {
  const attributes: Attributes = {};
  const sources: Record<string, string> = {};
  const references = new Set<string>();
  const unresolved = new Set<string>();
  for (const row of rows) {
    if (row.kind !== subject.kind) continue;
    let value = sourceOf(row.from, subject);
    let source = row.from;
    if (row.reference && value !== undefined) {
      const id = referredId(value);
      value = undefined;
      if (id !== undefined) {
        references.add(id);
        value = resolve(id);
        if (value === undefined) unresolved.add(id);
      }
    } else if (value === undefined && row.otherwise !== undefined && isAssigned(row.otherwise)) {
      value = row.otherwise;
      source = 'otherwise';
    }
    if (value === undefined) continue;
    attributes[row.to] = value;
    sources[row.to] = source;
  }
  return { attributes, sources, references: [...references], unresolved: [...unresolved] };
}

/** The paths that `rows` decide for this kind: what a comparison with the target may look at. */
export function managedPaths(rows: readonly MappingRow[], kind: 'user' | 'group'): string[] {
  return [...new Set(rows.filter((row) => row.kind === kind).map((row) => row.to))];
}

function sourceOf(from: string, subject: MappingSubject): Json | undefined {
  if (from === '$name') return subject.name;
  if (from === '$id') return subject.id;
  return readPath(subject.attributes, from);
}

/**
 * The value at a path of a nested resource: `title`, `name.familyName`, `urn:…:User:department`,
 * `urn:…:User:manager.value`. Undefined when unassigned.
 */
export function readPath(resource: { readonly [name: string]: Json | undefined }, path: string): Json | undefined {
  let at: Json | undefined = resource as { [name: string]: Json };
  for (const step of splitPath(path)) {
    if (typeof at !== 'object' || at === null || Array.isArray(at) || !Object.hasOwn(at, step)) return undefined;
    at = at[step];
  }
  return at === undefined || !isAssigned(at) ? undefined : at;
}

/** URN (if any), attribute, sub-attribute (if any). A URN may hold dots (`…:2.0:User`), so it is cut off first. */
export function splitPath(path: string): string[] {
  const colon = path.toLowerCase().startsWith('urn:') ? path.lastIndexOf(':') : -1;
  const attribute = path.slice(colon + 1);
  const dot = attribute.indexOf('.');
  const parts = dot < 0 ? [attribute] : [attribute.slice(0, dot), attribute.slice(dot + 1)];
  return colon < 0 ? parts : [path.slice(0, colon), ...parts];
}

/** A reference is a subject's id, plain or as the `value` of a complex attribute. */
function referredId(value: Json): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const id = value.value;
  return typeof id === 'string' && id !== '' ? id : undefined;
}

function isAssigned(value: Json): boolean {
  if (value === null || value === '') return false;
  return typeof value !== 'object' || Object.keys(value).length > 0;
}
