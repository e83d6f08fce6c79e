import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

// A SCIM target that agrees to everything as fast as it can, in a process of its own. It keeps the bodies as they came,
// and only when asked, at /tally, looks at who was created; /clear forgets them. Until /open it asks for patience.
// /arrivals answers when which request came since it was last asked, from its first time on, and forgets it.
// Ids begin with the first argument. Who is to be created with a nickName `refused: WHY` is refused, and WHY said.

const type = 'application/scim+json';
const config = JSON.stringify({
  schemas: ['urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig'],
  patch: { supported: true },
});
const nobody = JSON.stringify({
  schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
  totalResults: 0,
  startIndex: 1,
  itemsPerPage: 0,
  Resources: [],
});
const ids = process.argv[2] ?? 'n';
const refusal = /"nickName":"refused: ([^"]+)"/;
let bodies: Buffer[] = [];
/** Ids are given once, also after /clear. */
let made = 0;
let searches = 0;
let others = 0;
let isOpen = false;
/** When the first creation was accepted, in milliseconds since 1970. */
let firstAt = 0;
let arrivals: { at: number; method: string; path: string; bytes: number; body: string }[] | undefined;

const server = createServer((request, response) => {
  const answer = (status: number, text: string) => {
    response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) });
    response.end(text);
  };
  // The clock of the machine, which the processes share.
  const at = arrivals ? Number(process.hrtime.bigint()) / 1e6 : 0;
  const chunks: Buffer[] = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const { method = '', url = '' } = request;
    if (arrivals && url.startsWith('/scim2/')) {
      const body = Buffer.concat(chunks);
      arrivals.push({ at, method, path: url, bytes: body.length, body: body.toString('utf8') });
    }
    if (method === 'POST' && !isOpen) {
      response.setHeader('retry-after', '2');
      answer(429, '{}');
    } else if (method === 'POST') {
      const why = refusal.exec(String(Buffer.concat(chunks)))?.[1];
      if (why !== undefined) {
        answer(400, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"400","detail":"${why}"}`);
        return;
      }
      if (bodies.length === 0) firstAt = Date.now();
      bodies.push(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks));
      made++;
      answer(201, `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"${ids}${made}"}`);
    } else if (url === '/count') answer(200, String(bodies.length));
    else if (url === '/tally') answer(200, JSON.stringify(tally()));
    else if (url === '/bodies') answer(200, bodies.map((body) => body.toString('utf8')).join('\n'));
    else if (url === '/arrivals') {
      answer(200, JSON.stringify(arrivals ?? []));
      arrivals = [];
    } else if (url === '/open') {
      isOpen = true;
      answer(200, 'open');
    } else if (url === '/clear') {
      bodies = [];
      searches = others = 0;
      answer(200, 'cleared');
    } else if (method === 'GET' && url.includes('ServiceProviderConfig')) answer(200, config);
    else if (method === 'GET') {
      searches++;
      answer(200, nobody);
    } else {
      others++;
      answer(200, '{}');
    }
  });
});

function tally() {
  const users = bodies.map((body) => JSON.parse(body.toString('utf8')) as { userName: string; externalId: string });
  return {
    created: users.length,
    names: new Set(users.map((user) => user.userName)).size,
    externalIds: new Set(users.map((user) => user.externalId)).size,
    searches,
    others,
    firstAt,
  };
}

server.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }));
});
process.once('SIGTERM', () => process.exit(0));
