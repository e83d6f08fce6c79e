/**
 * A SCIM 2.0 target on loopback that keeps what it is given, checks what it receives against RFC 7643 and 7644, and
 * misbehaves on command.
 *
 *     const fake = await startFakeScim2();
 *     const connector = scim2.open(fake.settings(), outbound);
 *     fake.misbehave({ when: { method: 'POST', on: 'users' }, act: { kind: 'drop', applied: true } });
 *     ...
 *     fake.userNamed('bob');         // what it holds
 *     fake.requests;                 // what it heard, oldest first, with what it answered
 *     fake.faults;                   // what was wrong with any request by the RFCs: assert that this is empty
 *     await fake.close();
 *
 * Everything is deterministic: ids count up (`u1`, `g1`), nothing is random, and with `hold` and `findLagMs: Infinity`
 * nothing depends on time either. `options` may be changed at any moment. The first rule that matches and has `times`
 * left decides about a request; requests to the token endpoint are matched with `on: 'token'`.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { SettingValues } from '../../../src/connectors/connector.ts';
import { type Act, makeHeldRequests, makeMisbehaviour, type Rule } from './scim2-misbehaviour.ts';
import { type HeardPassword, openPasswordHistory, type PasswordRules, passwordsIn } from './scim2-passwords.ts';
import { answer, type FakeRequest, readRequest } from './scim2-request.ts';
import {
  applyScimPatch,
  checkResource,
  type Group,
  type JsonObject,
  Refusal,
  refuse,
  type ScimRules,
} from './scim2-rules.ts';
import { authSettings, type FakeAuth, makeFakeDoor } from './scim2-sign-in.ts';
import { makeVendor, type VendorRules } from './vendor-rules.ts';

export type { Act, FakeAuth, FakeRequest, Rule };

export type FakeOptions = PasswordRules & FakeBehaviour;

type FakeBehaviour = ScimRules & {
  /** What ServiceProviderConfig says and PATCH obeys. Default true; false answers PATCH with 501. */
  patch: boolean;
  /** False: ServiceProviderConfig is a 404. Default true. */
  config: boolean;
  auth: FakeAuth;
  /** False: a filter on externalId is 400 `invalidFilter`. Default true. */
  externalIdFilter: boolean;
  /** False: externalId is taken and not kept. Default true. */
  keepsMarks: boolean;
  /** True: filters have no effect. Default false. */
  ignoreFilters: boolean;
  /** Most resources on a page of a list. Default 100. */
  pageSize: number;
  /** Writes show in lists only after this many milliseconds. Infinity: only after `catchUp()`. Default 0. */
  findLagMs: number;
  /** Ids are this followed by `u1`, `g1`, …: put anything into it that a URL has trouble with. Default none. */
  idPrefix: string;
  /** What a vendor asks for beside the RFCs, and what it does otherwise. Default nothing. */
  vendor: VendorRules | undefined;
};

export type FakeScim2 = {
  readonly url: string;
  readonly usersEndpoint: string;
  readonly groupsEndpoint: string;
  readonly tokenEndpoint: string;
  readonly options: FakeOptions;
  /** By id. Groups keep their members apart (`Group.members`). */
  readonly users: Map<string, JsonObject>;
  readonly groups: Map<string, Group>;
  readonly requests: FakeRequest[];
  readonly faults: string[];
  /** Connector settings that fit: endpoints and the credentials of `options.auth`; `more` goes over them. */
  settings(more?: Record<string, string | boolean>): SettingValues;
  userNamed(userName: string): JsonObject | undefined;
  groupNamed(displayName: string): Group | undefined;
  /** Every password it heard, whatever became of it. */
  heardPasswords(): HeardPassword[];
  /** The password that a user has; undefined without one. */
  passwordOf(userName: string): string | undefined;
  /** Ids, sorted. */
  membersOf(groupId: string): string[];
  /** Puts something in without a request; returns its id. */
  seedUser(resource: JsonObject): string;
  seedGroup(resource: JsonObject, members?: readonly string[]): string;
  misbehave(rule: Rule): { readonly hits: number; stop(): void };
  /** Ends all misbehaviour to come and lets held requests go on. */
  heal(): void;
  /** How many requests wait at a `hold`. */
  readonly held: number;
  /** Requests that are being read, carried out or answered now. */
  readonly serving: number;
  /** Resolves when at least `count` requests wait. */
  untilHeld(count?: number): Promise<void>;
  /** Lets held requests go on; resolves when their work is done. */
  release(): Promise<void>;
  /** Shows every write in lists at once. */
  catchUp(): void;
  /** Recalls every access token. */
  recallTokens(): void;
  close(): Promise<void>;
};

const listUrn = 'urn:ietf:params:scim:api:messages:2.0:ListResponse';
const errorUrn = 'urn:ietf:params:scim:api:messages:2.0:Error';

export async function startFakeScim2(given: Partial<FakeOptions> = {}): Promise<FakeScim2> {
  const options: FakeOptions = {
    patch: true,
    config: true,
    strict: true,
    checkMembers: true,
    membersPerPatch: 100,
    memberRemoval: 'filter',
    uniqueGroupNames: true,
    auth: { mode: 'basic', username: 'purvey', password: 'fake-password' },
    externalIdFilter: true,
    keepsMarks: true,
    ignoreFilters: false,
    pageSize: 100,
    findLagMs: 0,
    idPrefix: '',
    vendor: undefined,
    judgePassword: () => undefined,
    passwordHistory: false,
    ...given,
  };
  const users = new Map<string, JsonObject>();
  const groups = new Map<string, Group>();
  const requests: FakeRequest[] = [];
  const faults: string[] = [];
  const vendor = options.vendor && makeVendor(options.vendor);
  const door = makeFakeDoor(options);
  const passwords = openPasswordHistory(options);
  const misbehaviour = makeMisbehaviour();
  const held = makeHeldRequests();
  let userCount = 0;
  let groupCount = 0;

  /** What lists show, and what they do not show yet. */
  const listed = { users: new Map<string, JsonObject>(), groups: new Map<string, JsonObject>() };
  let unlisted: { at: number; what: 'users' | 'groups'; id: string; resource: JsonObject | undefined }[] = [];

  function noteWrite(what: 'users' | 'groups', id: string): void {
    const resource = what === 'users' ? users.get(id) : groups.get(id)?.resource;
    unlisted.push({ at: performance.now() + options.findLagMs, what, id, resource: resource && { ...resource } });
  }

  function showWrites(until: number): void {
    const waiting: typeof unlisted = [];
    for (const write of unlisted) {
      if (write.at > until) waiting.push(write);
      else if (write.resource) listed[write.what].set(write.id, write.resource);
      else listed[write.what].delete(write.id);
    }
    unlisted = waiting;
  }

  type Reply = { status: number; body?: unknown; headers?: Record<string, string> };

  /** Does what a request asks, whole or not at all. */
  function perform(request: FakeRequest): Reply {
    try {
      const reply = route(request);
      if (request.method !== 'GET') request.applied = true;
      return reply;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (error.fault) faults.push(`${request.method} ${request.path}: ${error.message}`);
      const { status, scimType, message } = error;
      const body = { schemas: [errorUrn], status: String(status), ...(scimType ? { scimType } : {}), detail: message };
      return { status, body, headers: error.headers };
    }
  }

  function route(request: FakeRequest): Reply {
    if (request.on === 'token') return door.giveToken(request);
    if (request.on === 'config') {
      if (!options.config) refuse(404, undefined, 'there is no ServiceProviderConfig here');
      return { status: 200, body: writeConfig(options) };
    }
    door.check(request);
    if (request.on === 'elsewhere') refuse(404, undefined, `there is nothing at ${request.path}`);
    checkMedia(request);
    vendor?.checkRequest(request);
    const what = request.on as 'users' | 'groups';
    if (request.id === undefined) {
      if (request.method === 'POST') return create(what, request.body);
      if (request.method === 'GET') return list(what, request.query);
      return refuse(405, undefined, `${request.method} is not for an endpoint`, true);
    }
    const { id } = request;
    if (!(what === 'users' ? users.has(id) : groups.has(id))) refuse(404, undefined, `there is no resource ${id}`);
    switch (request.method) {
      case 'GET':
        return { status: 200, body: show(what, id, request.query) };
      case 'PUT':
        return replace(what, id, request.body);
      case 'PATCH':
        return patch(what, id, request.body);
      case 'DELETE':
        return remove(what, id);
    }
    return refuse(405, undefined, `${request.method} is not for a resource`, true);
  }

  function checkMedia(request: FakeRequest): void {
    if (!options.strict) return;
    const accept = request.headers.accept ?? '';
    if (!accept.includes('application/scim+json')) refuse(406, undefined, 'accept application/scim+json', true);
    if (request.method === 'GET' || request.method === 'DELETE') return;
    if (request.headers['content-type'] !== 'application/scim+json') {
      refuse(415, undefined, 'the content type must be application/scim+json (RFC 7644 section 3.1)', true);
    }
  }

  function create(what: 'users' | 'groups', body: unknown): Reply {
    const { resource, members } = checkResource(what, body, options);
    checkUnique(what, resource, undefined);
    passwords.check(undefined, resource);
    const id = `${options.idPrefix}${what === 'users' ? `u${++userCount}` : `g${++groupCount}`}`;
    store(what, id, resource, members);
    return { status: 201, body: show(what, id, {}), headers: { location: locate(what, id) } };
  }

  function replace(what: 'users' | 'groups', id: string, body: unknown): Reply {
    const { resource, members } = checkResource(what, body, options);
    checkUnique(what, resource, id);
    // Nobody can read a password, so a PUT that says none does not take it away.
    const { password } = users.get(id) ?? {};
    if (what === 'users') passwords.check(users.get(id), resource);
    store(what, id, { ...(password === undefined ? {} : { password }), ...resource }, members);
    return { status: 200, body: show(what, id, {}) };
  }

  function patch(what: 'users' | 'groups', id: string, body: unknown): Reply {
    if (!options.patch) refuse(501, undefined, 'PATCH is not supported');
    const before = what === 'users' ? { resource: users.get(id)!, members: new Map() } : groups.get(id)!;
    const after = applyScimPatch(what, before, body, options, (member) => users.has(member) || groups.has(member));
    checkUnique(what, after.resource, id);
    if (passwordsIn([{ body } as FakeRequest]).length > 0) passwords.check(before.resource, after.resource);
    store(what, id, after.resource, after.members);
    return { status: 204 };
  }

  function remove(what: 'users' | 'groups', id: string): Reply {
    if (what === 'users') users.delete(id);
    else groups.delete(id);
    for (const group of groups.values()) group.members.delete(id);
    noteWrite(what, id);
    return { status: 204 };
  }

  function store(what: 'users' | 'groups', id: string, resource: JsonObject, members: Group['members']): void {
    for (const member of members.keys()) {
      if (options.checkMembers && !users.has(member) && !groups.has(member)) {
        refuse(400, 'invalidValue', `there is no resource ${member} that could be a member`);
      }
    }
    vendor?.checkResource(what, resource, members);
    const { externalId: _, ...unmarked } = resource;
    const stored = { ...(options.keepsMarks ? resource : unmarked), id };
    if (what === 'users') {
      users.set(id, stored);
      passwords.note(id, stored);
    } else groups.set(id, { resource: stored, members });
    noteWrite(what, id);
  }

  function checkUnique(what: 'users' | 'groups', resource: JsonObject, self: string | undefined): void {
    if (what === 'groups' && !options.uniqueGroupNames) return;
    const name = what === 'users' ? 'userName' : 'displayName';
    const wanted = folded(resource[name]);
    const holders = what === 'users' ? users.values() : [...groups.values()].map((group) => group.resource);
    for (const holder of holders) {
      if (holder.id !== self && folded(holder[name]) === wanted) {
        refuse(409, 'uniqueness', `${name} ${String(resource[name])} is taken`);
      }
    }
  }

  function locate(what: 'users' | 'groups', id: string): string {
    return `${what === 'users' ? fake.usersEndpoint : fake.groupsEndpoint}/${encodeURIComponent(id)}`;
  }

  function show(what: 'users' | 'groups', id: string, query: Record<string, string>): JsonObject {
    const group = groups.get(id);
    const resource = what === 'users' ? users.get(id)! : group!.resource;
    const { password: _, ...shown } = resource;
    const meta = { resourceType: what === 'users' ? 'User' : 'Group', location: locate(what, id) };
    const hidden = (query.excludedAttributes ?? '').split(',').includes('members');
    const held = options.vendor?.hidesMembers ? [] : [...(group?.members.values() ?? [])];
    const members = what === 'groups' && !hidden ? { members: held } : {};
    return { ...shown, ...members, meta };
  }

  function list(what: 'users' | 'groups', query: Record<string, string>): Reply {
    showWrites(performance.now());
    let found = [...listed[what].values()];
    if (query.filter !== undefined) {
      const test = readFilter(query.filter, options);
      if (!options.ignoreFilters) found = found.filter(test);
    }
    const cursor = query.cursor;
    const start = cursor === undefined ? Math.max(1, Number(query.startIndex ?? 1)) : readCursor(cursor);
    const count = Math.min(options.pageSize, Number(query.count ?? options.pageSize));
    const page = found.slice(start - 1, start - 1 + count).map(({ password: _, ...shown }) => shown);
    const more = start - 1 + page.length < found.length;
    const totals =
      cursor === undefined
        ? { totalResults: found.length, startIndex: start, itemsPerPage: page.length }
        : { itemsPerPage: page.length, ...(more ? { nextCursor: `c:${start + page.length}=` } : {}) };
    return { status: 200, body: { schemas: [listUrn], ...totals, Resources: page } };
  }

  async function serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const request = await readRequest(incoming, requests.length + 1);
    requests.push(request);
    const act = misbehaviour.actFor(request);
    if (act?.kind === 'delay') await new Promise((resolve) => setTimeout(resolve, act.ms));
    if (act?.kind === 'hold') {
      const early = act.applied ? perform(request) : undefined;
      await held.wait(() => answer(outgoing, request, early ?? perform(request)));
      return;
    }
    if (!act || act.kind === 'delay') return answer(outgoing, request, perform(request));
    if (act.kind === 'emptyList') {
      const body = { schemas: [listUrn], totalResults: 0, startIndex: 1, itemsPerPage: 0, Resources: [] };
      return answer(outgoing, request, { status: 200, body });
    }
    const reply = act.applied ? perform(request) : undefined;
    switch (act.kind) {
      case 'drop':
        incoming.socket.destroy();
        return;
      case 'silence':
        return;
      case 'half': {
        const text = JSON.stringify(reply?.body ?? { schemas: [errorUrn], detail: 'half of this' });
        const status = reply?.status === 204 ? 200 : (reply?.status ?? 500);
        outgoing.writeHead(status, { 'content-type': 'application/scim+json', 'content-length': text.length * 2 });
        outgoing.write(text, () => incoming.socket.destroy());
        return;
      }
      case 'html': {
        const headers = { 'content-type': 'text/html' };
        const body = '<!doctype html><title>Sign in</title><p>Please sign in.</p>';
        return answer(outgoing, request, { status: act.status ?? 200, headers, body });
      }
      case 'answer':
        return answer(outgoing, request, act);
    }
  }

  let serving = 0;
  const server = createServer((incoming, outgoing) => {
    serving += 1;
    serve(incoming, outgoing)
      .catch((error: unknown) => {
        faults.push(`the fake itself failed: ${String(error)}`);
        incoming.socket.destroy();
      })
      .finally(() => {
        serving -= 1;
      });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const fake: FakeScim2 = {
    url,
    usersEndpoint: `${url}/scim2/Users`,
    groupsEndpoint: `${url}/scim2/Groups`,
    tokenEndpoint: `${url}/token`,
    options,
    users,
    groups,
    requests,
    faults,
    settings: (more = {}) => ({
      'scim2-user-ep': fake.usersEndpoint,
      'scim2-group-ep': fake.groupsEndpoint,
      ...authSettings(options.auth, fake.tokenEndpoint),
      ...more,
    }),
    userNamed: (name) => [...users.values()].find((user) => folded(user.userName) === folded(name)),
    groupNamed: (name) => [...groups.values()].find((group) => folded(group.resource.displayName) === folded(name)),
    heardPasswords: () => passwordsIn(requests),
    passwordOf: (name) => fake.userNamed(name)?.password as string | undefined,
    membersOf: (id) => [...(groups.get(id)?.members.keys() ?? [])].sort(),
    seedUser(resource) {
      const id = `${options.idPrefix}u${++userCount}`;
      users.set(id, { ...resource, id });
      listed.users.set(id, { ...resource, id });
      return id;
    },
    seedGroup(resource, members = []) {
      const id = `${options.idPrefix}g${++groupCount}`;
      const held = new Map(members.map((value) => [value, { value }]));
      groups.set(id, { resource: { ...resource, id }, members: held });
      listed.groups.set(id, { ...resource, id });
      return id;
    },
    misbehave: (rule) => misbehaviour.add(rule),
    heal() {
      misbehaviour.clear();
      void held.release();
    },
    get serving() {
      return serving - held.count;
    },
    get held() {
      return held.count;
    },
    untilHeld: (count = 1) => held.until(count),
    release: () => held.release(),
    catchUp: () => showWrites(Number.POSITIVE_INFINITY),
    recallTokens: () => door.recallTokens(),
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
  return fake;
}

/** Empty for the first page (RFC 9865 section 2.1). */
function readCursor(cursor: string): number {
  const [, at] = /^c:(\d+)=$/.exec(cursor) ?? [];
  if (cursor !== '' && at === undefined) return refuse(400, 'invalidCursor', `there is no cursor ${cursor}`, true);
  return at === undefined ? 1 : Number(at);
}

/** Only what a careful client may expect everywhere: `attribute eq "text"`, with the text as a JSON string. */
function readFilter(filter: string, options: FakeOptions): (resource: JsonObject) => boolean {
  const [, attribute, quoted] = /^(\w+) eq ("(?:[^"\\]|\\.)*")$/i.exec(filter) ?? [];
  if (attribute === undefined || quoted === undefined) {
    return refuse(400, 'invalidFilter', `cannot read the filter ${filter}`, true);
  }
  if (attribute === 'externalId' && !options.externalIdFilter) {
    return refuse(400, 'invalidFilter', 'externalId cannot be searched');
  }
  const value: unknown = JSON.parse(quoted);
  if (attribute === 'externalId' || attribute === 'id') return (resource) => resource[attribute] === value;
  return (resource) => folded(resource[attribute]) === folded(value);
}

function writeConfig(options: FakeOptions): JsonObject {
  const off = { supported: false };
  return {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig'],
    patch: { supported: options.patch },
    bulk: { ...off, maxOperations: 0, maxPayloadSize: 0 },
    filter: { supported: true, maxResults: options.pageSize },
    changePassword: off,
    sort: off,
    etag: off,
    authenticationSchemes: [],
  };
}

function folded(value: unknown): unknown {
  return typeof value === 'string' ? value.normalize('NFC').toLowerCase() : value;
}
