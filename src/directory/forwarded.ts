import { sql } from 'kysely';
import { Problem } from '../base/problem.ts';
import { applyPatch, type PatchOperation } from '../protocol/scim/patch.ts';
import type { Resource } from '../protocol/scim/resource.ts';
import { type ResourceType, userType } from '../protocol/scim/schema.ts';
import { prepare, type Reading, type Tx, UniqueViolation } from '../store/store.ts';
import { type Forwarding, insertChange, type Origin, type Urgency, urgency } from './changes.ts';
import { type ClearPassword, forgetClearPassword, keepClearPassword } from './clear-passwords.ts';
import { keepForwardedBody, openBodies } from './forwarded-bodies.ts';
import type { SubjectName } from './names.ts';
import { forgetReferences, writeReferences } from './references.ts';
import { isSame, renamed, toAttributes } from './rows.ts';
import { type Attributes, nameAttribute, type Subject } from './subjects.ts';

/**
 * Subjects that are only forwarded (engine rule 23; WSO2 calls it dumb mode). Their row keeps what a tombstone keeps, id,
 * kind and name, and so does what is answered to whoever looks for them: nobody. What they are lies sealed beside them
 * until their targets have it (`forwarded-bodies.ts`). Each of these writes and appends its change in the caller's
 * transaction, as those of users and groups do, and answers the subject with all that it knows of it.
 */

type Origins = { origin: Origin };

/**
 * How what is made for this origin is to be forwarded; undefined when it is kept in the directory. `userStoreDomain`: the
 * only one it may be made in, if one is set. Throws `Problem('notAllowed')` when it is to be forwarded and nobody would
 * get it.
 */
export async function readPlace(
  reading: Reading,
  { forwarding, spId }: Origin,
): Promise<{ forwarding: Forwarding | undefined; userStoreDomain: string | undefined }> {
  if (!forwarding) return { forwarding, userStoreDomain: undefined };
  const { forwardOnly, bound, userStoreDomain } = await forwarding.settingOf(reading, spId);
  if (forwardOnly && !bound) refuseUnbound();
  return { forwarding: forwardOnly ? forwarding : undefined, userStoreDomain };
}

function refuseUnbound(): never {
  throw new Problem(
    'notAllowed',
    'What is made for this service provider is only forwarded, and it has no enabled binding: it would reach nobody. Bind it to a target, or switch forward-only off.',
  );
}

const insert = prepare<
  { id: string; kind: string; domain: string; name: string; seq: number; doc: string; now: number; sp: number },
  never
>(
  (_, p) => sql`
    insert into subjects (id, kind, domain, name_key, life, seq, doc, version, created_at, modified_at, forwarded_for)
    values (${p.id}, ${p.kind}, ${p.domain}, ${p.name}, 'forwarded', ${p.seq}, ${p.doc}, 1, ${p.now}, ${p.now}, ${p.sp})`,
);

const update = prepare<{ id: string; name: string; seq: number; doc: string; now: number }, never>(
  (_, p) => sql`
    update subjects set name_key = ${p.name}, seq = ${p.seq}, doc = ${p.doc}, version = version + 1, modified_at = ${p.now}
    where id = ${p.id}`,
);

const findName = prepare<{ kind: string; name: string; sp: number }, { id: string }>(
  (_, p) => sql<{ id: string }>`
    select id from subjects
    where life = 'forwarded' and kind = ${p.kind} and name_key = ${p.name} and forwarded_for = ${p.sp}`,
);

const findNames = prepare<{ kind: string; name: string }, { id: string }>(
  (_, p) => sql<{ id: string }>`
    select id from subjects where life = 'forwarded' and kind = ${p.kind} and name_key = ${p.name} order by id`,
);

/** Those of this name that were forwarded, for whomever: for operators, who may look for them by name. */
export async function findForwarded(reading: Reading, kind: Subject['kind'], nameKey: string): Promise<string[]> {
  return (await reading.run(findNames, { kind, name: nameKey })).map((row) => row.id);
}

/**
 * Makes a subject that is only forwarded, from a checked resource. Its name may be one that the directory has, and not
 * one that was forwarded for the same service provider: `Problem('uniqueness')`, which names that one's id. References and
 * members are the caller's.
 */
export async function createForwarded(
  tx: Tx,
  kind: Subject['kind'],
  resource: Resource,
  name: SubjectName,
  options: Origins & { id: string; forwarding: Forwarding; clearPassword?: ClearPassword | undefined },
): Promise<Subject> {
  const { id, origin, forwarding, clearPassword } = options;
  const { spId } = origin;
  const attributes = toAttributes(kind, resource, name);
  const now = tx.now;
  await refuseTaken(tx, kind, name, spId, undefined);
  const seq = await insertChange(tx, { subjectId: id, origin, urgency: urgency.creation });
  const doc = JSON.stringify({ [nameAttribute[kind]]: name.fullName });
  const row = { id, kind, domain: name.domain, name: name.nameKey, seq, doc, now, sp: spId };
  await guardName(kind, name, () => tx.run(insert, row));
  await keepForwardedBody(tx, id, { seq, attributes, part: false }, forwarding);
  if (clearPassword) await keepClearPassword(tx, id, seq, clearPassword);
  return {
    id,
    kind,
    domain: name.domain,
    name: name.name,
    fullName: name.fullName,
    life: 'forwarded',
    seq,
    version: 1,
    attributes,
    createdAt: now,
    modifiedAt: now,
    forwarded: { spId, body: 'whole', lostSeq: null },
  };
}

/**
 * Puts a whole new body in the place of whatever is kept. Also the same body again is a change: nobody knows any more
 * what the targets hold.
 */
export async function replaceForwardedUser(
  tx: Tx,
  row: Subject,
  resource: Resource,
  options: Origins & { passwordHash?: string | null; clearPassword?: ClearPassword },
): Promise<Subject> {
  const before = await openPresent(tx, row, options.origin);
  const name = await renamed(tx, before, resource.userName as string, 'userName', options.origin);
  const attributes = toAttributes('user', resource, name);
  return write(tx, before, { attributes, name, part: false }, options);
}

/**
 * Applies operations to what is kept. Where nothing is kept any more, only `active` and the password can be said: they
 * stand by themselves. Throws `Problem('conflict')` for anything else, which would need the whole.
 */
export async function patchForwardedUser(
  tx: Tx,
  row: Subject,
  operations: readonly PatchOperation[],
  options: Origins & { type?: ResourceType; passwordHash?: string | null; clearPassword?: ClearPassword },
): Promise<Subject> {
  const before = await openPresent(tx, row, options.origin);
  const type = options.type ?? userType;
  const whole = before.forwarded?.body === 'whole';
  if (!whole && !operations.every(isActive)) refusePart('user');
  const resource = applyPatch(type, { schemas: [], id: before.id, ...before.attributes }, operations);
  const name = await renamed(tx, before, resource.userName as string, 'userName', options.origin);
  const attributes = toAttributes('user', resource, name);
  const same = whole ? isSame(before.attributes, attributes) : operations.length === 0;
  if (!same) return write(tx, before, { attributes, name, part: !whole }, options);
  return options.passwordHash === undefined ? before : write(tx, before, undefined, options);
}

/** `active` set to true or false, which a target can be told without knowing anything else. */
function isActive({ op, target }: PatchOperation): boolean {
  return op !== 'remove' && target.attribute.name === 'active' && target.extension === undefined;
}

/**
 * What a group that was forwarded is after `apply`; `undefined` when that is the same, which a `replace` never is. Throws
 * `Problem('conflict')` when more than its members would change and nothing is kept of it.
 */
export async function applyToForwardedGroup(
  tx: Tx,
  row: Subject,
  how: 'replace' | 'patch',
  apply: (group: Resource) => Resource,
  origin: Origin,
): Promise<
  { before: Subject; attributes: Attributes; name: SubjectName } | { before: Subject; attributes: undefined }
> {
  const before = await openPresent(tx, row, origin);
  const resource = apply({ schemas: [], id: before.id, ...before.attributes });
  const name = await renamed(tx, before, resource.displayName as string, 'displayName', origin);
  const attributes = toAttributes('group', resource, name);
  if (how === 'patch' && isSame(before.attributes, attributes)) return { before, attributes: undefined };
  if (how === 'patch' && before.forwarded?.body !== 'whole') refusePart('group');
  return { before, attributes, name };
}

/** Writes what a forwarded group is from now on; its members are the caller's. */
export async function writeForwardedGroup(
  tx: Tx,
  before: Subject,
  after: { attributes: Attributes; name: SubjectName },
  options: Origins,
): Promise<Subject> {
  return write(tx, before, { ...after, part: false }, options);
}

async function openPresent(tx: Tx, row: Subject, { forwarding, spId }: Origin): Promise<Subject> {
  if (!forwarding) throw new Error('this door cannot write what is only forwarded');
  const settings = [
    await forwarding.settingOf(tx, row.forwarded!.spId),
    ...(spId === row.forwarded!.spId ? [] : [await forwarding.settingOf(tx, spId)]),
  ];
  if (!settings.some((setting) => setting.bound)) refuseUnbound();
  const [opened] = await openBodies(tx, forwarding.key, [row]);
  return opened ?? row;
}

/** `body` undefined: only the password changes. */
async function write(
  tx: Tx,
  before: Subject,
  body: { attributes: Attributes; name: SubjectName; part: boolean } | undefined,
  options: Origins & { passwordHash?: string | null; clearPassword?: ClearPassword },
): Promise<Subject> {
  const { origin, passwordHash, clearPassword } = options;
  const { spId } = before.forwarded!;
  const attributes = body?.attributes ?? before.attributes;
  const renaming = body && body.name.fullName !== before.fullName;
  if (renaming) await refuseTaken(tx, before.kind, body.name, spId, before.id);
  const grade = passwordHash === undefined ? gradeOf(before, attributes) : urgency.security;
  const seq = await insertChange(tx, {
    subjectId: before.id,
    origin,
    urgency: Math.min(grade, gradeOf(before, attributes)) as Urgency,
  });
  const name = body?.name ?? { fullName: before.fullName, name: before.name, domain: before.domain };
  const doc = JSON.stringify({ [nameAttribute[before.kind]]: name.fullName });
  if (body) {
    const { name: written } = body;
    await guardName(before.kind, written, () =>
      tx.run(update, { id: before.id, name: written.nameKey, seq, doc, now: tx.now }),
    );
    await keepForwardedBody(tx, before.id, { seq, attributes, part: body.part }, origin.forwarding!);
    if (before.kind === 'user' && !body.part) {
      await forgetReferences(tx, [before.id]);
      await writeReferences(tx, before.id, {}, attributes);
    }
  } else await tx.run(touch, { id: before.id, seq, now: tx.now });
  if (passwordHash !== undefined) {
    await forgetClearPassword(tx, before.id);
    if (passwordHash !== null && clearPassword) await keepClearPassword(tx, before.id, seq, clearPassword);
  }
  return {
    ...before,
    name: name.name,
    fullName: name.fullName,
    attributes,
    seq,
    version: before.version + 1,
    modifiedAt: tx.now,
    forwarded: body
      ? { spId, body: body.part ? 'part' : 'whole', lostSeq: body.part ? before.forwarded!.lostSeq : null }
      : before.forwarded!,
  };
}

const touch = prepare<{ id: string; seq: number; now: number }, never>(
  (_, p) => sql`
    update subjects set seq = ${p.seq}, version = version + 1, modified_at = ${p.now} where id = ${p.id}`,
);

/** Where it is not known what was, a deactivation goes first and anything may be a reactivation. */
function gradeOf(before: Subject, after: Attributes): Urgency {
  if (before.kind === 'group') return urgency.cosmetic;
  const known = before.forwarded?.body !== 'none';
  const was = before.attributes.active !== false;
  const is = after.active !== false;
  if (known && was === is) return urgency.cosmetic;
  return is ? urgency.security : urgency.removal;
}

function refusePart(kind: Subject['kind']): never {
  const rest =
    kind === 'user'
      ? 'Only "active" and "password" can still be changed by PATCH'
      : 'Only its members can still be changed by PATCH';
  throw new Problem(
    'conflict',
    `This ${kind} was only forwarded and what was sent is erased, so there is nothing to apply this to. ${rest}; for anything else send the whole ${kind} by PUT.`,
  );
}

async function refuseTaken(
  tx: Tx,
  kind: Subject['kind'],
  name: SubjectName,
  spId: number,
  self: string | undefined,
): Promise<void> {
  const [held] = await tx.run(findName, { kind, name: name.nameKey, sp: spId });
  if (held && held.id !== self) refuseName(kind, name, ` Its id is ${held.id}: PUT, PATCH and DELETE reach it.`);
}

function refuseName(kind: Subject['kind'], name: SubjectName, more = '', cause?: unknown): never {
  const field = nameAttribute[kind];
  throw new Problem(
    'uniqueness',
    `A ${kind} with the ${field} "${name.fullName}" was forwarded for this service provider already.${more}`,
    { field, cause },
  );
}

async function guardName<T>(kind: Subject['kind'], name: SubjectName, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof UniqueViolation)) throw error;
    return refuseName(kind, name, '', error);
  }
}
