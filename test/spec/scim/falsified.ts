import { request } from 'undici';
import { type Json, type Peer, urn } from './client.ts';
import { type Asked, type Given, type Serving, serve } from './lazy-servers.ts';

/** One way to be wrong that a right server is made to have: what it is asked, or what it answers, is falsified. */
export type Falsehood = {
  what: string;
  /** The rows that it concerns; some of them have to fail. */
  rows: RegExp;
  asked?: (asked: Asked, right: Peer) => void;
  given?: (given: Given & { headers: Record<string, string> }, asked: Asked) => void;
};

/** A server between, which passes everything on to the right one but for one falsehood. */
export async function falsify(right: Peer, { asked: change, given: spoil }: Falsehood): Promise<Serving> {
  return serve(async (asked) => {
    change?.(asked, right);
    const { authorization, host, ...others } = asked.headers;
    const names = ['if-match', 'if-none-match', 'accept', 'content-type'] as const;
    const passed = names.flatMap((name) => (others[name] === undefined ? [] : [[name, others[name]!] as const]));
    const body =
      asked.body === undefined ? undefined : typeof asked.body === 'string' ? asked.body : JSON.stringify(asked.body);
    const response = await request(`${right.origin}${asked.path}`, {
      method: asked.method as 'GET',
      headers: { host: host!, ...(authorization ? { authorization } : {}), ...Object.fromEntries(passed) },
      ...(body === undefined ? {} : { body }),
    });
    const text = await response.body.text();
    const headers: Record<string, string> = {};
    for (const name of ['content-type', 'location', 'etag', 'www-authenticate', 'allow']) {
      const value = response.headers[name];
      if (value !== undefined) headers[name] = String(value);
    }
    const given = { status: response.statusCode, headers, body: text === '' ? undefined : JSON.parse(text) };
    spoil?.(given, asked);
    return given;
  });
}

/** The same request without one of its parameters. */
const without =
  (...names: string[]) =>
  (asked: Asked) => {
    const url = new URL(asked.path, asked.origin);
    for (const name of names) url.searchParams.delete(name);
    asked.path = `${url.pathname}${url.search}`;
    if (asked.method === 'POST' && asked.body && asked.path.endsWith('.search'))
      for (const name of names) delete asked.body[name];
  };

const withoutHeader = (name: string) => (asked: Asked) => {
  delete asked.headers[name];
};

const resourcesIn = (body: Json): Json[] => body?.Resources ?? (body?.id ? [body] : []);
const eachResource = (change: (resource: Json) => void) => (given: Given) => {
  for (const resource of resourcesIn(given.body)) change(resource);
};
const isPatch = ({ method, body }: Asked) => method === 'PATCH' && Array.isArray(body?.Operations);

export const falsehoods: readonly Falsehood[] = [
  { what: 'ignores filters', rows: /^rfc7644-3\.4\.(2\.2|3) /, asked: without('filter') },
  {
    what: 'takes and for or',
    rows: /^rfc7644-3\.4\.2\.2 /,
    asked: (asked) => {
      asked.path = asked.path.replace(/\+and\+|%20and%20/g, '+or+');
    },
  },
  { what: 'does not sort', rows: /^rfc7644-3\.4\.2\.3 /, asked: without('sortBy') },
  { what: 'sorts one way only', rows: /^rfc7644-3\.4\.2\.3 /, asked: without('sortOrder') },
  { what: 'ignores count', rows: /^rfc7644-3\.4\.2\.4 /, asked: without('count') },
  { what: 'ignores startIndex', rows: /^rfc7644-3\.4\.2\.4 /, asked: without('startIndex') },
  { what: 'ignores attributes', rows: /^rfc7644-3\.(9|10|4\.2\.5) /, asked: without('attributes') },
  { what: 'ignores excludedAttributes', rows: /^rfc7644-3\.(9|4\.2\.5) /, asked: without('excludedAttributes') },
  { what: 'ignores cursors', rows: /^rfc9865/, asked: without('cursor') },
  {
    what: 'never ends a walk by cursor',
    rows: /^rfc9865/,
    given: ({ body }) => {
      if (body?.Resources) body.nextCursor ??= 'again';
    },
  },
  { what: 'ignores If-Match', rows: /^rfc7644-3\.14 /, asked: withoutHeader('if-match') },
  { what: 'ignores If-None-Match', rows: /^rfc7644-3\.14 /, asked: withoutHeader('if-none-match') },
  {
    what: 'sends no ETag',
    rows: /^rfc7644-3\.14 |^rfc7643-3\.1 /,
    given: ({ headers }) => {
      delete headers['etag'];
    },
  },
  {
    what: 'says 200 for what it made',
    rows: /^rfc7644-3\.3 /,
    given: (given) => {
      if (given.status === 201) given.status = 200;
    },
  },
  {
    what: 'sends no Location',
    rows: /^rfc7644-3\.3 /,
    given: ({ headers }) => {
      delete headers['location'];
    },
  },
  {
    what: 'says 200 after a deletion',
    rows: /^rfc7644-3\.6 /,
    given: (given, { method }) => {
      if (method === 'DELETE' && given.status === 204) given.status = 200;
    },
  },
  {
    what: 'only says that it deleted',
    rows: /^rfc7644-3\.6 /,
    asked: (asked) => {
      if (asked.method === 'DELETE') asked.method = 'HEAD';
    },
  },
  {
    what: 'has no scimType',
    rows: /^rfc7644-3\.(12|5\.2)/,
    given: ({ body }) => {
      delete body?.scimType;
    },
  },
  {
    what: 'gives the status of an error as a number',
    rows: /^rfc7644-3\.12 /,
    given: ({ body }) => {
      if (body?.detail) body.status = Number(body.status);
    },
  },
  {
    what: 'calls everything plain JSON',
    rows: /^rfc7644-3\.8 /,
    given: ({ headers }) => {
      headers['content-type'] = 'application/json';
    },
  },
  {
    what: 'does not say how to authenticate',
    rows: /^rfc7644-2 /,
    given: ({ headers }) => {
      delete headers['www-authenticate'];
    },
  },
  {
    what: 'lets everybody in',
    rows: /^rfc7644-(2|7) /,
    asked: (asked, { authorization }) => {
      asked.headers.authorization = authorization;
    },
  },
  {
    what: 'gives passwords back',
    rows: /^rfc7643-4\.1\.1 /,
    given: ({ body }, asked) => {
      if (asked.body?.password && body?.id) body.password = asked.body.password;
    },
  },
  {
    what: 'does only the first operation of a PATCH',
    rows: /^rfc7644-3\.5\.2 /,
    asked: (asked) => {
      if (isPatch(asked)) asked.body.Operations.length = Math.min(asked.body.Operations.length, 1);
    },
  },
  {
    what: 'adds when it should replace',
    rows: /^rfc7644-3\.5\.2\.3 /,
    asked: (asked) => {
      if (isPatch(asked)) for (const one of asked.body.Operations) if (one.op === 'replace') one.op = 'add';
    },
  },
  {
    what: 'replaces when it should add',
    rows: /^rfc7644-3\.5\.2\.1 /,
    asked: (asked) => {
      if (isPatch(asked)) for (const one of asked.body.Operations) if (one.op === 'add') one.op = 'replace';
    },
  },
  {
    what: 'removes everything, whatever the filter says',
    rows: /^rfc7644-3\.5\.2\.2 /,
    asked: (asked) => {
      if (!isPatch(asked)) return;
      for (const one of asked.body.Operations) if (one.op === 'remove') one.path = one.path?.replace(/\[.*\]/, '');
    },
  },
  {
    what: 'merges when it should replace with PUT',
    rows: /^rfc7644-3\.5\.1 /,
    asked: (asked) => {
      if (asked.method !== 'PUT' || typeof asked.body !== 'object') return;
      const { schemas: _, id: __, meta: ___, groups: ____, ...value } = asked.body;
      asked.method = 'PATCH';
      asked.body = { schemas: [urn.patch], Operations: [{ op: 'replace', value }] };
    },
  },
  {
    what: 'moves lastModified with every look',
    rows: /^rfc7643-3\.1 |^rfc7644-3\.5\.2\.1 /,
    given: eachResource((resource) => {
      if (resource.meta) resource.meta.lastModified = new Date(Date.now() + Math.random() * 1e6).toISOString();
    }),
  },
  {
    what: 'has one id for users and another each time',
    rows: /^rfc7643-3\.1 /,
    given: eachResource((one) => {
      one.id = `x${Math.random()}`;
    }),
  },
  {
    what: 'leaves schemas out',
    rows: /^rfc7643-(2\.1|3) /,
    given: eachResource((resource) => {
      delete resource.schemas;
    }),
  },
  {
    what: 'gives an empty array for what is not there, and calls it present',
    rows: /^rfc7643-2\.5 /,
    asked: (asked) => {
      asked.path = asked.path.replace('emails+pr', 'schemas+pr');
    },
  },
  {
    what: 'counts only the page',
    rows: /^rfc7644-3\.4\.2(\.4)? /,
    given: ({ body }) => {
      if (body?.Resources) body.totalResults = body.Resources.length;
    },
  },
  {
    what: 'forgets the second operation of a bulk job',
    rows: /^rfc7644-3\.7/,
    given: ({ body }) => {
      if (Array.isArray(body?.Operations)) body.Operations.splice(1, 1);
    },
  },
  {
    what: 'does not stop a bulk job',
    rows: /^rfc7644-3\.7 /,
    asked: (asked) => {
      delete asked.body?.failOnErrors;
    },
  },
  {
    what: 'describes nothing as required or unique',
    rows: /^rfc7643-8\.7\.1 /,
    given: eachResource((schema) => {
      for (const one of schema.attributes ?? []) Object.assign(one, { required: false, uniqueness: 'none' });
    }),
  },
  {
    what: 'pages what it describes',
    rows: /^rfc7644-4 /,
    given: ({ body }, { path }) => {
      if (/count=1/.test(path) && body?.Resources) body.Resources.length = Math.min(body.Resources.length, 1);
    },
  },
  {
    what: 'has /Me without its place',
    rows: /^rfc7644-3\.11 /,
    given: ({ headers }) => {
      delete headers['location'];
    },
  },
  {
    what: 'keeps no extension',
    rows: /^rfc7643-(3\.3|4\.3) /,
    given: eachResource((resource) => {
      delete resource[urn.enterprise];
    }),
  },
  {
    what: 'takes whatever is wrong',
    rows: /^rfc7643-(2\.3|2\.4|4\.1\.1|4\.2) |^rfc7644-3\.2 /,
    given: (given) => {
      if (given.status >= 400) given.status = 200;
    },
  },
  {
    what: 'finds whoever is asked for',
    rows: /^rfc7644-(3\.4\.1|3\.13) /,
    given: (given) => {
      if (given.status === 404) given.status = 200;
    },
  },
  {
    what: 'tells nothing of itself',
    rows: /^rfc7643-5 /,
    given: (given, { path }) => {
      if (path.endsWith('/ServiceProviderConfig')) given.body = { schemas: given.body.schemas };
    },
  },
  {
    what: 'has schemas that its resource types do not name',
    rows: /^rfc7643-6 /,
    given: eachResource((type) => {
      if (type.schemaExtensions) type.schemaExtensions = [{ schema: 'urn:example:other' }];
    }),
  },
  {
    what: 'says neither what may change nor what is returned',
    rows: /^rfc7643-7 /,
    given: eachResource((schema) => {
      for (const one of schema.attributes ?? []) Object.assign(one, { mutability: undefined, returned: undefined });
    }),
  },
];
