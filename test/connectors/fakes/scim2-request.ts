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

export async function readRequest(incoming: IncomingMessage, n: number): Promise<FakeRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  const { pathname, searchParams } = new URL(incoming.url ?? '/', 'http://fake');
  const [, place, id] = /^\/(?:scim2\/(Users|Groups|ServiceProviderConfig)(?:\/([^/]+))?|token)$/.exec(pathname) ?? [];
  const places = { Users: 'users', Groups: 'groups', ServiceProviderConfig: 'config' } as const;
  const on = place === undefined ? (pathname === '/token' ? 'token' : 'elsewhere') : places[place as 'Users'];
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
    id: id === undefined ? undefined : decodeURIComponent(id),
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
): void {
  request.status = reply.status;
  const text = reply.body === undefined ? '' : typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body);
  const type = text === '' ? {} : { 'content-type': 'application/scim+json' };
  const length = reply.status === 204 ? {} : { 'content-length': String(Buffer.byteLength(text)) };
  outgoing.writeHead(reply.status, { ...type, ...length, ...reply.headers });
  outgoing.end(reply.status === 204 ? undefined : text);
}
