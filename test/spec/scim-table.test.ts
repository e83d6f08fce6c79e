import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { eachDatabase } from '../database.ts';
import { startWholeServer, type WholeServer } from '../whole-server.ts';
import { openSession, type Session } from './scim/client.ts';
import { describeVerdict, judgeRow } from './scim/judge.ts';
import { lacking } from './scim/lacking.ts';
import { table } from './scim/table.ts';

eachDatabase('the SCIM table', (database) => {
  describe('row by row', () => {
    let server: WholeServer;
    let session: Session;
    before(async () => {
      server = await startWholeServer(database);
      session = openSession(server.peer);
    });
    after(() => server[Symbol.asyncDispose]());

    for (const row of table) {
      const missing = row.feature === undefined ? undefined : lacking[row.feature];
      it(missing === undefined ? row.name : `not yet: ${row.name}`, async () => {
        const verdict = await judgeRow(session, row);
        if (missing === undefined) assert.ok(verdict.failure === undefined, describeVerdict(verdict));
        else assert.ok(verdict.failure, `"${row.feature}" is there: take it off test/spec/scim/lacking.ts`);
      });
    }
  });
});

describe('the SCIM table itself', () => {
  it('names each row once', () => {
    const names = table.map((row) => row.name);
    assert.deepEqual(
      names.filter((name, index) => names.indexOf(name) !== index),
      [],
    );
  });

  it('has rows for each feature that is said to be missing', () => {
    const features = new Set(table.map((row) => row.feature));
    assert.deepEqual(
      Object.keys(lacking).filter((feature) => !features.has(feature)),
      [],
    );
  });
});
