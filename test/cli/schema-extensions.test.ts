import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { makeFolder, runPurvey, serve } from './processes.ts';

const urn = 'urn:scim:wso2:schema';

describe('PURVEY_SCHEMAS', () => {
  const folder = makeFolder();
  after(folder.remove);
  const data = join(folder.path, 'data');
  const file = (name: string, text: string) => {
    const path = join(folder.path, name);
    writeFileSync(path, text);
    return path;
  };
  const declare = (attributes: string) =>
    `schemas:\n  - { id: ${urn}, name: WSO2, resource: User, attributes: [${attributes}] }\n`;
  const good = file('good.yaml', declare('{ name: tier }, { name: pin, mutability: writeOnly }'));
  /** Why a server does not start with this file, or without any. */
  const whyNot = async (schemas: string) => {
    const env = { PURVEY_DATA: data, PURVEY_PORT: '0', ...(schemas === '' ? {} : { PURVEY_SCHEMAS: schemas }) };
    const { code, err } = await runPurvey(['serve'], { env });
    assert.notEqual(code, 0);
    assert.doesNotMatch(err, /^\s+at /m, 'no stack is printed');
    return err;
  };

  it('with faults keeps the server from starting, and every fault is told with its place', async () => {
    const bad = file('bad.yaml', declare('{ name: 1 }, { name: b, type: text }'));
    const said = await whyNot(bad);
    assert.match(said, /PURVEY_SCHEMAS/);
    assert.match(said, /bad\.yaml:2:\d+: schemas\[0\]\.attributes\[0\]\.name is 1/);
    assert.match(said, /bad\.yaml:2:\d+: schemas\[0\]\.attributes\[1\]\.type is "text"/);
  });

  it('makes attributes that users, the admin API and the scope of a target know, and that cannot go while a scope reads them', async () => {
    const server = await serve(data, { PURVEY_SCHEMAS: good });
    try {
      const token = readFileSync(join(data, 'admin-token'), 'utf8').trim();
      const call = async (method: string, path: string, body?: object) => {
        const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
        const init = { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) };
        const answer = await fetch(server.url + path, init);
        return { status: answer.status, body: JSON.parse((await answer.text()) || 'null') };
      };
      const schemas = ['urn:ietf:params:scim:schemas:core:2.0:User'];
      const made = await call('POST', '/scim2/Users', {
        schemas,
        userName: 'ada',
        [urn]: { tier: 'gold', pin: 'secret' },
      });
      assert.equal(made.status, 201, JSON.stringify(made.body));
      assert.deepEqual(made.body[urn], { tier: 'gold' });
      const shown = await call('GET', '/api/users/ada');
      assert.deepEqual(shown.body.attributes, { userName: 'ada', [urn]: { tier: 'gold' } });
      const found = await call('GET', `/api/users?filter=${encodeURIComponent(`${urn}:tier eq "Gold"`)}`);
      assert.equal(found.body.total, 1);
      const idp = await call('POST', '/api/identity-providers', { name: 'partner' });
      const target = (scopeUsers: string) =>
        call('POST', `/api/identity-providers/${idp.body.id}/targets`, {
          type: 'SCIM2',
          policy: { scopeUsers },
          settings: {
            'scim2-authentication-mode': 'bearer',
            'scim2-access-token': 'x',
            'scim2-user-ep': 'http://127.0.0.1:9/Users',
          },
        });
      assert.equal((await target(`${urn}:rank eq "1"`)).status, 400);
      const kept = await target(`${urn}:tier eq "gold"`);
      assert.equal(kept.status, 201, JSON.stringify(kept.body));
    } finally {
      assert.equal(await server.stop(), 0, server.printed());
    }
    assert.match(
      await whyNot(''),
      /scopeUsers of the target partner:SCIM2 cannot be read any more: .*tier.* Declare it again, or start as before/,
    );
    const retyped = file('retyped.yaml', declare('{ name: tier, canonicalValues: [gold], multiValued: true }'));
    assert.match(await whyNot(retyped), /urn:scim:wso2:schema:tier was declared as string, .*multi-valued now/);
    const again = await serve(data, { PURVEY_SCHEMAS: good });
    assert.equal(await again.stop(), 0, again.printed());
  });
});
