import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '../src/config.ts';
import { startPurvey } from '../src/main.ts';
import type { Bed } from './database.ts';
import type { Peer } from './spec/scim/client.ts';

export type WholeServer = AsyncDisposable & {
  url: string;
  /** Bearer token with the scopes admin and scim. */
  token: string;
  /** Where and how the SCIM tables ask it. */
  peer: Peer;
  /** Calls the admin API; throws when the answer is not 2xx. */
  // biome-ignore lint/suspicious/noExplicitAny: what the API answers has no type until a test looks at it
  api(method: string, path: string, body?: unknown): Promise<any>;
};

/** A server as `purvey serve` starts it, on a data folder of its own. Without a bed it is on SQLite. */
export async function startWholeServer(bed?: Bed, environment: Record<string, string> = {}): Promise<WholeServer> {
  const data = await mkdtemp(join(tmpdir(), 'purvey-whole-'));
  const location = bed?.kind === 'postgres' ? bed.locationOf(await bed.open()) : undefined;
  const server = await startPurvey(
    readConfig({
      PURVEY_DATA: data,
      PURVEY_PORT: '0',
      PURVEY_LOG: 'silent',
      ...(location && 'url' in location ? { DATABASE_URL: location.url } : {}),
      ...environment,
    }),
  );
  const token = (await readFile(join(data, 'admin-token'), 'utf8')).trim();
  async function api(method: string, path: string, body?: unknown) {
    const response = await fetch(`${server.url}/api${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    assert.ok(response.ok, `${method} /api${path} answered ${response.status}: ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  }
  return {
    url: server.url,
    token,
    peer: { origin: server.url, authorization: `Bearer ${token}` },
    api,
    async [Symbol.asyncDispose]() {
      await server.stop();
      await rm(data, { recursive: true, force: true });
    },
  };
}
