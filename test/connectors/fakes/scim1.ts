/**
 * A SCIM 1.1 target on loopback that keeps what it is given, checks what it receives against the drafts, and misbehaves
 * on command. It is used as the fake SCIM 2.0 target is (`scim2.ts`).
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Secret } from '../../../src/base/secret.ts';
import type { SettingValues } from '../../../src/connectors/connector.ts';
import { applyScim1Patch, checkResource, type Scim1Rules } from './scim1-rules.ts';
import { makeMisbehaviour, type Rule } from './scim2-misbehaviour.ts';
import { answer, type FakeRequest, type Places, readRequest } from './scim2-request.ts';
import { type Group, type JsonObject, Refusal, refuse } from './scim2-rules.ts';
import { type FakeAuth, makeFakeDoor } from './scim2-sign-in.ts';

export type Scim1Options = Scim1Rules & {
  /** `none`: neither PATCH nor a POST that stands for it; `by post`: only the latter. Default `yes`. */
  patch: 'yes' | 'by post' | 'none';
  /** What ServiceProviderConfigs says of PATCH. `missing`: there is no such resource. Default true. */
  config: boolean | 'missing';
  auth: FakeAuth & { mode: 'basic' | 'bearer' };
  /** Default true: a filter's value is in quotation marks, as the draft has it. False: they would belong to the value. */
  quoted: boolean;
  /** What a deletion answers: 200 is the draft's, and others answer 204. Default 200. */
  deleted: 200 | 204;
  pageSize: number;
};

export type FakeScim1 = {
  readonly usersEndpoint: string;
  readonly groupsEndpoint: string;
  readonly options: Scim1Options;
  readonly users: Map<string, JsonObject>;
  readonly groups: Map<string, Group>;
  readonly requests: FakeRequest[];
  /** What was wrong with any request by the drafts: assert that this is empty. */
  readonly faults: string[];
  settings(more?: Record<string, string | boolean>): SettingValues;
  userNamed(userName: string): JsonObject | undefined;
  groupNamed(displayName: string): Group | undefined;
  membersOf(groupId: string): string[];
  seedUser(resource: JsonObject): string;
  misbehave(rule: Rule): { readonly hits: number; stop(): void };
  heal(): void;
  close(): Promise<void>;
};

const coreUrn = 'urn:scim:schemas:core:1.0';
const mediaType = 'application/json';
const places: Places = {
  root: '/wso2/scim/',
  named: { Users: 'users', Groups: 'groups', ServiceProviderConfigs: 'config' },
};

type What = 'users' | 'groups';
type Reply = { status: number; body?: unknown; headers?: Record<string, string> };

export async function startFakeScim1(given: Partial<Scim1Options> = {}): Promise<FakeScim1> {
  const options: Scim1Options = {
    strict: true,
    checkMembers: true,
    membersPerPatch: 100,
    patch: 'yes',
    config: true,
    auth: { mode: 'basic', username: 'purvey', password: 'fake-password' },
    quoted: true,
    deleted: 200,
    pageSize: 100,
    ...given,
  };
  const users = new Map<string, JsonObject>();
  const groups = new Map<string, Group>();
  const requests: FakeRequest[] = [];
  const faults: string[] = [];
  const door = makeFakeDoor(options);
  const misbehaviour = makeMisbehaviour();
  let userCount = 0;
  let groupCount = 0;

  function perform(request: FakeRequest): Reply {
    try {
      const reply = route(request);
      if (request.method !== 'GET') request.applied = true;
      return reply;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (error.fault) faults.push(`${request.method} ${request.path}: ${error.message}`);
      return { status: error.status, body: writeError(error.status, error.message), headers: error.headers };
    }
  }

  function route(request: FakeRequest): Reply {
    if (request.on === 'config') {
      if (options.config === 'missing') refuse(404, undefined, 'there is nothing here');
      return { status: 200, body: { schemas: [coreUrn], patch: { supported: options.config } } };
    }
    door.check(request);
    if (request.on !== 'users' && request.on !== 'groups') return refuse(404, undefined, `nothing at ${request.path}`);
    checkWords(request);
    const { on: what, id, body } = request;
    if (id === undefined) {
      if (request.method === 'POST') return create(what, body);
      if (request.method === 'GET') return list(what, request.query);
      return refuse(405, undefined, `${request.method} is not for an endpoint`, true);
    }
    if (!(what === 'users' ? users.has(id) : groups.has(id))) refuse(404, undefined, `there is no resource ${id}`);
    switch (methodOf(request)) {
      case 'GET':
        return { status: 200, body: show(what, id, request.query) };
      case 'PUT':
        store(what, id, checkResource(what, body, options));
        return { status: 200, body: show(what, id, {}) };
      case 'PATCH': {
        const before = what === 'users' ? { resource: users.get(id)!, members: new Map() } : groups.get(id)!;
        store(what, id, applyScim1Patch(what, before, body, options, exists));
        return { status: 200, body: show(what, id, {}) };
      }
      case 'DELETE':
        users.delete(id);
        groups.delete(id);
        for (const group of groups.values()) group.members.delete(id);
        return { status: options.deleted };
    }
    return refuse(405, undefined, `${request.method} is not for a resource`, true);
  }

  function methodOf({ method, headers }: FakeRequest): string {
    const override = method === 'POST' ? headers['x-http-method-override'] : undefined;
    const meant = override ?? method;
    if (meant !== 'PATCH' || options.patch === 'yes') return meant;
    if (options.patch === 'by post' && override !== undefined) return meant;
    return refuse(501, undefined, 'PATCH is not supported');
  }

  function checkWords({ method, headers, query }: FakeRequest): void {
    if (!(headers.accept ?? '').includes(mediaType)) refuse(406, undefined, `accept ${mediaType}`, true);
    if (query.excludedAttributes !== undefined) refuse(400, undefined, 'excludedAttributes is SCIM 2.0', true);
    if (method === 'GET' || method === 'DELETE') return;
    if (headers['content-type'] !== mediaType) refuse(415, undefined, `the content type must be ${mediaType}`, true);
  }

  const exists = (id: string) => users.has(id) || groups.has(id);

  function create(what: What, body: unknown): Reply {
    const made = checkResource(what, body, options);
    const id = what === 'users' ? `u${userCount + 1}` : `g${groupCount + 1}`;
    store(what, id, made);
    if (what === 'users') userCount++;
    else groupCount++;
    return { status: 201, body: show(what, id, {}), headers: { location: locate(what, id) } };
  }

  function store(what: What, id: string, { resource, members }: Group): void {
    const name = what === 'users' ? 'userName' : 'displayName';
    const holders = what === 'users' ? [...users.values()] : [...groups.values()].map((group) => group.resource);
    if (holders.some((holder) => holder.id !== id && folded(holder[name]) === folded(resource[name]))) {
      refuse(409, undefined, `${name} ${String(resource[name])} is taken`);
    }
    for (const member of members.keys()) {
      if (options.checkMembers && !exists(member)) refuse(400, undefined, `there is no resource ${member}`);
    }
    if (what === 'groups') groups.set(id, { resource: { ...resource, id }, members });
    else {
      const { password } = users.get(id) ?? {};
      users.set(id, { ...(password === undefined ? {} : { password }), ...resource, id });
    }
  }

  function locate(what: What, id: string): string {
    return `${what === 'users' ? fake.usersEndpoint : fake.groupsEndpoint}/${id}`;
  }

  function show(what: What, id: string, query: Record<string, string>): JsonObject {
    const group = groups.get(id);
    const { password: _, ...held } = what === 'users' ? users.get(id)! : group!.resource;
    const members = group ? { members: [...group.members.values()] } : {};
    const whole: JsonObject = { ...held, ...members, meta: { location: locate(what, id) } };
    if (query.attributes === undefined) return whole;
    const wanted = ['schemas', 'id', ...query.attributes.split(',')];
    return Object.fromEntries(wanted.filter((name) => whole[name] !== undefined).map((name) => [name, whole[name]]));
  }

  function list(what: What, query: Record<string, string>): Reply {
    const test = query.filter === undefined ? () => true : readFilter(query.filter, options.quoted);
    const ids = [...(what === 'users' ? users : groups).keys()].filter((id) => test(show(what, id, {})));
    const start = Math.max(1, Number(query.startIndex ?? 1));
    const count = Math.min(options.pageSize, Number(query.count ?? options.pageSize));
    const page = ids.slice(start - 1, start - 1 + count).map((id) => show(what, id, query));
    const totals = { totalResults: ids.length, startIndex: start, itemsPerPage: page.length };
    return { status: 200, body: { schemas: [coreUrn], ...totals, Resources: page } };
  }

  async function serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const request = await readRequest(incoming, requests.length + 1, places);
    requests.push(request);
    const act = misbehaviour.actFor(request);
    const say = (reply: Reply, type = mediaType) => answer(outgoing, request, reply, type);
    if (!act) return say(perform(request));
    const reply = 'applied' in act && act.applied ? perform(request) : undefined;
    switch (act.kind) {
      case 'answer':
        return say({
          status: act.status,
          ...(act.body === undefined ? {} : { body: act.body }),
          ...(act.headers ? { headers: act.headers } : {}),
        });
      case 'drop':
        incoming.socket.destroy();
        return;
      case 'silence':
        return;
      case 'half': {
        const text = JSON.stringify(reply?.body ?? writeError(500, 'half of this'));
        outgoing.writeHead(reply?.status ?? 500, { 'content-type': mediaType, 'content-length': text.length * 2 });
        outgoing.write(text, () => incoming.socket.destroy());
        return;
      }
      case 'html':
        return say({ status: act.status ?? 200, body: '<!doctype html><p>Please sign in.</p>' }, 'text/html');
      default:
        throw new Error(`the fake SCIM 1.1 target cannot ${act.kind}`);
    }
  }

  const server = createServer((incoming, outgoing) => {
    serve(incoming, outgoing).catch((error: unknown) => {
      faults.push(`the fake itself failed: ${String(error)}`);
      incoming.socket.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const fake: FakeScim1 = {
    usersEndpoint: `${url}/wso2/scim/Users`,
    groupsEndpoint: `${url}/wso2/scim/Groups`,
    options,
    users,
    groups,
    requests,
    faults,
    settings: (more = {}) => ({
      'scim-user-ep': fake.usersEndpoint,
      'scim-group-ep': fake.groupsEndpoint,
      ...signInSettings(options.auth),
      ...more,
    }),
    userNamed: (name) => [...users.values()].find((user) => folded(user.userName) === folded(name)),
    groupNamed: (name) => [...groups.values()].find((group) => folded(group.resource.displayName) === folded(name)),
    membersOf: (id) => [...(groups.get(id)?.members.keys() ?? [])].sort(),
    seedUser(resource) {
      const id = `u${++userCount}`;
      users.set(id, { ...resource, id });
      return id;
    },
    misbehave: (rule) => misbehaviour.add(rule),
    heal: () => misbehaviour.clear(),
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
  return fake;
}

function signInSettings(auth: Scim1Options['auth']): Record<string, string | Secret> {
  if (auth.mode === 'basic') return { 'scim-username': auth.username, 'scim-password': new Secret(auth.password) };
  return { 'scim-authentication-mode': 'bearer', 'scim-access-token': new Secret(auth.token) };
}

export function writeError(status: number, description: string): JsonObject {
  return { Errors: [{ description, code: String(status) }] };
}

/** One `eq`, whatever its case. */
function readFilter(filter: string, quoted: boolean): (resource: JsonObject) => boolean {
  const [, attribute, text] = /^(\w+) eq (.+)$/i.exec(filter) ?? [];
  const isQuoted = /^"(?:[^"\\]|\\.)*"$/.test(text ?? '');
  if (attribute === undefined || text === undefined || (quoted && !isQuoted)) {
    return refuse(400, undefined, `cannot read the filter ${filter}`, true);
  }
  const value: unknown = quoted ? JSON.parse(text) : text;
  if (attribute === 'externalId') return (resource) => resource[attribute] === value;
  return (resource) => folded(resource[attribute]) === folded(value);
}

function folded(value: unknown): unknown {
  return typeof value === 'string' ? value.normalize('NFC').toLowerCase() : value;
}
