/**
 * What the fake SCIM 2.0 target accepts, written from the RFCs and not from our own codec, so that a mistake there is
 * not repeated here.
 */
export type JsonObject = { [key: string]: unknown };

export type Member = { value: string; type?: string };
export type Group = { resource: JsonObject; members: Map<string, Member> };

export type ScimRules = {
  /** Refuse what the RFCs let a server refuse (path-less operations, capitalised ops, unknown attributes). Default true. */
  strict: boolean;
  /** Refuse members that do not exist. Default true. */
  checkMembers: boolean;
  /** Most members added or removed by one PATCH. Default 100. */
  membersPerPatch: number;
  /** How a PATCH may remove a member: `members[value eq "…"]`, or `members` with its value. Default `filter`. */
  memberRemoval: 'filter' | 'value' | 'both';
  /** Refuse a group's displayName that is taken. Default true. */
  uniqueGroupNames: boolean;
};

/** `fault`: the request itself breaks a rule, whatever the state of the server. */
export class Refusal extends Error {
  readonly status: number;
  readonly scimType: string | undefined;
  readonly fault: boolean;
  readonly headers: Record<string, string>;
  constructor(status: number, scimType: string | undefined, detail: string, fault = false, headers = {}) {
    super(detail);
    this.status = status;
    this.scimType = scimType;
    this.fault = fault;
    this.headers = headers;
  }
}

export function refuse(status: number, scimType: string | undefined, detail: string, fault = false): never {
  throw new Refusal(status, scimType, detail, fault);
}

const userUrn = 'urn:ietf:params:scim:schemas:core:2.0:User';
const groupUrn = 'urn:ietf:params:scim:schemas:core:2.0:Group';
const enterpriseUrn = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const patchUrn = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';

type Shape = 'text' | 'boolean' | 'list' | readonly string[];

const plural: Shape = 'list';
const userShapes: Record<string, Shape> = {
  externalId: 'text',
  userName: 'text',
  name: ['formatted', 'familyName', 'givenName', 'middleName', 'honorificPrefix', 'honorificSuffix'],
  displayName: 'text',
  nickName: 'text',
  profileUrl: 'text',
  title: 'text',
  userType: 'text',
  preferredLanguage: 'text',
  locale: 'text',
  timezone: 'text',
  active: 'boolean',
  password: 'text',
  emails: plural,
  phoneNumbers: plural,
  ims: plural,
  photos: plural,
  addresses: plural,
  entitlements: plural,
  roles: plural,
  x509Certificates: plural,
};
const enterpriseShapes: Record<string, Shape> = {
  employeeNumber: 'text',
  costCenter: 'text',
  organization: 'text',
  division: 'text',
  department: 'text',
  manager: ['value', 'displayName', '$ref'],
};
const groupShapes: Record<string, Shape> = { externalId: 'text', displayName: 'text' };

const readOnly = new Set(['id', 'meta', 'groups', 'schemas']);

/** The body of a POST or PUT. */
export function checkResource(
  what: 'users' | 'groups',
  body: unknown,
  rules: ScimRules,
): { resource: JsonObject; members: Group['members'] } {
  if (!isObject(body)) return refuse(400, 'invalidSyntax', 'the body is not a JSON object', true);
  const { schemas } = body;
  const core = what === 'users' ? userUrn : groupUrn;
  if (!Array.isArray(schemas) || !schemas.includes(core)) refuse(400, 'invalidValue', `schemas lack ${core}`, true);
  const resource: JsonObject = {};
  let members = new Map<string, Member>();
  for (const [name, value] of Object.entries(body)) {
    if (name === 'schemas') resource.schemas = value;
    else if (name === 'members' && what === 'groups') members = readMembers(value);
    else if (readOnly.has(name)) {
      if (rules.strict) refuse(400, 'mutability', `${name} is read-only`, true);
    } else if (name === enterpriseUrn && what === 'users') {
      if (!(schemas as unknown[]).includes(name)) refuse(400, 'invalidValue', `schemas lack ${name}`, true);
      if (!isObject(value)) return refuse(400, 'invalidValue', `${name} is not an object`, true);
      for (const [attribute, held] of Object.entries(value)) checkValue(attribute, enterpriseShapes, held, rules);
      resource[name] = value;
    } else {
      checkValue(name, what === 'users' ? userShapes : groupShapes, value, rules);
      resource[name] = value;
    }
  }
  checkRequired(what, resource);
  return { resource, members };
}

/** The body of a PATCH (RFC 7644 section 3.5.2). All of it or, by throwing, nothing. */
export function applyScimPatch(
  what: 'users' | 'groups',
  before: Group,
  body: unknown,
  rules: ScimRules,
  exists: (member: string) => boolean,
): Group {
  if (!isObject(body)) return refuse(400, 'invalidSyntax', 'the body is not a JSON object', true);
  if (!Array.isArray(body.schemas) || !body.schemas.includes(patchUrn)) {
    refuse(400, 'invalidValue', `schemas lack ${patchUrn}`, true);
  }
  const operations = body.Operations;
  if (!Array.isArray(operations) || operations.length === 0) {
    return refuse(400, 'invalidSyntax', 'there are no Operations', true);
  }
  const resource = structuredClone(before.resource);
  const members = new Map(before.members);
  let touched = 0;
  for (const operation of operations) {
    if (!isObject(operation)) return refuse(400, 'invalidSyntax', 'an operation is not an object', true);
    const op = rules.strict ? operation.op : String(operation.op).toLowerCase();
    if (op !== 'add' && op !== 'replace' && op !== 'remove') refuse(400, 'invalidSyntax', `no such op: ${op}`, true);
    const { path, value } = operation;
    if (typeof path !== 'string' || path === '') {
      if (rules.strict || op === 'remove' || !isObject(value)) refuse(400, 'noTarget', 'a path is needed', true);
      Object.assign(resource, value);
      continue;
    }
    if (op !== 'remove' && (value === undefined || value === null)) {
      refuse(400, 'invalidValue', `${op} ${path} needs a value`, true);
    }
    if (what === 'groups' && /^members\b/.test(path)) {
      touched += patchMembers(op as 'add', path, value, members, rules, exists);
      continue;
    }
    patchAttribute(what, op as 'add', path, value, resource, rules);
  }
  if (touched > rules.membersPerPatch) {
    refuse(413, undefined, `at most ${rules.membersPerPatch} members may be changed at once`);
  }
  checkRequired(what, resource);
  return { resource, members };
}

function patchMembers(
  op: 'add' | 'replace' | 'remove',
  path: string,
  value: unknown,
  members: Group['members'],
  rules: ScimRules,
  exists: (member: string) => boolean,
): number {
  if (op === 'remove') {
    if (path === 'members' && rules.memberRemoval !== 'filter') {
      const given = readMembers(value);
      if (given.size === 0) refuse(400, 'invalidValue', 'all members cannot be removed at once', true);
      for (const id of given.keys()) members.delete(id);
      return given.size;
    }
    const [, quoted] =
      rules.memberRemoval === 'value' ? [] : (/^members\[value eq ("(?:[^"\\]|\\.)*")\]$/.exec(path) ?? []);
    if (quoted === undefined) return refuse(400, 'invalidPath', `cannot read the path ${path}`, true);
    members.delete(JSON.parse(quoted));
    return 1;
  }
  if (path !== 'members') refuse(400, 'invalidPath', `cannot read the path ${path}`, true);
  const given = readMembers(value);
  if (op === 'replace') members.clear();
  for (const member of given.values()) {
    if (rules.checkMembers && !exists(member.value)) {
      refuse(400, 'invalidValue', `there is no resource ${member.value} that could be a member`);
    }
    members.set(member.value, member);
  }
  return given.size;
}

function patchAttribute(
  what: 'users' | 'groups',
  op: 'add' | 'replace' | 'remove',
  path: string,
  value: unknown,
  resource: JsonObject,
  rules: ScimRules,
): void {
  let attribute = path;
  let shapes = what === 'users' ? userShapes : groupShapes;
  let urn: string | undefined;
  if (path.startsWith(`${enterpriseUrn}:`) && what === 'users') {
    urn = enterpriseUrn;
    attribute = path.slice(enterpriseUrn.length + 1);
    shapes = enterpriseShapes;
  }
  const [name, sub, ...more] = attribute.split('.') as [string, ...string[]];
  if (readOnly.has(name)) refuse(400, 'mutability', `${name} is read-only`, true);
  const shape = shapes[name];
  if (more.length > 0 || (shape === undefined && rules.strict)) {
    refuse(400, 'invalidPath', `no such attribute: ${path}`, true);
  }
  if (sub !== undefined && !(Array.isArray(shape) && shape.includes(sub))) {
    refuse(400, 'invalidPath', `no such sub-attribute: ${path}`, true);
  }
  if (op !== 'remove') checkValue(name, shapes, sub === undefined ? value : { [sub]: value }, rules);

  const holder = urn === undefined ? resource : objectAt(resource, urn);
  if (sub === undefined) {
    if (op === 'remove') delete holder[name];
    else holder[name] = value;
  } else {
    const complex = objectAt(holder, name);
    if (op === 'remove') delete complex[sub];
    else complex[sub] = value;
    if (Object.keys(complex).length === 0) delete holder[name];
  }
  if (urn !== undefined) {
    const schemas = new Set(resource.schemas as string[]);
    if (Object.keys(holder).length === 0) {
      delete resource[urn];
      schemas.delete(urn);
    } else schemas.add(urn);
    resource.schemas = [...schemas];
  }
}

function checkValue(name: string, shapes: Record<string, Shape>, value: unknown, rules: ScimRules): void {
  const shape = shapes[name];
  if (shape === undefined) {
    if (rules.strict) refuse(400, 'invalidSyntax', `no such attribute: ${name}`, true);
    return;
  }
  const bad = (wanted: string) => refuse(400, 'invalidValue', `${name} must be ${wanted}`, true);
  if (shape === 'text') {
    if (typeof value !== 'string') bad('a string');
  } else if (shape === 'boolean') {
    if (typeof value !== 'boolean') bad('a boolean');
  } else if (shape === 'list') {
    if (!Array.isArray(value) || !value.every(isObject)) bad('a list of objects');
    else if (value.filter((item) => item.primary === true).length > 1) bad('primary at most once');
  } else {
    if (!isObject(value)) throw bad('an object');
    for (const [sub, held] of Object.entries(value)) {
      if (!shape.includes(sub)) refuse(400, 'invalidSyntax', `no such sub-attribute: ${name}.${sub}`, true);
      if (typeof held !== 'string') refuse(400, 'invalidValue', `${name}.${sub} must be a string`, true);
    }
  }
}

function checkRequired(what: 'users' | 'groups', resource: JsonObject): void {
  const name = what === 'users' ? 'userName' : 'displayName';
  const value = resource[name];
  if (typeof value !== 'string' || value === '') refuse(400, 'invalidValue', `${name} is required`, true);
}

function readMembers(value: unknown): Group['members'] {
  const members = new Map<string, Member>();
  if (!Array.isArray(value)) return refuse(400, 'invalidValue', 'members must be a list', true);
  for (const member of value) {
    if (!isObject(member) || typeof member.value !== 'string' || member.value === '') {
      return refuse(400, 'invalidValue', 'a member needs a value', true);
    }
    const { value: id, type } = member;
    members.set(id as string, { value: id as string, ...(typeof type === 'string' ? { type } : {}) });
  }
  return members;
}

function objectAt(holder: JsonObject, name: string): JsonObject {
  holder[name] ??= {};
  return holder[name] as JsonObject;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
