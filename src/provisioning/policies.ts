import { fold } from '../base/fold.ts';
import { Problem } from '../base/problem.ts';
import { acceptPolicies, type PoliciesInForce, type PolicyDocument } from '../rules/in-force.ts';
import { fillRows } from '../rules/rows/fill.ts';
import { readRows } from '../rules/rows/read.ts';
import type { PolicyRows } from '../rules/rows/rows.ts';
import type { PolicyRow } from '../store/schema.ts';
import { type Reading, type Tx, UniqueViolation } from '../store/store.ts';
import { lockDeliveryStamp, raiseDeliveryStamp } from './delivery-stamp.ts';
import { readFields, readFlag, readName } from './names.ts';
import { startRulesWaves } from './waves.ts';

/**
 * The only writer of `policies` and `policy_versions`: the XACML policies that bindings with *Enable rules* ask. What is
 * enabled is always in force as a whole: a write that would leave a set that cannot be used is refused, and what was in
 * force stays so. Policies are combined by deny-overrides.
 */
export type Policy = {
  id: number;
  name: string;
  /** Its place among the others, from 1; the order in which they are asked and listed. */
  position: number;
  enabled: boolean;
  /** `referenced`: evaluated only where others refer to it. */
  use: 'evaluated' | 'referenced';
  /** XACML 3.0 XML. */
  document: string;
  /** What the document is made from; null: it is written as text. */
  rows: PolicyRows | null;
  /** Raised by every change; earlier ones stay readable. */
  version: number;
  modifiedBy: string;
  createdAt: number;
  modifiedAt: number;
};

/** A policy as it once was. `document` null: it was removed then. */
export type PolicyVersion = Omit<Policy, 'id' | 'document' | 'modifiedBy' | 'createdAt' | 'modifiedAt'> & {
  document: string | null;
  actor: string;
  at: number;
};

const fields = ['name', 'position', 'enabled', 'use', 'document', 'rows'] as const;
const mostPolicies = 10_000;

/**
 * From `document` or from `rows`. Throws Problem `invalidValue` with its `field` (and `line` in the document),
 * `uniqueness` for a name taken (compared without case). Without a `position` it goes last.
 */
export async function createPolicy(tx: Tx, input: unknown, actor: string): Promise<Policy> {
  await lockDeliveryStamp(tx);
  const all = await listPolicies(tx);
  if (all.length >= mostPolicies) throw new Problem('conflict', `there are ${mostPolicies} policies, and no more fit`);
  const columns = readColumns(input, (all.at(-1)?.position ?? 0) + 1);
  const at = { created_at: tx.now, modified_at: tx.now, modified_by: actor, version: 1 };
  const row = await naming(columns.name, () =>
    tx.first(
      tx.q
        .insertInto('policies')
        .values({ ...columns, ...at })
        .returning('id'),
    ),
  );
  return settle(tx, row!.id, actor, columns.name);
}

/**
 * Replaces everything; what is left out is at its default again, except position. Nothing is written when nothing
 * differs. A policy made from rows that is given another document is text from then on.
 */
export async function replacePolicy(
  tx: Tx,
  id: number,
  input: unknown,
  actor: string,
): Promise<{ policy: Policy; changed: boolean }> {
  await lockDeliveryStamp(tx);
  const found = await rowOf(tx, id);
  const columns = keepRows(input, readColumns(input, found.position), found);
  const keys = Object.keys(columns) as (keyof typeof columns)[];
  if (keys.every((key) => columns[key] === found[key])) return { policy: fromRow(found), changed: false };
  const change = { ...columns, version: found.version + 1, modified_at: tx.now, modified_by: actor };
  await naming(columns.name, () => tx.all(tx.q.updateTable('policies').set(change).where('id', '=', id)));
  return { policy: await settle(tx, id, actor, columns.name), changed: true };
}

/** Throws `notFound`, and `conflict` while others refer to it. Its versions stay. */
export async function removePolicy(tx: Tx, id: number, actor: string): Promise<void> {
  await lockDeliveryStamp(tx);
  const { name, position, enabled, usage, version } = await rowOf(tx, id);
  await tx.all(tx.q.deleteFrom('policies').where('id', '=', id));
  const last = { policy_id: id, version: version + 1, name, position, enabled, usage, document: null, made_of: null };
  await tx.all(tx.q.insertInto('policy_versions').values({ ...last, actor, at: tx.now }));
  const accepted = acceptPolicies(await enabledDocuments(tx));
  if (!accepted.ok) {
    const [fault] = accepted.faults;
    const why = `${name} is still needed: ${fault!.document}, line ${fault!.line}, says that ${fault!.reason}`;
    throw new Problem('conflict', why);
  }
  await raiseDeliveryStamp(tx);
  await startRulesWaves(tx, actor);
}

/** In their order. */
export async function listPolicies(reading: Reading): Promise<Policy[]> {
  const query = reading.q.selectFrom('policies').selectAll().orderBy('position').orderBy('id');
  return (await reading.all(query)).map((row) => fromRow(row));
}

/** By id, or by name without case. Throws `notFound`. */
export async function readPolicy(reading: Reading, idOrName: string | number): Promise<Policy> {
  const text = String(idOrName);
  const query = reading.q.selectFrom('policies').selectAll();
  const row = await reading.first(
    /^\d{1,15}$/.test(text) ? query.where('id', '=', Number(text)) : query.where('name_key', '=', fold(text)),
  );
  if (!row) throw new Problem('notFound', `there is no policy ${text}`);
  return fromRow(row);
}

/** What a policy was before, the latest first; the answer is the same after it was removed. */
export async function listPolicyVersions(reading: Reading, id: number): Promise<PolicyVersion[]> {
  const query = reading.q.selectFrom('policy_versions').selectAll().where('policy_id', '=', id);
  const rows = await reading.all(query.orderBy('version', 'desc'));
  return rows.map(({ version, name, position, enabled, usage, document, made_of, actor, at }) => ({
    version,
    name,
    position,
    enabled: enabled === 1,
    use: usage,
    document,
    rows: rowsOf(made_of),
    actor,
    at,
  }));
}

/**
 * The policies in force, and by what they are known again: equal texts are equal sets. `inForce` is the reason why when
 * they cannot be used, which only another version of Purvey that accepted them can bring about.
 */
export type KnownPolicies = { known: string; inForce: PoliciesInForce | string };

/** The enabled policies, compiled; `previous` itself when nothing changed since. */
export async function readPoliciesInForce(reading: Reading, previous?: KnownPolicies): Promise<KnownPolicies> {
  const query = reading.q.selectFrom('policies').select(['id', 'version']).where('enabled', '=', 1);
  const known = JSON.stringify(await reading.all(query.orderBy('position').orderBy('id')));
  if (known === previous?.known) return previous;
  const accepted = acceptPolicies(await enabledDocuments(reading));
  if (accepted.ok) return { known, inForce: accepted.value };
  const [fault] = accepted.faults;
  return { known, inForce: `${fault!.document}, line ${fault!.line}: ${fault!.reason}` };
}

/** A set in which `document` stands for the policy of that name, or beside all others; for trying it before it is saved. */
export async function draftPolicies(reading: Reading, draft: PolicyDocument): Promise<PoliciesInForce> {
  const others = (await enabledDocuments(reading)).filter((one) => fold(one.name) !== fold(draft.name));
  return compile([...others, draft]);
}

function compile(documents: readonly PolicyDocument[]): PoliciesInForce {
  const accepted = acceptPolicies(documents);
  if (accepted.ok) return accepted.value;
  const [fault] = accepted.faults;
  const why = `${fault!.document}, line ${fault!.line}: ${fault!.reason}`;
  throw new Problem('invalidValue', why, { field: 'document', line: fault!.line });
}

async function enabledDocuments(reading: Reading): Promise<PolicyDocument[]> {
  const query = reading.q.selectFrom('policies').select(['name', 'document', 'usage']).where('enabled', '=', 1);
  const rows = await reading.all(query.orderBy('position').orderBy('id'));
  return rows.map(({ name, document, usage }) => ({ name, text: document, use: usage }));
}

/** Checks the whole set as it stands now, keeps the version, and lets every node know. */
async function settle(tx: Tx, id: number, actor: string, name: string): Promise<Policy> {
  const row = await rowOf(tx, id);
  const documents = await enabledDocuments(tx);
  // What is switched off is checked too, so that switching it on holds no surprise.
  const whole = row.enabled === 1 ? documents : [...documents, { name, text: row.document, use: row.usage }];
  const accepted = acceptPolicies(whole);
  if (!accepted.ok) {
    const fault = accepted.faults.find((one) => one.document === name) ?? accepted.faults[0]!;
    const own = fault.document === name;
    const why = own ? `line ${fault.line}: ${fault.reason}` : `${fault.document}, line ${fault.line}: ${fault.reason}`;
    throw new Problem('invalidValue', `this cannot be put in force, and nothing was changed: ${why}`, {
      field: 'document',
      ...(own ? { line: fault.line } : {}),
    });
  }
  const { position, enabled, usage, document, made_of, version } = row;
  const kept = { policy_id: id, version, name, position, enabled, usage, document, made_of, actor, at: tx.now };
  await tx.all(tx.q.insertInto('policy_versions').values(kept));
  await raiseDeliveryStamp(tx);
  await startRulesWaves(tx, actor);
  return fromRow(row);
}

async function rowOf(reading: Reading, id: number): Promise<PolicyRow & { id: number }> {
  const row = await reading.first(reading.q.selectFrom('policies').selectAll().where('id', '=', id));
  if (!row) throw new Problem('notFound', `there is no policy ${id}`);
  return row as PolicyRow & { id: number };
}

function readColumns(input: unknown, position: number) {
  const given = readFields(input, 'body', fields);
  const { name, key } = readName(given.name, 'a policy');
  const refuse = (field: string, why: string) => {
    throw new Problem('invalidValue', `${field} ${why}`, { field });
  };
  const { use = 'evaluated', position: place = position } = given;
  if (use !== 'evaluated' && use !== 'referenced') return refuse('use', 'must be evaluated or referenced');
  if (!Number.isInteger(place) || (place as number) < 1 || (place as number) > 1_000_000) {
    return refuse('position', 'must be a whole number from 1 to 1000000');
  }
  return {
    name,
    name_key: key,
    position: place as number,
    enabled: readFlag(given.enabled, 'enabled', true) ? 1 : 0,
    usage: use as PolicyRow['usage'],
    ...readContent(given, name),
  };
}

/** The document a policy is kept as, and the rows it is made from, if it is. */
export function readContent(
  given: { document?: unknown; rows?: unknown },
  name: string,
): { document: string; made_of: string | null } {
  const { document, rows } = given;
  if (rows !== undefined && rows !== null) {
    if (document !== undefined && document !== null) {
      throw new Problem('invalidValue', 'give rows or a document, not both', { field: 'rows' });
    }
    const made = readRows(rows);
    return { document: fillRows(made, name), made_of: JSON.stringify(made) };
  }
  if (typeof document !== 'string' || document.trim() === '') {
    const why = 'document must be a policy or a policy set of XACML 3.0, if there are no rows';
    throw new Problem('invalidValue', why, { field: 'document' });
  }
  return { document, made_of: null };
}

/** Rows stay when their own document is given back, and nothing is said of them. */
function keepRows<C extends { document: string; made_of: string | null; name: string }>(
  input: unknown,
  columns: C,
  found: Pick<PolicyRow, 'document' | 'made_of' | 'name'>,
): C {
  const isSame = columns.document === found.document && columns.name === found.name;
  return isSame && (input as { rows?: unknown }).rows === undefined ? { ...columns, made_of: found.made_of } : columns;
}

function rowsOf(text: string | null): PolicyRows | null {
  return text === null ? null : (JSON.parse(text) as PolicyRows);
}

async function naming<T>(name: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (!(error instanceof UniqueViolation)) throw error;
    throw new Problem('uniqueness', `there is already a policy called ${name}`, { field: 'name' });
  }
}

function fromRow(row: Omit<PolicyRow, 'id'> & { id: number }): Policy {
  return {
    id: row.id,
    name: row.name,
    position: row.position,
    enabled: row.enabled === 1,
    use: row.usage,
    document: row.document,
    rows: rowsOf(row.made_of),
    version: row.version,
    modifiedBy: row.modified_by,
    createdAt: row.created_at,
    modifiedAt: row.modified_at,
  };
}
