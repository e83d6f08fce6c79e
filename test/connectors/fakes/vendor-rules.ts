import type { FakeRequest } from './scim2-request.ts';
import { type Group, type JsonObject, Refusal, refuse } from './scim2-rules.ts';

/** What a vendor publishes about its SCIM endpoint beside the RFCs, as data. Written from the vendor's pages alone. */
export type VendorRules = {
  /** Headers without which nothing is answered. */
  headers?: readonly string[];
  /** False: a PUT is refused. */
  puts: { users: boolean; groups: boolean };
  /** What a list can be filtered by. */
  filters: { users: readonly string[]; groups: readonly string[] };
  /** True: lists go on by cursor, and neither `startIndex` nor `excludedAttributes` is known. */
  cursors?: boolean;
  /** True: groups answer an empty list of members, whatever they hold. */
  hidesMembers?: boolean;
  /** Members in a POST or PUT of a group: by their ids, with their display names too, or none at all. */
  membersInWhole: 'ids' | 'named' | 'none';
  /** False: a group cannot be a member. */
  groupMembers: boolean;
  /** Attributes that a body or a PATCH may name; an extension is named by its URN. Absent: those of the RFC. */
  attributes?: { users: readonly string[]; groups: readonly string[] };
  /** Attributes that are refused, and sub-attributes of multi-valued ones. */
  refused: readonly string[];
  /** What the stored resource must be. */
  values: { users: Record<string, ValueDemand>; groups: Record<string, ValueDemand> };
  /** Users that may be created before it throttles. */
  creations?: number;
};

export type ValueDemand = {
  required?: boolean;
  pattern?: RegExp;
  longest?: number;
  /** At most one value. */
  single?: boolean;
  primary?: boolean;
  parts?: readonly string[];
  distinctTypes?: boolean;
  oneOf?: readonly string[];
};

export function makeVendor(rules: VendorRules) {
  let created = 0;

  function checkRequest(request: FakeRequest): void {
    const what = request.on as 'users' | 'groups';
    for (const header of rules.headers ?? []) {
      if (!request.headers[header]) refuse(403, undefined, `requests without ${header} are rejected`, true);
    }
    if (request.method === 'GET') checkQuery(what, request.query);
    if (request.method === 'PUT' && !rules.puts[what]) refuse(400, undefined, `there is no PUT of ${what}`, true);
    if (request.method === 'POST' && what === 'users') {
      if (created >= (rules.creations ?? Number.POSITIVE_INFINITY)) {
        throw new Refusal(429, undefined, 'too many users in an hour', false, { 'retry-after': '60' });
      }
      created++;
    }
    const { body } = request;
    if (!isObject(body)) return;
    if (request.method === 'PATCH') for (const operation of list(body.Operations)) checkOperation(what, operation);
    else checkBody(what, body);
  }

  function checkQuery(what: 'users' | 'groups', query: Record<string, string>): void {
    const attribute = /^(\S+) eq /.exec(query.filter ?? '')?.[1];
    if (query.filter !== undefined && !rules.filters[what].includes(attribute ?? '')) {
      refuse(400, 'invalidFilter', `${what} cannot be filtered by ${query.filter}`, true);
    }
    for (const name of rules.cursors ? ['startIndex', 'excludedAttributes', 'attributes'] : ['cursor']) {
      if (query[name] !== undefined) refuse(400, undefined, `${name} is not supported`, true);
    }
  }

  function checkBody(what: 'users' | 'groups', body: JsonObject): void {
    for (const [name, value] of Object.entries(body)) {
      if (name === 'schemas') continue;
      if (name === 'members') {
        if (rules.membersInWhole === 'none') refuse(400, undefined, 'groups are created empty', true);
        if (rules.membersInWhole === 'named' && list(value).some((member) => !member.displayName)) {
          refuse(400, undefined, 'each member needs its displayName', true);
        }
      } else if (isObject(value) && !name.startsWith('urn:')) {
        for (const part of Object.keys(value)) checkName(what, `${name}.${part}`, undefined);
      } else checkName(what, name, value);
    }
  }

  function checkOperation(what: 'users' | 'groups', operation: JsonObject): void {
    const { op, path, value } = operation;
    if (typeof path !== 'string') refuse(400, 'invalidPath', 'an operation needs a path', true);
    if (/^members\b/.test(path)) {
      if (op === 'replace') refuse(400, undefined, 'members cannot be replaced', true);
      return;
    }
    checkName(what, path, value);
  }

  function checkName(what: 'users' | 'groups', path: string, value: unknown): void {
    const known = rules.attributes?.[what];
    const fits = (place: string) => path === place || path.startsWith(`${place}.`) || path.startsWith(`${place}:`);
    if (known && !known.some(fits)) refuse(400, 'invalidSyntax', `${path} is not supported`, true);
    for (const place of rules.refused) {
      if (fits(place)) refuse(400, 'invalidSyntax', `${path} is not supported`, true);
      const dot = place.lastIndexOf('.');
      if (place.slice(0, dot) !== path) continue;
      if (list(value).some((item) => item[place.slice(dot + 1)] !== undefined)) {
        refuse(400, 'invalidSyntax', `${place} is not supported`, true);
      }
    }
  }

  /** The resource as it would be stored: what a request made of it. */
  function checkResource(what: 'users' | 'groups', resource: JsonObject, members: Group['members']): void {
    if (!rules.groupMembers && [...members.values()].some((member) => member.type === 'Group')) {
      refuse(400, 'invalidValue', 'a group cannot be a member', true);
    }
    for (const [path, demand] of Object.entries(rules.values[what])) {
      const fault = faultOf(readAt(resource, path), demand);
      if (fault !== undefined) refuse(400, 'invalidValue', `${path} ${fault}`, true);
    }
  }

  return { checkRequest, checkResource };
}

function faultOf(value: unknown, demand: ValueDemand): string | undefined {
  if (value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0)) {
    return demand.required ? 'is required' : undefined;
  }
  if (typeof value === 'string') {
    if (demand.pattern && !demand.pattern.test(value)) return `does not match ${demand.pattern}`;
    if (demand.longest !== undefined && [...value].length > demand.longest) return 'is too long';
    return undefined;
  }
  if (!Array.isArray(value)) return undefined;
  const items = list(value);
  if (demand.single && items.length > 1) return 'takes one value';
  if (demand.primary && !items.some((item) => item.primary === true)) return 'needs a primary value';
  if (demand.parts?.some((part) => items.some((item) => item[part] === undefined))) {
    return `needs ${demand.parts.join(', ')} in each value`;
  }
  const types = items.map((item) => item.type).filter((type) => type !== undefined);
  if (demand.distinctTypes && new Set(types).size < types.length) return 'has a type twice';
  if (demand.oneOf && items.some((item) => !demand.oneOf?.includes(String(item.value)))) return 'has an unknown value';
  return undefined;
}

function readAt(resource: JsonObject, path: string): unknown {
  let at: unknown = resource;
  for (const step of path.split('.')) at = isObject(at) ? at[step] : undefined;
  return at;
}

function list(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
