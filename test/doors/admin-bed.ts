import { randomBytes } from 'node:crypto';
import { fastify } from 'fastify';
import { pino } from 'pino';
import type { TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { systemClock } from '../../src/base/clock.ts';
import { connectorKinds } from '../../src/connectors/index.ts';
import { adminDoor } from '../../src/inbound/admin/door.ts';
import { createApiToken } from '../../src/inbound/api-tokens.ts';
import { openCredentials } from '../../src/inbound/credentials.ts';
import { openDoor } from '../../src/inbound/door.ts';
import { ensureFirstAdministrator } from '../../src/inbound/operators.ts';
import { openOutbound } from '../../src/outbound/request.ts';
import { startEngine } from '../../src/provisioning/engine.ts';
import { openNewsroom } from '../../src/provisioning/news.ts';
import { ensureResidentServiceProvider } from '../../src/provisioning/service-providers.ts';
import { openZone } from '../../src/rules/zone.ts';
import type { Store } from '../../src/store/store.ts';
import type { Bed } from '../database.ts';

// biome-ignore lint/suspicious/noExplicitAny: tests read answers by hand, and check their shape with the contract
export type Answer = { status: number; body: any; text: string; change: string | null; headers: Headers };

export type AdminBed = {
  store: Store;
  key: Buffer;
  url: string;
  /** A token with the scope admin. */
  token: string;
  /** Of the administrator `admin`, who has not changed it yet. */
  password: string;
  residentId: number;
  /** Everything that was answered, and everything that was logged. */
  heard: string[];
  logged: string[];
  /** What the door serves, such as `GET /api/targets/:id`. */
  routes: string[];
  /** As the token, unless `authorization` says otherwise; null: without any. */
  call(method: string, path: string, body?: unknown, authorization?: string | null, media?: string): Promise<Answer>;
  startEngine(): Promise<void>;
};

/** The admin API on real HTTP over a fresh database, for one suite; what it starts ends with the suite. */
export async function openAdminBed(bed: Bed): Promise<AdminBed> {
  const store = await bed.open();
  const clock = systemClock();
  const logged: string[] = [];
  const heard: string[] = [];
  const log = pino({ level: 'debug' }, { write: (line: string) => void logged.push(line) });
  const key = randomBytes(32);
  const outbound = openOutbound({ clock, log });
  const first = await ensureFirstAdministrator(store);
  const { residentId, token } = await store.write(async (tx) => {
    const spId = await ensureResidentServiceProvider(tx);
    const made = await createApiToken(tx, { label: 'test', spId, scopes: ['admin'] });
    return { residentId: spId, token: made.token };
  });
  const credentials = openCredentials({ store, clock });
  const door = openDoor({ store, credentials, clock, log });
  const newsroom = openNewsroom({ store, clock, log });
  const facts = {
    version: '0.0.0',
    startedAt: clock.monotonic(),
    place: 'here',
    keep: { attemptsDays: 30, changesDays: 400 },
    server: {
      sealingKey: 'file',
      tls: false,
      publicUrl: null,
      timeZone: 'UTC',
      whenNoRule: 'let-through',
      limits: {
        bodyBytes: 1_048_576,
        bulkOperations: 1_000,
        bulkBytes: 1_048_576,
        searchSeconds: 10,
        blockingSeconds: 10,
        passwordDays: 7,
        forwardedDays: 30,
      },
    } as const,
  };
  const app = fastify({ forceCloseConnections: true });
  const routes: string[] = [];
  app.addHook('onRoute', ({ method, url }) => {
    routes.push(...[method].flat().map((each) => `${each} ${url}`));
  });
  await app.register(
    adminDoor(door, {
      key,
      kinds: connectorKinds,
      outbound,
      facts,
      rules: { zone: openZone('UTC') },
      passwords: { key, lastsMs: 7 * 86_400_000 },
      newsroom,
      issuerOf: () => 'http://127.0.0.1/oauth2',
      addressOf: () => 'http://127.0.0.1',
    }),
    { prefix: '/api' },
  );
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const stops: (() => Promise<void>)[] = [() => app.close(), () => outbound.close(), async () => newsroom.stop()];
  // The bed closes the store at the end of the suite; what works on it has to end before.
  const close = store.close.bind(store);
  let stopping: Promise<void> | undefined;
  const stop = () => (stopping ??= Promise.all(stops.map((each) => each())).then(() => {}));
  store.close = async () => {
    await stop();
    await close();
  };

  return {
    store,
    key,
    url,
    token,
    password: first!.password,
    residentId,
    heard,
    logged,
    routes,
    async call(method, path, body, authorization = `Bearer ${token}`, media = 'application/json') {
      const response = await fetch(`${url}/api${path}`, {
        method,
        headers: {
          ...(authorization === null ? {} : { authorization }),
          ...(body === undefined ? {} : { 'content-type': media }),
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      heard.push(text);
      const isJson = response.headers.get('content-type')?.includes('json') ?? false;
      return {
        status: response.status,
        body: isJson ? JSON.parse(text) : response.headers.get('content-type')?.includes('xml') ? text : undefined,
        text,
        change: response.headers.get('purvey-change'),
        headers: response.headers,
      };
    },
    async startEngine() {
      const engine = await startEngine({ store, clock, log, outbound, kinds: connectorKinds, key });
      stops.unshift(() => engine.stop());
    },
  };
}

export const basic = (name: string, password: string) =>
  `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;

/** Settings that are valid and name nobody. */
export const settings = (more: Record<string, unknown> = {}) => ({
  'scim2-authentication-mode': 'bearer',
  'scim2-access-token': 'first-secret-token',
  'scim2-user-ep': 'https://partner.example/scim2/Users',
  ...more,
});

/** Whether an answer has the shape that the contract promises. */
export function fits(shape: TSchema, value: unknown): boolean {
  return Value.Check(shape, value);
}
