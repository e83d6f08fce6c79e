import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Json } from './client.ts';
import { urn } from './client.ts';

export type Asked = { method: string; path: string; headers: IncomingMessage['headers']; body: Json; origin: string };
export type Given = { status: number; headers?: Record<string, string>; body?: Json };
export type Serving = AsyncDisposable & { origin: string };

/** A server on loopback that answers by a function and knows nothing of SCIM. */
export async function serve(answer: (asked: Asked) => Given | Promise<Given>): Promise<Serving> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString('utf8');
    const origin = `http://${request.headers.host}`;
    const asked = { method: request.method!, path: request.url!, headers: request.headers, body: parse(text), origin };
    const { status, headers = {}, body } = await answer(asked);
    response.writeHead(status, { 'content-type': 'application/scim+json', ...headers });
    response.end(body === undefined || status === 204 || status === 304 ? undefined : asText(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const asText = (body: Json): string => (typeof body === 'string' ? body : JSON.stringify(body));

/** What is no JSON stays a text. */
function parse(text: string): Json {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return text;
  }
}

const error = (status: number, scimType?: string): Given => ({
  status,
  body: { schemas: [urn.error], status: String(status), detail: 'This is what I always say.', scimType },
});

const listOf = (Resources: Json[]): Given => ({
  status: 200,
  body: {
    schemas: [urn.list],
    totalResults: Resources.length,
    startIndex: 1,
    itemsPerPage: Resources.length,
    Resources,
  },
});

/** Servers that are wrong from the ground up; each says what it does. */
export const lazyServers: Readonly<Record<string, () => (asked: Asked) => Given>> = {
  'says yes to everything': () => () => listOf([]),
  'refuses everything': () => () => error(400, 'invalidValue'),
  'does not know anything': () => () => error(404),
  'shows a page to a browser': () => () => ({ status: 200, headers: { 'content-type': 'text/html' }, body: '<html/>' }),
  'keeps what it is sent, and looks at nothing': keepAll,
  'makes resources with nothing in them': () => {
    const answer = keepAll();
    return (asked) => {
      const { userName, displayName, schemas } = asked.body ?? {};
      return answer({ ...asked, body: asked.body && { userName, displayName, schemas } });
    };
  },
};

/** Stores bodies as they come: any filter finds everybody, PATCH is forgotten, credentials are not asked for. */
function keepAll(): (asked: Asked) => Given {
  const resources = new Map<string, Json>();
  const put = (origin: string, endpoint: string, id: string, body: Json) => {
    const now = '2026-01-01T00:00:00.000Z';
    const location = `${origin}/scim2/${endpoint}/${id}`;
    const meta = { resourceType: endpoint.slice(0, -1), created: now, lastModified: now, location, version: 'W/"1"' };
    const resource = { ...body, id, meta };
    resources.set(`${endpoint}/${id}`, resource);
    return resource;
  };
  return ({ method, path, body, origin }) => {
    const [endpoint = '', id] = path.split('?')[0]!.split('/').slice(2);
    const key = `${endpoint}/${id}`;
    const known = resources.get(key);
    if (method === 'POST' && id === undefined) {
      const made = put(origin, endpoint, randomUUID(), body);
      return { status: 201, headers: { location: made.meta.location, etag: 'W/"1"' }, body: made };
    }
    if (id === undefined || method === 'POST') {
      return listOf([...resources].filter(([name]) => name.startsWith(`${endpoint}/`)).map(([, one]) => one));
    }
    if (!known) return error(404);
    if (method === 'PUT') return { status: 200, headers: { etag: 'W/"1"' }, body: put(origin, endpoint, id, body) };
    if (method === 'DELETE') return { status: 204 };
    return { status: 200, headers: { etag: 'W/"1"' }, body: known };
  };
}
