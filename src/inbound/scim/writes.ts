import { Problem } from '../../base/problem.ts';
import { Secret } from '../../base/secret.ts';
import type { Origin } from '../../directory/changes.ts';
import type { Circle } from '../../directory/circle.ts';
import { createGroup, deleteGroup, patchGroup, replaceGroup } from '../../directory/groups.ts';
import { preparePassword } from '../../directory/passwords.ts';
import { lockSubject, readPresent, type Subject } from '../../directory/subjects.ts';
import {
  createUser,
  deleteUser,
  isPasswordOperation,
  patchUser,
  replaceUser,
  type WriteOptions,
} from '../../directory/users.ts';
import type { PatchOperation } from '../../protocol/scim/patch.ts';
import type { Resource } from '../../protocol/scim/resource.ts';
import { listPatched, listWritten } from '../../protocol/scim/written.ts';
import type { Tx } from '../../store/store.ts';
import type { ScimParts } from './parts.ts';
import { readDomain } from './resources.ts';

/** A write as a request asks for it, its body still as it came. */
export type WriteRequest = { kind: Subject['kind']; origin: Origin } & (
  | {
      method: 'POST';
      body: unknown;
      /** Where a name without a domain belongs. */
      domain?: string | undefined;
      /** Default: a new one. */
      id?: string;
    }
  | {
      method: 'PUT';
      id: string;
      body: unknown;
      ifVersion?: readonly number[];
      /** What is put, where it depends on what is there. */
      complete?: (resource: Resource, before: Subject) => Resource;
    }
  | { method: 'PATCH'; id: string; body: unknown; ifVersion?: readonly number[] }
  | { method: 'DELETE'; id: string; ifVersion?: readonly number[] }
);

export type PreparedWrite = {
  /** What the body says of attributes that are returned only on request (`Projection.written`). */
  written: readonly string[];
  /** What is left to do, in a transaction; the answer is the subject as it is then. May run again after a rollback. */
  write(tx: Tx, circle?: Circle): Promise<Subject>;
};

/**
 * Reads and checks the body, and hashes the password if there is one: argon2id must not run inside a transaction, and
 * only requests with a password pay for it. Throws `Problem` as the codec and `preparePassword` do; what the answer
 * throws is what the directory throws.
 */
export async function prepareWrite(parts: ScimParts, request: WriteRequest): Promise<PreparedWrite> {
  const { kind, origin } = request;
  const type = parts.door.types[kind];
  switch (request.method) {
    case 'POST': {
      const { id, domain } = request;
      const { password, ...resource } = parts.codec.readResource(type, request.body);
      const given = kind === 'user' ? await readPassword(parts, password) : {};
      const options = { type, origin, ...given, ...(id === undefined ? {} : { id }) };
      const write: PreparedWrite['write'] = async (tx, circle) => {
        const place = domain === undefined ? {} : { domain: await readDomain(tx, domain) };
        const create = kind === 'user' ? createUser : createGroup;
        return checkDomain(
          await create(tx, resource, { ...options, ...place, ...(circle ? { circle } : {}) }),
          place.domain,
        );
      };
      return { written: listWritten(type, resource as Resource), write };
    }
    case 'PUT': {
      const { id, complete } = request;
      const { password, ...resource } = parts.codec.readResource(type, request.body);
      const given = kind === 'user' ? await readPassword(parts, password, id) : {};
      const options = { type, origin, ...given, ...versionOf(request) };
      const write: PreparedWrite['write'] = async (tx) => {
        const put = complete ? complete(resource, await lockSubject(tx, kind, id)) : resource;
        return (kind === 'user' ? replaceUser : replaceGroup)(tx, id, put, options);
      };
      return { written: listWritten(type, resource as Resource), write };
    }
    case 'PATCH': {
      const { id } = request;
      const operations = parts.codec.readPatch(type, request.body);
      const given = kind === 'user' ? await readPatchedPassword(parts, operations, id) : {};
      const options = { type, origin, ...given, ...versionOf(request) };
      return {
        written: listPatched(operations),
        write: (tx) => (kind === 'user' ? patchUser : patchGroup)(tx, id, operations, options),
      };
    }
    case 'DELETE': {
      const options = { origin, ...versionOf(request) };
      return { written: [], write: (tx) => (kind === 'user' ? deleteUser : deleteGroup)(tx, request.id, options) };
    }
  }
}

/** Prepares a write and does it, in a transaction of its own. */
export async function writeNow(
  parts: ScimParts,
  request: WriteRequest,
): Promise<{ subject: Subject; written: readonly string[] }> {
  const { write, written } = await prepareWrite(parts, request);
  return { subject: await parts.door.write((tx) => write(tx)), written };
}

function versionOf({ ifVersion }: { ifVersion?: readonly number[] }) {
  return ifVersion === undefined ? {} : { ifVersion };
}

function checkDomain(subject: Subject, domain: string | undefined): Subject {
  if (domain === undefined || subject.domain === domain) return subject;
  throw new Problem(
    'invalidValue',
    `The ${subject.kind} "${subject.fullName}" belongs to the user store domain ${subject.domain} by its name, and "domain" says ${domain}. Leave one of the two out.`,
    { field: 'domain' },
  );
}

type NewPassword = Required<Pick<WriteOptions, 'clearPassword'>> & { passwordHash: string };

/** Nothing when there is no password, or it is the one they have. */
async function readPassword(
  { door, passwords }: ScimParts,
  password: unknown,
  id?: string,
): Promise<NewPassword | Record<string, never>> {
  if (typeof password !== 'string') return {};
  // A user who is not there costs no hash.
  if (id !== undefined && !(await door.read((reading) => readPresent(reading, 'user', id)))) return {};
  const passwordHash = await preparePassword(door.read, password, id);
  if (passwordHash === undefined) return {};
  return { passwordHash, clearPassword: { password: new Secret(password), keeping: passwords } };
}

/** The last word on the password counts; removing it leaves the user without one. */
async function readPatchedPassword(parts: ScimParts, operations: readonly PatchOperation[], id: string) {
  const last = operations.findLast(isPasswordOperation);
  if (last?.op === 'remove') return { passwordHash: null };
  return readPassword(parts, last?.value, id);
}
