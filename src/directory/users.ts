import { sql } from 'kysely';
import { newId } from '../base/ids.ts';
import { applyPatch, type PatchOperation } from '../protocol/scim/patch.ts';
import { replaceResource } from '../protocol/scim/replace.ts';
import type { Resource } from '../protocol/scim/resource.ts';
import { type ResourceType, userType } from '../protocol/scim/schema.ts';
import { prepare, type Tx } from '../store/store.ts';
import { deleteSubject } from './burial.ts';
import { insertChange, type Origin, type Urgency, urgency } from './changes.ts';
import type { Circle } from './circle.ts';
import { type ClearPassword, forgetClearPassword, keepClearPassword } from './clear-passwords.ts';
import { createForwarded, patchForwardedUser, readPlace, replaceForwardedUser } from './forwarded.ts';
import { readNewName } from './names.ts';
import { managerOf, writeReferences } from './references.ts';
import { insertRow, isSame, renamed, toAttributes, updateRow } from './rows.ts';
import { renameLinksOf } from './sign-in-links.ts';
import { type Attributes, lockPresent, type Subject } from './subjects.ts';

/**
 * Users. Each of these writes and appends its change in the caller's transaction; after commit the caller signals
 * `changes`. A write that changes nothing appends no change and leaves version and modification time.
 *
 * Passwords come as hashes (`hashPassword`, before the transaction): what a resource or an operation says about the
 * password itself is left aside. With the hash may come the password in clear, which is kept sealed for the targets.
 *
 * Whoever is only forwarded is handed on to `forwarded.ts`.
 */

/**
 * `type`: what a user is; default: without extensions of the administrator. `passwordHash`: the new password; null takes it away; absent leaves it. `clearPassword`: the same as it was given, where
 * it is known; means nothing without a hash. `ifVersion`: it must have one of these.
 */
export type WriteOptions = {
  type?: ResourceType;
  origin: Origin;
  passwordHash?: string | null;
  clearPassword?: ClearPassword;
  ifVersion?: readonly number[];
};

const savePassword = prepare<{ id: string; hash: string }, never>(
  (_, p) => sql`
    insert into passwords (subject_id, hash) values (${p.id}, ${p.hash})
    on conflict (subject_id) do update set hash = excluded.hash`,
);
const dropPassword = prepare<{ id: string }, { subject_id: string }>(
  (_, p) => sql<{ subject_id: string }>`delete from passwords where subject_id = ${p.id} returning subject_id`,
);

/**
 * Makes a user from a resource that `readResource` checked. `domain`: where a userName without a prefix belongs,
 * default the one that is set for the service provider, else PRIMARY. `id`: one of `newId` that nobody has, default a new one. `circle`: a
 * manager in it may come later. Throws `Problem`: `invalidValue` (unknown domain, a userName that cannot be one),
 * `uniqueness`, `notAllowed` (to be forwarded, to nobody).
 */
export async function createUser(
  tx: Tx,
  resource: Resource,
  options: {
    type?: ResourceType;
    origin: Origin;
    domain?: string;
    id?: string;
    circle?: Circle;
    passwordHash?: string;
    clearPassword?: ClearPassword;
  },
): Promise<Subject> {
  const { type = userType, origin, domain, circle, passwordHash, clearPassword } = options;
  const { forwarding, userStoreDomain } = await readPlace(tx, origin);
  const name = await readNewName(tx, resource.userName as string, 'userName', { domain, only: userStoreDomain });
  const now = tx.now;
  const id = options.id ?? newId(now);
  if (forwarding) {
    const forwarded = await createForwarded(tx, 'user', resource, name, { id, origin, forwarding, clearPassword });
    await meetManager(id, forwarded.attributes);
    return forwarded;
  }
  const attributes = toAttributes('user', resource, name);
  const seq = await insertChange(tx, { subjectId: id, origin, urgency: urgency.creation });
  const user = await insertRow(
    tx,
    { id, kind: 'user', life: 'live', seq, version: 1, attributes, createdAt: now, modifiedAt: now },
    name,
    type,
  );
  await meetManager(id, attributes);
  if (passwordHash !== undefined) {
    await tx.run(savePassword, { id, hash: passwordHash });
    if (clearPassword) await keepClearPassword(tx, id, seq, clearPassword);
  }
  return user;

  async function meetManager(id: string, attributes: Attributes): Promise<void> {
    await writeReferences(tx, id, {}, attributes);
    if (circle?.coming.has(managerOf(attributes) ?? ''))
      circle.rest.push((tx) => writeReferences(tx, id, {}, attributes));
  }
}

/** Puts a checked resource in the place of what a user has (RFC 7644 section 3.5.1). Throws `Problem` as `patchUser` does. */
export async function replaceUser(tx: Tx, id: string, resource: Resource, options: WriteOptions): Promise<Subject> {
  const before = await lockPresent(tx, 'user', id, options.ifVersion);
  if (before.life === 'forwarded') return replaceForwardedUser(tx, before, resource, options);
  const whole = replaceResource(options.type ?? userType, before.attributes, resource);
  return writeUser(tx, before, whole, options);
}

/**
 * Applies the operations that `readPatch` answered. Throws `Problem`: `notFound`, `preconditionFailed`, `uniqueness`,
 * `mutability` (also: to another user store domain), `invalidValue`, `noTarget`, `conflict` (of a user who was only
 * forwarded nothing is kept that this could be applied to).
 */
export async function patchUser(
  tx: Tx,
  id: string,
  operations: readonly PatchOperation[],
  options: WriteOptions,
): Promise<Subject> {
  const before = await lockPresent(tx, 'user', id, options.ifVersion);
  const kept = operations.filter((operation) => !isPasswordOperation(operation));
  if (before.life === 'forwarded') return patchForwardedUser(tx, before, kept, options);
  const resource = applyPatch(options.type ?? userType, { schemas: [], id, ...before.attributes }, kept);
  return writeUser(tx, before, resource, options);
}

/** Deletes a user (see `deleteSubject`). Throws `Problem`: `notFound`, `preconditionFailed`. */
export async function deleteUser(
  tx: Tx,
  id: string,
  options: { origin: Origin; ifVersion?: readonly number[] },
): Promise<Subject> {
  return deleteSubject(tx, 'user', id, options);
}

/** Whether a PATCH operation is about the password, which the directory takes as a hash. */
export function isPasswordOperation({ target }: PatchOperation): boolean {
  return target.attribute.name === 'password' && target.extension === undefined;
}

async function writeUser(tx: Tx, before: Subject, resource: Resource, options: WriteOptions): Promise<Subject> {
  const name = await renamed(tx, before, resource.userName as string, 'userName', options.origin);
  const attributes = toAttributes('user', resource, name);
  const password = await writePassword(tx, before.id, options.passwordHash);
  if (password === 'same' && isSame(before.attributes, attributes)) return before;
  const grade = password === 'changed' ? urgency.security : urgency.cosmetic;
  const seq = await insertChange(tx, {
    subjectId: before.id,
    origin: options.origin,
    urgency: Math.min(grade, gradeActive(before.attributes, attributes)) as Urgency,
  });
  if (password === 'changed') {
    await forgetClearPassword(tx, before.id);
    if (typeof options.passwordHash === 'string' && options.clearPassword) {
      await keepClearPassword(tx, before.id, seq, options.clearPassword);
    }
  }
  const after = await updateRow(tx, before, { attributes, name, seq }, options.type ?? userType);
  await writeReferences(tx, before.id, before.attributes, attributes);
  if (after.fullName !== before.fullName) await renameLinksOf(tx, before.id, name.nameKey);
  return after;
}

async function writePassword(tx: Tx, id: string, hash: string | null | undefined): Promise<'same' | 'changed'> {
  if (hash === undefined) return 'same';
  if (hash === null) return (await tx.run(dropPassword, { id })).length > 0 ? 'changed' : 'same';
  await tx.run(savePassword, { id, hash });
  return 'changed';
}

/** A user without `active` may use the account. */
function gradeActive(before: Attributes, after: Attributes): Urgency {
  const was = before.active !== false;
  const is = after.active !== false;
  if (was === is) return urgency.cosmetic;
  return is ? urgency.security : urgency.removal;
}
