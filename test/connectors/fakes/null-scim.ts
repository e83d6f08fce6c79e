/**
 * The fastest SCIM target there can be, for benchmarks: it keeps nothing and agrees to everything. `POST` is answered
 * 201 with an id that counts up, a search finds nobody, all else is 204.
 *
 *     node test/connectors/fakes/null-scim.ts [PORT]
 *
 * as a process of its own prints one line of JSON, `{"port":…}`, when it listens, and ends with SIGTERM, or
 * when the process that forked it is gone.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export type NullScim = {
  readonly port: number;
  readonly url: string;
  readonly usersEndpoint: string;
  readonly groupsEndpoint: string;
  /** Resources created so far. */
  readonly created: number;
  close(): Promise<void>;
};

export async function startNullScim(port = 0): Promise<NullScim> {
  let created = 0;
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
  const server = createServer((incoming, outgoing) => {
    incoming.resume();
    incoming.on('end', () => {
      if (incoming.method === 'POST') {
        const text = `{"id":"n${++created}"}`;
        outgoing.writeHead(201, { 'content-type': type, 'content-length': text.length });
        outgoing.end(text);
      } else if (incoming.method === 'GET') {
        const text = incoming.url?.includes('ServiceProviderConfig') ? config : nobody;
        outgoing.writeHead(200, { 'content-type': type, 'content-length': text.length });
        outgoing.end(text);
      } else {
        outgoing.writeHead(204);
        outgoing.end();
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const listening = (server.address() as AddressInfo).port;
  const url = `http://127.0.0.1:${listening}`;
  return {
    port: listening,
    url,
    usersEndpoint: `${url}/scim2/Users`,
    groupsEndpoint: `${url}/scim2/Groups`,
    get created() {
      return created;
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

if (import.meta.main) {
  const running = await startNullScim(Number(process.argv[2] ?? 0));
  console.log(JSON.stringify({ port: running.port }));
  const stop = () => void running.close().then(() => process.exit(0));
  process.once('SIGTERM', stop);
  process.once('disconnect', stop);
}
