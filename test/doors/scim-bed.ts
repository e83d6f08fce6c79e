import { randomBytes } from 'node:crypto';
import { fastify } from 'fastify';
import { type Clock, systemClock } from '../../src/base/clock.ts';
import { openLog } from '../../src/base/log.ts';
import { hashPassword } from '../../src/directory/passwords.ts';
import { createApiToken } from '../../src/inbound/api-tokens.ts';
import { type Credentials, openCredentials } from '../../src/inbound/credentials.ts';
import { openDoor } from '../../src/inbound/door.ts';
import { frontOptions } from '../../src/inbound/front.ts';
import { createOperator } from '../../src/inbound/operators.ts';
import { type Codec, scim2Codec } from '../../src/inbound/scim/codec.ts';
import { scimDoor } from '../../src/inbound/scim/door.ts';
import type { ScimLimits } from '../../src/inbound/scim/parts.ts';
import type { ResourceTypes } from '../../src/protocol/scim/schema.ts';
import { ensureResidentServiceProvider, readInbound } from '../../src/provisioning/service-providers.ts';
import type { Waits } from '../../src/provisioning/wait.ts';
import type { Store } from '../../src/store/store.ts';

export type Answer = {
  status: number;
  headers: Headers;
  /** Parsed; `undefined` when there was none. */
  // biome-ignore lint/suspicious/noExplicitAny: what a server answers has no type until a test looks at it
  body: any;
};

/** A SCIM door on loopback with real HTTP, and a client of it. */
export type ScimBed = AsyncDisposable & {
  url: string;
  store: Store;
  credentials: Credentials;
  /** A token of the service provider with this id. */
  token: string;
  residentId: number;
  /** Opens the passwords that are kept for the targets. */
  passwordKey: Buffer;
  logged: string[];
  /** `body`: an object is sent as SCIM JSON, a string as it is. */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string | undefined>): Promise<Answer>;
};

export const operatorName = 'robot';
export const operatorPassword = 'correct horse battery staple';

export async function openScimBed(
  store: Store,
  options: {
    clock?: Clock;
    bodyBytes?: number;
    searchMs?: number;
    limits?: Partial<ScimLimits>;
    waits?: Waits;
    types?: ResourceTypes;
    /** Default: SCIM 2.0. */
    codec?: Codec;
    key?: Buffer;
  } = {},
): Promise<ScimBed> {
  const clock = options.clock ?? systemClock();
  const log = openLog('silent');
  const logged: string[] = [];
  log.error = ((fields: object) => void logged.push(JSON.stringify(fields))) as never;
  const credentials = openCredentials({ store, clock });
  const hash = await hashPassword(operatorPassword);
  const { token, residentId } = await store.write(async (tx) => {
    const resident = await ensureResidentServiceProvider(tx);
    // A second door on the same store has the first one's operator.
    const known = await tx.first(tx.q.selectFrom('operators').select('id').where('name', '=', operatorName));
    if (!known) await createOperator(tx, { name: operatorName, hash, role: 'service', mustChange: false });
    const made = await createApiToken(tx, { label: 'tests', spId: 7, scopes: ['scim'] });
    return { token: made.token, residentId: resident };
  });
  const { bodyBytes, searchMs } = options;
  const limits = { ...(bodyBytes === undefined ? {} : { bodyBytes }), ...(searchMs === undefined ? {} : { searchMs }) };
  const { waits, types } = options;
  const door = openDoor({
    store,
    credentials,
    clock,
    log,
    ...(waits ? { waits } : {}),
    ...(types ? { types } : {}),
    limits,
  });
  const app = fastify({ logger: false, ...frontOptions });
  const passwords = { key: options.key ?? randomBytes(32), lastsMs: 7 * 86_400_000 };
  const forwarding = { ...passwords, settingOf: readInbound };
  const limited = options.limits ? { limits: options.limits } : {};
  const { codec = scim2Codec } = options;
  const prefix = codec.version === '2.0' ? '/scim2' : '/wso2/scim';
  await app.register(scimDoor({ door, codec, passwords, forwarding, ...limited }), { prefix });
  const url = `${await app.listen({ host: '127.0.0.1', port: 0 })}${prefix}`;
  return {
    url,
    store,
    credentials,
    token,
    residentId,
    passwordKey: passwords.key,
    logged,
    async call(method, path, body, headers = {}) {
      const sent = { authorization: `Bearer ${token}`, 'content-type': codec.mediaTypes[0], ...headers };
      const init: RequestInit = { method, headers: Object.entries(sent).filter(isGiven) };
      if (body === undefined) init.headers = (init.headers as [string, string][]).filter(([k]) => k !== 'content-type');
      else init.body = typeof body === 'string' || body instanceof Uint8Array ? (body as string) : JSON.stringify(body);
      const response = await fetch(path.startsWith('http') ? path : `${url}${path}`, init);
      const text = await response.text();
      const isJson = response.headers.get('content-type')?.includes('json');
      return {
        status: response.status,
        headers: response.headers,
        body: text === '' ? undefined : isJson ? JSON.parse(text) : text,
      };
    },
    async [Symbol.asyncDispose]() {
      await app.close();
    },
  };
}

function isGiven(entry: [string, string | undefined]): entry is [string, string] {
  return entry[1] !== undefined;
}

export const userSchemas = ['urn:ietf:params:scim:schemas:core:2.0:User'];
export const groupSchemas = ['urn:ietf:params:scim:schemas:core:2.0:Group'];
export const patchSchemas = ['urn:ietf:params:scim:api:messages:2.0:PatchOp'];
