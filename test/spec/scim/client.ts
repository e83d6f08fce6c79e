import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { request as ask } from 'undici';

// biome-ignore lint/suspicious/noExplicitAny: what a server answers has no type until a check looks at it
export type Json = any;

export type Answer = {
  status: number;
  /** By lower-case name. */
  headers: Readonly<Record<string, string | undefined>>;
  /** Parsed; `undefined` when there was none or it is no JSON. */
  body: Json;
  text: string;
};

/** Where a server under judgement is, and with what it may be asked. */
export type Peer = {
  /** Without a path: `http://127.0.0.1:9080`. */
  origin: string;
  /** A value of `Authorization` that may do everything. */
  authorization: string;
};

export type Exchange = { sent: string; came: string };

export type Call = {
  headers?: Record<string, string | undefined>;
  /** Sent as it is; else the body is sent as JSON. */
  raw?: string;
};

/** A client of one version of SCIM that makes people with names of their own and keeps what was said. */
export type Scim = {
  readonly base: string;
  readonly peer: Peer;
  readonly exchanges: readonly Exchange[];
  call(method: string, path: string, body?: unknown, options?: Call): Promise<Answer>;
  get(path: string, headers?: Call['headers']): Promise<Answer>;
  post(path: string, body: unknown, headers?: Call['headers']): Promise<Answer>;
  /** A name nobody has yet, with this beginning. */
  name(beginning?: string): string;
  /** Makes a user; what is not given is a new `userName`. Throws when the answer is not 201. */
  user(attributes?: object): Promise<Json>;
  group(attributes?: object): Promise<Json>;
  /** The resource as it is now. Throws when the answer is not 200. */
  read(resource: Json): Promise<Json>;
  /** PATCH with these operations. */
  patch(resource: Json, ...operations: object[]): Promise<Answer>;
  /** PATCH that has to succeed; answers the resource as it is afterwards. */
  patched(resource: Json, ...operations: object[]): Promise<Json>;
  put(resource: Json, attributes: object): Promise<Answer>;
  /** The address of a resource below the base. */
  at(resource: Json): string;
  /** GET with these parameters; throws when the answer is not 200. */
  list(path: string, parameters?: Record<string, string | number>): Promise<Json>;
  /** Made at the first call under this name, then given again: for data that rows only read. */
  shared<T>(name: string, make: () => Promise<T>): Promise<T>;
};

export const urn = {
  user: 'urn:ietf:params:scim:schemas:core:2.0:User',
  group: 'urn:ietf:params:scim:schemas:core:2.0:Group',
  enterprise: 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User',
  patch: 'urn:ietf:params:scim:api:messages:2.0:PatchOp',
  list: 'urn:ietf:params:scim:api:messages:2.0:ListResponse',
  search: 'urn:ietf:params:scim:api:messages:2.0:SearchRequest',
  error: 'urn:ietf:params:scim:api:messages:2.0:Error',
  bulk: 'urn:ietf:params:scim:api:messages:2.0:BulkRequest',
  bulkResponse: 'urn:ietf:params:scim:api:messages:2.0:BulkResponse',
} as const;

export const dialects = {
  '2.0': { path: '/scim2', media: 'application/scim+json', user: urn.user, group: urn.group },
  '1.1': {
    path: '/wso2/scim',
    media: 'application/json',
    user: 'urn:scim:schemas:core:1.0',
    group: 'urn:scim:schemas:core:1.0',
  },
} as const;

export type Session = { peer: Peer; names: { mark: string; next: number }; shared: Map<string, Promise<unknown>> };

/** One judgement of one server: names differ from those of any other. */
export function openSession(peer: Peer): Session {
  return { peer, names: { mark: randomBytes(3).toString('hex'), next: 1 }, shared: new Map() };
}

/** A client for one row; what rows share lives in the session. */
export function openScim(session: Session, version: keyof typeof dialects): Scim {
  const { peer, names, shared } = session;
  const dialect = dialects[version];
  const base = `${peer.origin}${dialect.path}`;
  const exchanges: Exchange[] = [];

  async function call(method: string, path: string, body?: unknown, { headers = {}, raw }: Call = {}) {
    const text = raw ?? (body === undefined ? undefined : JSON.stringify(body));
    const given = {
      authorization: peer.authorization,
      ...(text === undefined ? {} : { 'content-type': dialect.media }),
      ...headers,
    };
    const sent = Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== undefined);
    const address = path.startsWith('http') ? path : `${base}${path}`;
    const response = await ask(address, {
      method: method as 'GET',
      headers: Object.fromEntries(sent),
      ...(text === undefined ? {} : { body: text }),
    });
    const answer = await readAnswer(response);
    const extra = sent.filter(([name]) => name !== 'authorization').map(([name, value]) => `${name}: ${value}`);
    exchanges.push({
      sent: [`${method} ${path}`, ...extra, ...(text === undefined ? [] : [clip(text)])].join('\n'),
      came: [String(answer.status), ...describeHeaders(answer), clip(answer.text)].join('\n'),
    });
    return answer;
  }

  async function made(path: string, attributes: object): Promise<Json> {
    const answer = await call('POST', path, attributes);
    assert.equal(answer.status, 201, `POST ${path} did not make a resource: it answered ${answer.status}`);
    assert.ok(answer.body?.id, `POST ${path} answered no id`);
    return answer.body;
  }

  const endpointOf = (resource: Json) =>
    resource?.userName === undefined && resource?.displayName !== undefined ? '/Groups' : '/Users';
  const scim: Scim = {
    base,
    peer,
    exchanges,
    call,
    get: (path, headers = {}) => call('GET', path, undefined, { headers }),
    post: (path, body, headers = {}) => call('POST', path, body, { headers }),
    name: (beginning = 'p') => `${beginning}-${names.mark}-${names.next++}`,
    user: (attributes = {}) => made('/Users', { schemas: [dialect.user], userName: scim.name(), ...attributes }),
    group: (attributes = {}) =>
      made('/Groups', { schemas: [dialect.group], displayName: scim.name('g'), ...attributes }),
    at: (resource) => `${endpointOf(resource)}/${resource?.id}`,
    async read(resource) {
      const answer = await call('GET', scim.at(resource));
      assert.equal(answer.status, 200, `GET ${scim.at(resource)} answered ${answer.status}`);
      return answer.body;
    },
    patch: (resource, ...operations) =>
      call('PATCH', scim.at(resource), { schemas: [urn.patch], Operations: operations }),
    async patched(resource, ...operations) {
      const answer = await scim.patch(resource, ...operations);
      assert.ok(answer.status === 200 || answer.status === 204, `PATCH answered ${answer.status}: ${answer.text}`);
      return scim.read(resource);
    },
    put: (resource, attributes) =>
      call('PUT', scim.at(resource), {
        schemas: [endpointOf(resource) === '/Groups' ? dialect.group : dialect.user],
        ...attributes,
      }),
    async list(path, parameters = {}) {
      const query = new URLSearchParams(Object.entries(parameters).map(([key, value]) => [key, String(value)]));
      const answer = await call('GET', `${path}?${query}`);
      assert.equal(answer.status, 200, `GET ${path}?${query} answered ${answer.status}: ${answer.text}`);
      return answer.body;
    },
    shared<T>(name: string, make: () => Promise<T>) {
      const key = `${version} ${name}`;
      const known = shared.get(key);
      if (known) return known as Promise<T>;
      const making = make();
      shared.set(key, making);
      return making;
    },
  };
  return scim;
}

async function readAnswer(response: Awaited<ReturnType<typeof ask>>): Promise<Answer> {
  const text = await response.body.text();
  const headers: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(response.headers)) {
    headers[name.toLowerCase()] = Array.isArray(value) ? value.join(', ') : value;
  }
  let body: Json;
  try {
    body = text === '' ? undefined : JSON.parse(text);
  } catch {
    body = undefined;
  }
  return { status: response.statusCode, headers, body, text };
}

const told = ['content-type', 'location', 'etag', 'www-authenticate', 'allow'];

function describeHeaders({ headers }: Answer): string[] {
  return told.flatMap((name) => (headers[name] === undefined ? [] : [`${name}: ${headers[name]}`]));
}

const clip = (text: string) => (text.length > 1_500 ? `${text.slice(0, 1_500)}… (${text.length} characters)` : text);
