import type { Attributes, Json } from '../../mapping/rows.ts';
import type { ResourceType } from '../../protocol/scim/schema.ts';
import type { Remote, RemoteMember, SubjectKind } from '../connector.ts';
import { type Dialect, scim2Dialect } from './dialect.ts';

export type JsonObject = { [key: string]: Json };

/** The target's own (RFC 7643 sections 3.1 and 4.1), or said elsewhere: never among what a mapping may send. */
const neverSent = /^(?:id|meta|schemas|groups|members|password)(?:\.|$)/i;

/** Whether an attribute of a mapping may go out at all. */
export function isSendable(path: string): boolean {
  return !neverSent.test(path);
}

/** A whole resource for POST and PUT (RFC 7644 sections 3.3 and 3.5.1). */
export function writeResourceBody(
  kind: SubjectKind,
  attributes: Attributes,
  members: readonly RemoteMember[] | undefined,
  dialect: Dialect = scim2Dialect,
): JsonObject {
  const schemas: string[] = [dialect.types[kind].schema.id];
  const body: JsonObject = { schemas };
  for (const path in attributes) {
    const value = attributes[path];
    if (value === undefined || value === null || !isSendable(path)) continue;
    const { urn, steps } = takeApart(path);
    let at = body;
    if (urn !== undefined) {
      if (!schemas.includes(urn)) schemas.push(urn);
      at = objectAt(body, urn);
    }
    for (const step of steps.slice(0, -1)) at = objectAt(at, step);
    at[steps.at(-1)!] = writeValue(path, value, dialect);
  }
  if (members && members.length > 0) body.members = members.map(writeMember);
  return body;
}

/** `type` is said only of groups: users are what everyone takes a bare member for. */
export function writeMember(member: RemoteMember): JsonObject {
  return member.kind === 'group' ? { value: member.remoteId, type: 'Group' } : { value: member.remoteId };
}

export function writeValue(path: string, value: Json, { managerPath, managerKey }: Dialect = scim2Dialect): Json {
  return path === managerPath && typeof value === 'string' ? { [managerKey]: value } : value;
}

/**
 * A resource as the target answered it, taken apart again. Names are brought to the schema's case, booleans that came
 * as texts to booleans; nothing remains of unassigned values (null, empty texts, lists and objects), nor of what is
 * never compared (`schemas`, `meta`, `groups`, `members`, passwords). Undefined when it is no resource with a usable id.
 */
export function readRemote(kind: SubjectKind, body: unknown, dialect: Dialect = scim2Dialect): Remote | undefined {
  if (!isObject(body)) return undefined;
  const type = dialect.types[kind];
  const remoteId = readRemoteId(body);
  if (remoteId === undefined) return undefined;
  const attributes: Attributes = {};
  for (const name in body) {
    if (name === '__proto__') continue;
    const value = body[name]!;
    if (name.toLowerCase().startsWith('urn:') && isObject(value))
      flattenExtension(dialect, type, name, value, attributes);
    else if (isSendable(name)) {
      const known = type.core.get(name.toLowerCase());
      flattenAttribute(known?.attribute.name ?? name, known, value, attributes);
    }
  }
  const externalId = attributes.externalId;
  const called = attributes[kind === 'user' ? 'userName' : 'displayName'];
  return {
    remoteId,
    externalId: typeof externalId === 'string' ? externalId : undefined,
    name: typeof called === 'string' ? called : '',
    attributes,
  };
}

/**
 * The id of an answered resource. Numbers are taken as their text, since some targets answer so. An id that cannot be
 * addressed (empty, a dot segment, absurdly long) is none.
 */
export function readRemoteId(body: unknown): string | undefined {
  if (!isObject(body)) return undefined;
  const given = body.id;
  const id = typeof given === 'number' ? String(given) : given;
  if (typeof id !== 'string' || id === '' || id === '.' || id === '..' || id.length > 1024) return undefined;
  return id.isWellFormed() && !id.includes('\u0000') ? id : undefined;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

type Known = ReturnType<ResourceType['core']['get']>;

function flattenExtension(
  { managerPath, managerKey }: Dialect,
  type: ResourceType,
  urn: string,
  values: JsonObject,
  out: Attributes,
): void {
  const extension = type.extensionIndex.get(urn.toLowerCase());
  const prefix = extension?.schema.id ?? urn;
  for (const name in values) {
    const known = extension?.attributes.get(name.toLowerCase());
    const path = `${prefix}:${known?.attribute.name ?? name}`;
    const value = values[name]!;
    if (path === managerPath) {
      const manager = isObject(value) ? value[managerKey] : value;
      if (typeof manager === 'string' && manager !== '') out[path] = manager;
    } else flattenAttribute(path, known, value, out);
  }
}

function flattenAttribute(path: string, known: Known, value: Json, out: Attributes): void {
  if (isObject(value)) {
    for (const name in value) {
      const sub = known?.subs.get(name.toLowerCase());
      const plain = readPlain(value[name]!, sub?.type === 'boolean');
      if (plain !== undefined) out[`${path}.${sub?.name ?? name}`] = plain;
    }
    return;
  }
  if (Array.isArray(value)) {
    const items = value.map((item) => readItem(known, item)).filter((item) => item !== undefined);
    if (items.length > 0) out[path] = items;
    return;
  }
  const plain = readPlain(value, known?.attribute.type === 'boolean');
  if (plain !== undefined) out[path] = plain;
}

function readItem(known: Known, item: Json): Json | undefined {
  if (!isObject(item)) return item === null ? undefined : item;
  const out: JsonObject = {};
  for (const name in item) {
    if (name === '__proto__') continue;
    const sub = known?.subs.get(name.toLowerCase());
    const plain = readPlain(item[name]!, sub?.type === 'boolean');
    if (plain !== undefined) out[sub?.name ?? name] = plain;
  }
  return Object.keys(out).length > 0 ? out : undefined;
}

function readPlain(value: Json, boolean: boolean): Json | undefined {
  if (value === null || value === '') return undefined;
  if (boolean && typeof value === 'string') {
    const lower = value.toLowerCase();
    if (lower === 'true' || lower === 'false') return lower === 'true';
  }
  return value;
}

/** A URN may hold dots (`…:2.0:User`), so it is cut off before the attribute is split. */
function takeApart(path: string): { urn: string | undefined; steps: string[] } {
  const colon = path.toLowerCase().startsWith('urn:') ? path.lastIndexOf(':') : -1;
  const attribute = path.slice(colon + 1);
  const dot = attribute.indexOf('.');
  return {
    urn: colon < 0 ? undefined : path.slice(0, colon),
    steps: dot < 0 ? [attribute] : [attribute.slice(0, dot), attribute.slice(dot + 1)],
  };
}

function objectAt(holder: JsonObject, name: string): JsonObject {
  const there = Object.hasOwn(holder, name) ? holder[name] : undefined;
  if (isObject(there)) return there;
  const made: JsonObject = {};
  holder[name] = made;
  return made;
}
