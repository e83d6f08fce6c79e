import type { IncomingMessage, ServerResponse } from 'node:http';

export type FakeRequest = {
  /** 1, 2, 3 … in order of arrival. */
  n: number;
  method: string;
  on: 'users' | 'groups' | 'config' | 'token' | 'elsewhere';
  /** Decoded id of the resource, if the path names one. */
  id: string | undefined;
  path: string;
  query: Record<string, string>;
  headers: Record<string, string>;
  body: unknown;
  /** Undefined as long as, or for ever when, nothing was answered. */
  status: number | undefined;
  /** Whether it had the effect it asked for. */
  applied: boolean;
};

/** Addresses by the names that follow the root. */
export type Places = { root: string; named: Readonly<Record<string, FakeRequest['on']>> };

const scim2Places: Places = {
  root: '/scim2/',
  named: { Users: 'users', Groups: 'groups', ServiceProviderConfig: 'config' },
};

export async function readRequest(incoming: IncomingMessage, n: number, places = scim2Places): Promise<FakeRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  const { pathname, searchParams } = new URL(incoming.url ?? '/', 'http://fake');
  const [place = '', id, ...more] = pathname.startsWith(places.root)
    ? pathname.slice(places.root.length).split('/')
    : ['', undefined];
  const isPlace = Object.hasOwn(places.named, place) && more.length === 0 && id !== '';
  const on = isPlace ? places.named[place]! : pathname === '/token' ? 'token' : 'elsewhere';
  let body: unknown = text === '' ? undefined : text;
  if (on !== 'token' && text !== '') {
    try {
      body = JSON.parse(text);
    } catch {
      // Kept as the text it is; the checks of the resource refuse it.
    }
  }
  return {
    n,
    method: incoming.method ?? 'GET',
    on,
    id: id === undefined || !isPlace ? undefined : decodeURIComponent(id),
    path: pathname,
    query: Object.fromEntries(searchParams),
    headers: Object.fromEntries(Object.entries(incoming.headers).map(([name, value]) => [name, String(value)])),
    body,
    status: undefined,
    applied: false,
  };
}

export function answer(
  outgoing: ServerResponse,
  request: FakeRequest,
  reply: { status: number; body?: unknown; headers?: Record<string, string> | undefined },
  mediaType = 'application/scim+json',
): void {
  request.status = reply.status;
  const text = reply.body === undefined ? '' : typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body);
  const type = text === '' ? {} : { 'content-type': mediaType };
  const length = reply.status === 204 ? {} : { 'content-length': String(Buffer.byteLength(text)) };
  outgoing.writeHead(reply.status, { ...type, ...length, ...reply.headers });
  outgoing.end(reply.status === 204 ? undefined : text);
}
