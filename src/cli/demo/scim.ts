import { setMaxListeners } from 'node:events';
import { CliError } from '../client.ts';

export type ScimResource = { id?: string; [attribute: string]: unknown };

export const userUrns = {
  core: 'urn:ietf:params:scim:schemas:core:2.0:User',
  enterprise: 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User',
} as const;
export const groupUrn = 'urn:ietf:params:scim:schemas:core:2.0:Group';
const patchUrn = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';

export type PatchOperation = { op: 'add' | 'replace' | 'remove'; path?: string; value?: unknown };
export type Endpoint = 'Users' | 'Groups';

/**
 * The SCIM 2.0 door of a server, as any client uses it. Every call throws `CliError` for what is not a success, and
 * the reason of `signal` once that is given.
 */
export interface Scim {
  create(endpoint: Endpoint, resource: ScimResource): Promise<{ id: string }>;
  patch(endpoint: Endpoint, id: string, operations: readonly PatchOperation[]): Promise<void>;
  /** Removing what is not there is no failure: it may be the answer that was lost. */
  remove(endpoint: Endpoint, id: string): Promise<void>;
  read(endpoint: Endpoint, id: string): Promise<ScimResource>;
  /** All pages. Whole only if nobody writes meanwhile. */
  list(endpoint: Endpoint, query?: { attributes?: string }): Promise<(ScimResource & { id: string })[]>;
}

const pageSize = 200;

/** `url` is the server's, without `/scim2`. */
export function openScim(url: string, token: string, signal: AbortSignal): Scim {
  // Each request under way listens to it.
  setMaxListeners(0, signal);
  async function call(method: string, path: string, body?: unknown): Promise<{ status: number; text: string }> {
    signal.throwIfAborted();
    let answer: { status: number; ok: boolean; text: string };
    try {
      const response = await fetch(`${url}/scim2${path}`, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/scim+json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.any([signal, AbortSignal.timeout(60_000)]),
      });
      answer = { status: response.status, ok: response.ok, text: await response.text() };
    } catch (error) {
      signal.throwIfAborted();
      const { cause, message } = error as { cause?: { code?: string }; message: string };
      throw new CliError(`${url} does not answer to ${method} ${path} (${cause?.code ?? message})`);
    }
    if (!answer.ok && !(method === 'DELETE' && answer.status === 404)) {
      throw new CliError(`${url} answered ${answer.status} to ${method} ${path}: ${detailOf(answer.text)}`, {
        status: answer.status,
      });
    }
    return answer;
  }
  return {
    async create(endpoint, resource) {
      const { text } = await call('POST', `/${endpoint}?attributes=id`, resource);
      return JSON.parse(text) as { id: string };
    },
    async patch(endpoint, id, operations) {
      const body = { schemas: [patchUrn], Operations: operations };
      await call('PATCH', `/${endpoint}/${id}`, body);
    },
    async remove(endpoint, id) {
      await call('DELETE', `/${endpoint}/${id}`);
    },
    async read(endpoint, id) {
      return JSON.parse((await call('GET', `/${endpoint}/${id}`)).text) as ScimResource;
    },
    async list(endpoint, query = {}) {
      const found: (ScimResource & { id: string })[] = [];
      for (;;) {
        const search = new URLSearchParams({ ...query, startIndex: String(found.length + 1), count: String(pageSize) });
        const { text } = await call('GET', `/${endpoint}?${search}`);
        const page = JSON.parse(text) as { totalResults: number; Resources?: typeof found };
        const resources = page.Resources ?? [];
        found.push(...resources);
        if (resources.length === 0 || found.length >= page.totalResults) return found;
      }
    },
  };
}

function detailOf(text: string): string {
  try {
    return String((JSON.parse(text) as { detail?: string }).detail ?? text).slice(0, 300);
  } catch {
    return text.slice(0, 300);
  }
}

/**
 * Does `work` for every item, so many at once, beginning them in their order. The first failure stops the rest from
 * being begun and is thrown once those under way have ended.
 */
export async function forEachAtOnce<T>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  const failures: unknown[] = [];
  const runners = Array.from({ length: Math.min(atOnce, items.length) }, async () => {
    for (const item of queue) {
      if (failures.length > 0) return;
      try {
        await work(item);
      } catch (error) {
        failures.push(error);
      }
    }
  });
  await Promise.all(runners);
  if (failures.length > 0) throw failures[0];
}
