import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startWholeServer, type WholeServer } from '../whole-server.ts';
import { openSession } from './scim/client.ts';
import { falsehoods, falsify } from './scim/falsified.ts';
import { judgeRow } from './scim/judge.ts';
import { lacking } from './scim/lacking.ts';
import { lazyServers, serve } from './scim/lazy-servers.ts';
import type { Row } from './scim/row.ts';
import { table } from './scim/table.ts';

const rows = table.filter((row) => row.version === '2.0' && !(row.feature !== undefined && row.feature in lacking));

async function judge(origin: string, authorization: string, asked: readonly Row[]): Promise<Set<string>> {
  const session = openSession({ origin, authorization });
  const passed = new Set<string>();
  for (const row of asked) if ((await judgeRow(session, row)).failure === undefined) passed.add(row.name);
  return passed;
}

describe('the SCIM table before servers that are wrong', () => {
  it('fails most rows of each lazy one, and lets no row pass everywhere', async (t) => {
    const passedSomewhere = new Map<string, number>();
    for (const [what, start] of Object.entries(lazyServers)) {
      await using server = await serve(start());
      const passed = await judge(server.origin, 'Bearer anything', rows);
      t.diagnostic(`a server that ${what}: ${passed.size} of ${rows.length} rows pass`);
      assert.ok(passed.size < rows.length / 3, `${passed.size} of ${rows.length} rows pass a server that ${what}`);
      for (const name of passed) passedSomewhere.set(name, (passedSomewhere.get(name) ?? 0) + 1);
    }
    const all = Object.keys(lazyServers).length;
    const never = [...passedSomewhere].filter(([, times]) => times === all).map(([name]) => name);
    assert.deepEqual(never, []);
  });

  describe('with one fault each', () => {
    let server: WholeServer;
    before(async () => {
      server = await startWholeServer();
    });
    after(() => server[Symbol.asyncDispose]());

    for (const falsehood of falsehoods) {
      it(`catches one that ${falsehood.what}`, async () => {
        const concerned = rows.filter((row) => falsehood.rows.test(row.name));
        assert.ok(concerned.length > 0, 'no row is concerned');
        await using between = await falsify(server.peer, falsehood);
        const passed = await judge(between.origin, server.peer.authorization, concerned);
        assert.ok(passed.size < concerned.length, `all ${concerned.length} rows pass`);
      });
    }

    it('passes the same server without a fault between', async () => {
      await using between = await falsify(server.peer, { what: 'is right', rows: /./ });
      const concerned = rows.filter((row) => /^rfc7644-3\.(5|6|14)/.test(row.name));
      const passed = await judge(between.origin, server.peer.authorization, concerned);
      const failed = concerned.map((row) => row.name).filter((name) => !passed.has(name));
      assert.deepEqual(failed, []);
    });
  });
});
