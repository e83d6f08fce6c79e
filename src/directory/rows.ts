import { sql } from 'kysely';
import { fold } from '../base/fold.ts';
import { Problem } from '../base/problem.ts';
import { comparable } from '../protocol/scim/comparable.ts';
import { isJsonObject, type JsonValue } from '../protocol/scim/json.ts';
import type { Resource } from '../protocol/scim/resource.ts';
import { enterpriseUserUrn, type ResourceType } from '../protocol/scim/schema.ts';
import { prepare, type Tx, UniqueViolation } from '../store/store.ts';
import type { Origin } from './changes.ts';
import { primaryDomain } from './domains.ts';
import { indexKey, listKeys } from './keys.ts';
import { nameInDomain, readName, type SubjectName } from './names.ts';
import { type Attributes, nameAttribute, type Subject } from './subjects.ts';
import { dropUniqueValues, writeUniqueValues } from './unique-values.ts';

/** Writes the rows of `subjects` and `subject_keys`. Callers hold the subject's row and have appended its change. */

const insertSubject = prepare<RowParams & { kind: string; created: number }, never>(
  (_, p) => sql`
    insert into subjects (id, kind, domain, name_key, life, seq, external_id, display_key, doc, version, created_at, modified_at)
    values (${p.id}, ${p.kind}, ${p.domain}, ${p.name}, 'live', ${p.seq}, ${p.external}, ${p.display}, ${p.doc},
      ${p.version}, ${p.created}, ${p.modified})`,
);

const updateSubject = prepare<RowParams, never>(
  (_, p) => sql`
    update subjects set domain = ${p.domain}, name_key = ${p.name}, seq = ${p.seq}, external_id = ${p.external},
      display_key = ${p.display}, doc = ${p.doc}, version = ${p.version}, modified_at = ${p.modified}
    where id = ${p.id}`,
);

const burySubject = prepare<{ id: string; seq: number; doc: string; modified: number }, never>(
  (_, p) => sql`
    update subjects set life = 'gone', seq = ${p.seq}, external_id = null, display_key = null, doc = ${p.doc},
      version = version + 1, modified_at = ${p.modified} where id = ${p.id}`,
);

const touchGroups = prepare<{ rows: string; modified: number }, never>((_, p, d) => {
  const rows = d.rowsOf<{ id: string; seq: number }, 'r'>(p.rows, 'r', { id: 'text', seq: 'int' });
  return sql`
    update subjects set version = version + 1, modified_at = ${p.modified},
      seq = (select r.seq from ${rows} where r.id = subjects.id)
    where id in (select r.id from ${rows})`;
});

const insertKey = prepare<{ id: string; kind: string; attr: string; key: string }, never>(
  (_, p) =>
    sql`insert into subject_keys (subject_id, kind, attr, value_key) values (${p.id}, ${p.kind}, ${p.attr}, ${p.key})`,
);
const deleteKeys = prepare<{ id: string }, never>((_, p) => sql`delete from subject_keys where subject_id = ${p.id}`);

type RowParams = {
  id: string;
  domain: string;
  name: string;
  seq: number;
  external: string | null;
  display: string | null;
  doc: string;
  version: number;
  modified: number;
};

/** What `attributes` of a subject holds of a resource: its name as it is stored, nothing the server itself knows. */
export function toAttributes(kind: Subject['kind'], resource: Resource, name: SubjectName): Attributes {
  const {
    id: _id,
    meta: _meta,
    schemas: _schemas,
    password: _password,
    members: _members,
    groups: _groups,
    ...rest
  } = resource;
  const attributes: Attributes = { ...(rest as Attributes), [nameAttribute[kind]]: name.fullName };
  if (kind === 'user') dropManagerRef(attributes);
  return attributes;
}

/** The manager's address follows from the id, where there is one: who puts back what was read changes nothing. */
function dropManagerRef(attributes: Attributes): void {
  const enterprise = attributes[enterpriseUserUrn];
  if (!isJsonObject(enterprise) || !isJsonObject(enterprise.manager)) return;
  const { $ref, ...manager } = enterprise.manager;
  if ($ref === undefined || manager.value === undefined) return;
  attributes[enterpriseUserUrn] = { ...enterprise, manager };
}

/** Inserts a new live subject. Throws `Problem('uniqueness')` when its name, or a value that is unique, is taken. */
export async function insertRow(
  tx: Tx,
  subject: Omit<Subject, 'name' | 'fullName' | 'domain'>,
  name: SubjectName,
  type: ResourceType,
): Promise<Subject> {
  const { kind, createdAt } = subject;
  const params = { ...paramsOf(subject, name), kind, created: createdAt };
  await guardName(kind, name, () => tx.run(insertSubject, params));
  await insertKeys(tx, subject);
  await writeUniqueValues(tx, type, subject, {}, subject.attributes);
  return { ...subject, domain: name.domain, name: name.name, fullName: name.fullName };
}

/** Writes what became of a subject, one version on. Throws `Problem('uniqueness')` as `insertRow` does. */
export async function updateRow(
  tx: Tx,
  before: Subject,
  change: { attributes: Attributes; name: SubjectName; seq: number },
  type: ResourceType,
): Promise<Subject> {
  const { attributes, name, seq } = change;
  const after: Subject = {
    ...before,
    domain: name.domain,
    name: name.name,
    fullName: name.fullName,
    attributes,
    seq,
    version: before.version + 1,
    modifiedAt: tx.now,
  };
  await guardName(before.kind, name, () => tx.run(updateSubject, paramsOf(after, name)));
  if (JSON.stringify(listKeys(before.attributes)) !== JSON.stringify(listKeys(attributes))) {
    await tx.run(deleteKeys, { id: before.id });
    await insertKeys(tx, after);
  }
  await writeUniqueValues(tx, type, before, before.attributes, attributes);
  return after;
}

/** Makes a tombstone: id, kind, domain and name stay, everything else goes, and the name is free. */
export async function buryRow(tx: Tx, subject: Subject, seq: number): Promise<void> {
  const doc = JSON.stringify({ [nameAttribute[subject.kind]]: subject.fullName });
  await tx.run(burySubject, { id: subject.id, seq, doc, modified: tx.now });
  await tx.run(deleteKeys, { id: subject.id });
  await dropUniqueValues(tx, subject.id);
}

/** Notes on groups whose members changed: the sequence of their latest change, and one version on. */
export async function touchRows(tx: Tx, seqs: ReadonlyMap<string, number>): Promise<void> {
  if (seqs.size === 0) return;
  const rows = [...seqs].map(([id, seq]) => ({ id, seq }));
  await tx.run(touchGroups, { rows: JSON.stringify(rows), modified: tx.now });
}

/** Whether two states of a subject differ in anything a client could see. */
export function isSame(before: Attributes, after: Attributes): boolean {
  return comparable(before) === comparable(after);
}

async function insertKeys(
  tx: Tx,
  subject: { id: string; kind: Subject['kind']; attributes: Attributes },
): Promise<void> {
  if (subject.kind !== 'user') return;
  for (const { attr, key } of listKeys(subject.attributes)) {
    await tx.run(insertKey, { id: subject.id, kind: subject.kind, attr, key });
  }
}

function paramsOf(
  subject: Pick<Subject, 'id' | 'kind' | 'seq' | 'version' | 'attributes' | 'modifiedAt'>,
  name: SubjectName,
): RowParams {
  const { attributes } = subject;
  return {
    id: subject.id,
    domain: name.domain,
    name: name.nameKey,
    seq: subject.seq,
    external: keyOf(attributes.externalId),
    display: subject.kind === 'user' ? keyOf(attributes.displayName, fold) : null,
    doc: JSON.stringify(attributes),
    version: subject.version,
    modified: subject.modifiedAt,
  };
}

function keyOf(value: JsonValue | undefined, form: (text: string) => string = (text) => text): string | null {
  return typeof value === 'string' ? indexKey(form(value)) : null;
}

async function guardName<T>(kind: Subject['kind'], name: SubjectName, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (!(error instanceof UniqueViolation)) throw error;
    const field = nameAttribute[kind];
    throw new Problem('uniqueness', `There is a ${kind} with the ${field} "${name.fullName}" already.`, {
      field,
      cause: error,
    });
  }
}

/** The stored name of a subject as `readName` would answer it. */
export function nameOf(subject: Subject): SubjectName {
  const { domain, fullName } = subject;
  return { domain, name: nameInDomain(domain, fullName), fullName, nameKey: fold(fullName) };
}

/**
 * The name after a write. Without a prefix it stays in its domain if that is the one set for the service provider, whose
 * client need not know of it. Throws `Problem('mutability')` where it would lead into another user store domain.
 */
export async function renamed(
  tx: Tx,
  before: Subject,
  text: string,
  field: 'userName' | 'displayName',
  { forwarding, spId }: Origin,
): Promise<SubjectName> {
  if (text === before.fullName) return nameOf(before);
  const mayLackIt = before.domain !== primaryDomain && !text.includes('/');
  const setting = mayLackIt ? await forwarding?.settingOf(tx, spId) : undefined;
  const name = await readName(tx, text, field, setting?.userStoreDomain);
  if (name.domain === before.domain) return name;
  throw new Problem(
    'mutability',
    `The ${before.kind} "${before.fullName}" is in the user store domain ${before.domain} and cannot move to ${name.domain}. Write the ${field} with its domain, or create the ${before.kind} there.`,
    { field },
  );
}
