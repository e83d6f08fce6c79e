/** What the fake SCIM 1.1 target accepts, written from the drafts and not from our own codec. */
import { type Group, type JsonObject, type Member, refuse } from './scim2-rules.ts';

export type Scim1Rules = {
  /** Refuse attributes that the schema has not. Default true. */
  strict: boolean;
  /** Refuse members that do not exist. Default true. */
  checkMembers: boolean;
  /** Most members added or removed by one PATCH. Default 100. */
  membersPerPatch: number;
};

const coreUrn = 'urn:scim:schemas:core:1.0';
const enterpriseUrn = 'urn:scim:schemas:extension:enterprise:1.0';

type Shape = 'text' | 'boolean' | 'list' | readonly string[];

const texts = 'externalId userName displayName nickName profileUrl title userType preferredLanguage locale timezone';
const lists = 'emails phoneNumbers ims photos addresses entitlements roles x509Certificates';
const userShapes = new Map<string, Shape>([
  ...[...texts.split(' '), 'password'].map((name): [string, Shape] => [name, 'text']),
  ...lists.split(' ').map((name): [string, Shape] => [name, 'list']),
  ['active', 'boolean'],
  ['name', ['formatted', 'familyName', 'givenName', 'middleName', 'honorificPrefix', 'honorificSuffix']],
]);
const groupShapes = new Map<string, Shape>([
  ['externalId', 'text'],
  ['displayName', 'text'],
]);
const enterpriseShapes = new Map<string, Shape>([
  ...['employeeNumber', 'costCenter', 'organization', 'division', 'department'].map((name): [string, Shape] => [
    name,
    'text',
  ]),
  ['manager', ['managerId', 'displayName']],
]);

type What = 'users' | 'groups';

/** The body of a POST or PUT. */
export function checkResource(what: What, body: unknown, rules: Scim1Rules): Group {
  const given = checkSchemas(body);
  const resource: JsonObject = { schemas: given.schemas };
  const members = new Map<string, Member>();
  for (const [name, value] of Object.entries(given)) {
    if (name === 'schemas') continue;
    if (name === 'members' && what === 'groups') {
      for (const { operation, ...member } of readMembers(value)) {
        if (operation !== undefined) refuse(400, undefined, 'an operation belongs into a PATCH', true);
        members.set(member.value, member);
      }
    } else {
      checkValue(what, name, value, rules);
      resource[name] = value;
    }
  }
  checkRequired(what, resource);
  return { resource, members };
}

/** draft-scim-api-01 section 3.3.2. All of it or, by throwing, nothing. */
export function applyScim1Patch(
  what: What,
  before: Group,
  body: unknown,
  rules: Scim1Rules,
  exists: (member: string) => boolean,
): Group {
  const given = checkSchemas(body);
  const resource = structuredClone(before.resource);
  const members = new Map(before.members);
  const meta = given.meta as { attributes?: unknown } | undefined;
  if (meta !== undefined) {
    if (!Array.isArray(meta.attributes) || Object.keys(meta).length > 1) {
      refuse(400, undefined, 'meta holds attributes and nothing else', true);
    }
    for (const name of meta.attributes as unknown[]) removeNamed(what, String(name), resource, members, rules);
  }
  let touched = 0;
  for (const [name, value] of Object.entries(given)) {
    if (name === 'schemas' || name === 'meta') continue;
    if (name === 'members' && what === 'groups') {
      for (const { operation, ...member } of readMembers(value)) {
        touched++;
        if (operation === 'delete') members.delete(member.value);
        else if (operation !== undefined) refuse(400, undefined, `no such operation: ${String(operation)}`, true);
        else {
          if (rules.checkMembers && !exists(member.value)) {
            refuse(400, undefined, `there is no resource ${member.value} that could be a member`);
          }
          members.set(member.value, member);
        }
      }
      continue;
    }
    checkValue(what, name, value, rules);
    merge(resource, name, value);
  }
  if (touched > rules.membersPerPatch) {
    refuse(413, undefined, `at most ${rules.membersPerPatch} members may be changed at once`);
  }
  checkRequired(what, resource);
  return { resource, members };
}

function removeNamed(
  what: What,
  name: string,
  resource: JsonObject,
  members: Group['members'],
  rules: Scim1Rules,
): void {
  if (name === 'members') {
    members.clear();
    return;
  }
  const isEnterprise = name.startsWith(`${enterpriseUrn}:`);
  const [attribute = '', sub] = (isEnterprise ? name.slice(enterpriseUrn.length + 1) : name).split('.');
  const shapes = isEnterprise ? enterpriseShapes : what === 'users' ? userShapes : groupShapes;
  const shape = shapes.get(attribute);
  const known = shape !== undefined && (sub === undefined || (Array.isArray(shape) && shape.includes(sub)));
  if (!known && rules.strict) refuse(400, undefined, `meta.attributes names ${name}, which there is not`, true);
  const holder = isEnterprise ? resource[enterpriseUrn] : resource;
  if (!isObject(holder)) return;
  if (sub === undefined) delete holder[attribute];
  else if (isObject(holder[attribute])) delete (holder[attribute] as JsonObject)[sub];
}

/** Single values are replaced, objects completed, and of many values those that are there by their `value`. */
function merge(holder: JsonObject, name: string, value: unknown): void {
  const old = holder[name];
  if (Array.isArray(value)) {
    const values = Array.isArray(old) ? [...(old as JsonObject[])] : [];
    for (const { operation, ...element } of value as JsonObject[]) {
      const place = values.findIndex((held) => element.value !== undefined && held.value === element.value);
      if (operation === 'delete') {
        if (place >= 0) values.splice(place, 1);
      } else if (place >= 0) values[place] = { ...values[place], ...element };
      else values.push(element);
    }
    holder[name] = values;
  } else if (isObject(value)) {
    const merged: JsonObject = isObject(old) ? { ...old } : {};
    for (const key of Object.keys(value)) merge(merged, key, value[key]);
    holder[name] = merged;
  } else holder[name] = value;
}

function checkSchemas(body: unknown): JsonObject {
  if (!isObject(body)) return refuse(400, undefined, 'the body is not a JSON object', true);
  if (!Array.isArray(body.schemas) || !body.schemas.includes(coreUrn)) {
    refuse(400, undefined, `schemas lack ${coreUrn}`, true);
  }
  if (JSON.stringify(body).includes('urn:ietf:')) refuse(400, undefined, 'that is a URN of SCIM 2.0', true);
  if (body[enterpriseUrn] !== undefined && !(body.schemas as unknown[]).includes(enterpriseUrn)) {
    refuse(400, undefined, `schemas lack ${enterpriseUrn}`, true);
  }
  return body;
}

function checkValue(what: What, name: string, value: unknown, rules: Scim1Rules): void {
  if (name === enterpriseUrn && what === 'users') {
    if (!isObject(value)) refuse(400, undefined, `${name} must be an object`, true);
    const held = value as JsonObject;
    for (const key of Object.keys(held)) checkShape(key, enterpriseShapes.get(key), held[key], rules);
    return;
  }
  checkShape(name, (what === 'users' ? userShapes : groupShapes).get(name), value, rules);
}

function checkShape(name: string, shape: Shape | undefined, value: unknown, rules: Scim1Rules): void {
  const bad = (wanted: string) => refuse(400, undefined, `${name} must be ${wanted}`, true);
  if (shape === undefined) {
    if (rules.strict) refuse(400, undefined, `no such attribute: ${name}`, true);
  } else if (shape === 'text') {
    if (typeof value !== 'string') bad('a string');
  } else if (shape === 'boolean') {
    if (typeof value !== 'boolean') bad('a boolean');
  } else if (shape === 'list') {
    if (!Array.isArray(value) || !value.every(isObject)) bad('a list of objects');
    else if (value.filter((item) => item.primary === true).length > 1) bad('primary at most once');
  } else if (!isObject(value)) bad('an object');
  else if (Object.keys(value).some((key) => !shape.includes(key))) bad(`an object of ${shape.join(', ')}`);
}

function checkRequired(what: What, resource: JsonObject): void {
  const name = what === 'users' ? 'userName' : 'displayName';
  const value = resource[name];
  if (typeof value !== 'string' || value === '') refuse(400, undefined, `${name} is required`, true);
}

function readMembers(value: unknown): (Member & { operation?: unknown })[] {
  if (!Array.isArray(value)) return refuse(400, undefined, 'members must be a list', true);
  return value.map((member) => {
    if (!isObject(member) || typeof member.value !== 'string' || member.value === '') {
      return refuse(400, undefined, 'a member needs a value', true);
    }
    if (Object.keys(member).some((key) => !['value', 'type', 'display', 'operation'].includes(key))) {
      refuse(400, undefined, 'a member has value, type, display and, to leave, operation', true);
    }
    return member as Member & { operation?: unknown };
  });
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
