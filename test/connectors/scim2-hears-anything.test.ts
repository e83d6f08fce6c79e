import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { Secret } from '../../src/base/secret.ts';
import type { Connector } from '../../src/connectors/connector.ts';
import { scim2 } from '../../src/connectors/scim2/connector.ts';
import { makeOutbound } from './setting.ts';

/** Answers everything with whatever it holds. */
let next = { status: 200, text: '', type: 'application/scim+json' };
let heard = 0;
const server = createServer((request, response) => {
  heard++;
  request.resume();
  const body = next.status === 204 || next.status === 304 ? undefined : next.text;
  response.writeHead(next.status, { 'content-type': next.type }).end(body);
});
const way = makeOutbound();
let open: () => Connector;

before(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/scim2`;
  const values = {
    'scim2-user-ep': `${url}/Users`,
    'scim2-group-ep': `${url}/Groups`,
    'scim2-username': 'a',
    'scim2-password': new Secret('b-password'),
  };
  open = () => scim2.open(values, way.outbound);
});
after(async () => {
  await way.outbound.close();
  server.closeAllConnections();
  server.close();
});

const status = fc.constantFrom(
  200,
  201,
  202,
  204,
  206,
  302,
  304,
  400,
  401,
  403,
  404,
  409,
  410,
  422,
  429,
  500,
  503,
  599,
);
const names = fc.constantFrom(
  ...['id', 'userName', 'externalId', 'schemas', 'Resources', 'totalResults', 'detail', 'scimType', 'name', 'emails'],
  ...['__proto__', 'constructor', 'patch', 'supported', 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'],
);
const { json } = fc.letrec((tie) => ({
  json: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(null, true, false, 'u1', 'bob', '', 0, 1, -1, 1.5, 'noTarget', 'uniqueness'),
    fc.string({ unit: 'binary', maxLength: 8 }),
    fc.array(tie('json'), { maxLength: 3 }),
    fc.array(fc.tuple(names, tie('json')), { maxLength: 5 }).map((entries) => Object.fromEntries(entries)),
  ),
}));
const text = fc.oneof(
  json.map((value) => JSON.stringify(value)),
  json.map((value) => JSON.stringify(value).slice(0, -1)),
  fc.constant('<!doctype html><p>hello</p>'),
  fc.constant('{"__proto__":{"id":"u1"},"id":"u1","emails":[{"__proto__":{"value":"x"}}]}'),
);

test('whatever is answered, the connector neither throws, nor repeats itself, nor believes what it cannot', async () => {
  const user = { userName: 'bob', externalId: 'id-bob' };
  await fc.assert(
    fc.asyncProperty(status, text, async (code, body) => {
      next = { status: code, text: body, type: 'application/scim+json' };
      const connector = open();
      const said = async <T extends { outcome: string }>(asked: Promise<T>, most: number): Promise<T> => {
        const from = heard;
        const ended = await asked;
        assert.ok(['done', 'absent', 'exists', 'refused', 'unavailable', 'unknown'].includes(ended.outcome));
        if ('reason' in ended) assert.ok(typeof ended.reason === 'string' && ended.reason !== '');
        assert.ok(heard - from <= most, `${heard - from} requests`);
        return ended;
      };
      const courier = () => way.courier({ timeoutMs: 20_000, deadlineMs: 20_000 });
      const success = code >= 200 && code < 300;

      const made = await said(connector.create(courier(), { kind: 'user', attributes: user }), 1);
      if (made.outcome === 'done') assert.ok(success && body.includes(made.remoteId));
      const read = await said(connector.read(courier(), 'user', 'u1'), 1);
      if (read.outcome === 'done') assert.equal(code, 200);
      if (read.outcome === 'absent') assert.ok(code === 404 || code === 410);
      const found = await said(connector.find(courier(), { kind: 'user', externalId: 'id-bob', names: ['bob'] }), 100);
      if (found.outcome === 'done') assert.match(String(code === 200 && JSON.parse(body).totalResults), /^\d+$/);
      const gone = await said(connector.remove(courier(), 'user', 'u1'), 1);
      if (gone.outcome === 'done') assert.ok(code === 200 || code === 204);
      const update = { kind: 'user' as const, remoteId: 'u1', attributes: user, set: { title: 'x' }, unset: [] };
      const changed = await said(connector.update(courier(), update), 2);
      if (changed.outcome === 'done') assert.ok(code === 200 || code === 204);
      const member = { kind: 'user' as const, remoteId: 'u2' };
      await said(connector.changeMembers(courier(), { remoteId: 'g1', add: [member], remove: [] }), 1);
      await said(connector.describe(courier()), 1);
      const steps = await connector.test(courier());
      assert.ok(steps.length > 0 && steps.every((step) => step.reason !== ''));
      assert.equal(({} as { id?: string }).id, undefined);
    }),
    { numRuns: 250 },
  );
});
