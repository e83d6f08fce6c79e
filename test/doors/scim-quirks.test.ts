import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { quirks } from '../../src/protocol/scim/quirks.ts';
import { eachDatabase } from '../database.ts';
import { type Answer, groupSchemas, openScimBed, patchSchemas, type ScimBed, userSchemas } from './scim-bed.ts';

const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const searchUrn = 'urn:ietf:params:scim:api:messages:2.0:SearchRequest';

const patch = (bed: ScimBed, path: string, ...Operations: object[]) =>
  bed.call('PATCH', path, { schemas: patchSchemas, Operations });
const make = async (bed: ScimBed, userName: string, query = '') =>
  bed.call('POST', `/Users${query}`, { schemas: userSchemas, userName });
const membersOf = async (bed: ScimBed, id: string) =>
  ((await bed.call('GET', `/Groups/${id}`)).body.members ?? []).map((one: { value: string }) => one.value);
const namesOf = (answer: Answer) =>
  answer.body.Resources.map((one: { userName?: string; displayName?: string }) => one.userName ?? one.displayName);

eachDatabase('SCIM 2.0 and what known clients send', (database) => {
  it('domainParameter (WSO2): a list keeps to one domain, and a new user or group goes there', async () => {
    await using bed = await openScimBed(await database.open());
    await bed.store.write((tx) =>
      tx.all(tx.q.insertInto('user_store_domains').values({ name: 'SALES', description: null })),
    );
    const made = await make(bed, 'ada', '?domain=sales');
    assert.deepEqual([made.status, made.body.userName], [201, 'SALES/ada']);
    assert.equal((await make(bed, 'SALES/bob', '?domain=SALES')).body.userName, 'SALES/bob');
    assert.equal((await make(bed, 'ada', '?domain=PRIMARY')).body.userName, 'ada');
    const group = await bed.call('POST', '/Groups?domain=SALES', { schemas: groupSchemas, displayName: 'Team' });
    assert.equal(group.body.displayName, 'SALES/Team');
    const elsewhere = await make(bed, 'PRIMARY/eve', '?domain=SALES');
    assert.deepEqual([elsewhere.status, elsewhere.body.scimType], [400, 'invalidValue']);
    assert.match(elsewhere.body.detail, /PRIMARY.*SALES/);
    const sales = await bed.call('GET', '/Users?domain=Sales&sortBy=userName');
    assert.deepEqual([sales.body.totalResults, namesOf(sales)], [2, ['SALES/ada', 'SALES/bob']]);
    assert.deepEqual(namesOf(await bed.call('GET', '/Users?domain=PRIMARY')), ['ada']);
    const filter = encodeURIComponent('userName eq "ada"');
    assert.deepEqual(namesOf(await bed.call('GET', `/Users?domain=SALES&filter=${filter}`)), []);
    assert.deepEqual(namesOf(await bed.call('GET', `/Users?domain=PRIMARY&filter=${filter}`)), ['ada']);
    const prefix = async (op: string) =>
      namesOf(await bed.call('GET', `/Users?filter=${encodeURIComponent(`userName ${op} "PRIMARY/ada"`)}`));
    assert.deepEqual([await prefix('eq'), await prefix('sw'), await prefix('co')], [['ada'], ['ada'], []]);
    const root = await bed.call('GET', '/?domain=SALES&sortBy=meta.created');
    assert.deepEqual(namesOf(root), ['SALES/ada', 'SALES/bob', 'SALES/Team']);
    const search = { schemas: [searchUrn], sortBy: 'userName', count: 1 };
    assert.deepEqual(namesOf(await bed.call('POST', '/Users/.search?domain=SALES', search)), ['SALES/ada']);
    const first = await bed.call('POST', '/Users/.search', { ...search, domain: 'SALES', cursor: '' });
    assert.deepEqual([first.body.totalResults, namesOf(first)], [2, ['SALES/ada']]);
    const cursor = first.body.nextCursor;
    assert.deepEqual(namesOf(await bed.call('POST', '/Users/.search?domain=SALES', { ...search, cursor })), [
      'SALES/bob',
    ]);
    const calls: [string, string, unknown?][] = [
      ['GET', '/Users?domain=NOWHERE'],
      ['GET', '/?domain=%00'],
      ['POST', '/Users/.search?domain=NOWHERE', search],
      ['POST', '/Users?domain=NOWHERE', { schemas: userSchemas, userName: 'x' }],
      ['POST', '/Groups?domain=', { schemas: groupSchemas, displayName: 'x' }],
      ['GET', '/Users?domain=SALES&domain=PRIMARY'],
    ];
    for (const [method, path, body] of calls) {
      const answer = await bed.call(method, path, body);
      assert.deepEqual([answer.status, answer.body.scimType], [400, 'invalidValue'], path);
    }
    assert.equal((await bed.call('GET', '/?count=0')).body.totalResults, 4);
  });

  it('membersEitherWay (Entra ID, Okta): members are removed in both spellings, whatever the case of the operation', async () => {
    await using bed = await openScimBed(await database.open());
    const ids: string[] = [];
    for (const name of ['a', 'b', 'c', 'd', 'e']) ids.push((await make(bed, name)).body.id);
    const [a, b, c, d, e] = ids as [string, string, string, string, string];
    const body = { schemas: groupSchemas, displayName: 'Team', members: ids.map((value) => ({ value })) };
    const team = (await bed.call('POST', '/Groups', body)).body.id;
    const path = `/Groups/${team}`;
    const leaves = async (operation: object, left: string[]) => {
      assert.equal((await patch(bed, path, operation)).status, 204, JSON.stringify(operation));
      assert.deepEqual(await membersOf(bed, team), left);
    };
    await leaves({ op: 'remove', path: `members[value eq "${a}"]` }, [b, c, d, e]);
    await leaves({ op: 'Remove', path: 'members', value: [{ value: b }] }, [c, d, e]);
    await leaves({ op: 'Remove', path: 'members', value: [{ $ref: null, value: c }, { value: 'nobody' }] }, [d, e]);
    await leaves({ op: 'remove', path: 'members', value: { value: d } }, [e]);
    await leaves({ op: 'Add', path: 'members', value: [{ $ref: null, value: a }] }, [a, e]);
    await leaves({ op: 'remove', path: 'members', value: [] }, [a, e]);
    await leaves({ op: 'remove', path: 'members' }, []);
  });

  it('plainJson: application/json is read, and answered as SCIM', async () => {
    await using bed = await openScimBed(await database.open());
    for (const [n, type] of [
      'application/json',
      'application/json; charset=utf-8',
      'application/scim+json;charset=UTF-8',
    ].entries()) {
      const body = `\ufeff${JSON.stringify({ schemas: userSchemas, userName: `u${n}` })}`;
      const made = await bed.call('POST', '/Users', body, { 'content-type': type, accept: 'application/json' });
      assert.equal(made.status, 201, type);
      assert.match(made.headers.get('content-type')!, /^application\/scim\+json/);
    }
    const other = await bed.call('POST', '/Users', '<x/>', { 'content-type': 'application/xml' });
    assert.equal(other.status, 415);
  });

  it('slashAtTheEnd: means nothing', async () => {
    await using bed = await openScimBed(await database.open());
    const made = await bed.call('POST', '/Users/', { schemas: userSchemas, userName: 'ada' });
    assert.equal(made.status, 201);
    assert.equal((await bed.call('GET', `/Users/${made.body.id}/`)).status, 200);
    assert.equal((await bed.call('GET', '/ServiceProviderConfig/')).status, 200);
  });

  it("Okta's runbook: test, import, create, update, deactivate, reactivate, push and rename a group", async () => {
    await using bed = await openScimBed(await database.open());
    const filter = encodeURIComponent('userName eq "isaac@example.org"');
    const none = await bed.call('GET', `/Users?filter=${filter}&startIndex=1&count=100`);
    assert.deepEqual([none.status, none.body.totalResults, none.body.Resources], [200, 0, []]);
    const user = {
      schemas: userSchemas,
      userName: 'isaac@example.org',
      name: { givenName: 'Isaac', familyName: 'Brock' },
      emails: [{ primary: true, value: 'isaac@example.org', type: 'work', display: 'isaac@example.org' }],
      displayName: 'Isaac Brock',
      locale: 'en-US',
      externalId: '00ujl29u0le5T6Aj10h7',
      groups: [],
      password: '1mz050nq',
      active: true,
    };
    const made = await bed.call('POST', '/Users', user, { 'content-type': 'application/scim+json; charset=utf-8' });
    assert.equal(made.status, 201);
    assert.equal((await bed.call('POST', '/Users', user)).status, 409);
    const path = `/Users/${made.body.id}`;
    const read = (await bed.call('GET', path)).body;
    const put = await bed.call('PUT', path, { ...read, name: { givenName: 'Isaac', familyName: 'Newton' } });
    assert.deepEqual([put.status, put.body.name.familyName, put.body.emails], [200, 'Newton', read.emails]);
    assert.equal((await patch(bed, path, { op: 'replace', value: { active: false } })).body.active, false);
    assert.equal((await patch(bed, path, { op: 'replace', value: { active: true } })).body.active, true);
    const group = await bed.call('POST', '/Groups', {
      schemas: groupSchemas,
      displayName: 'Test SCIMv2',
      members: [{ value: made.body.id, display: 'isaac@example.org' }],
    });
    assert.equal(group.status, 201);
    const { id } = group.body;
    const rename = { id, displayName: 'Test SCIM 2' };
    assert.equal((await patch(bed, `/Groups/${id}`, { op: 'replace', value: rename })).status, 204);
    const moves = [
      { op: 'remove', path: `members[value eq "${made.body.id}"]` },
      { op: 'add', path: 'members', value: [{ value: made.body.id, display: 'isaac@example.org' }] },
    ];
    assert.equal((await patch(bed, `/Groups/${id}`, ...moves)).status, 204);
    assert.deepEqual(await membersOf(bed, id), [made.body.id]);
    const byName = await bed.call('GET', `/Groups?filter=${encodeURIComponent('displayName eq "Test SCIM 2"')}`);
    assert.equal(byName.body.totalResults, 1);
    assert.equal((await bed.call('DELETE', `/Groups/${id}`)).status, 204);
    assert.equal((await bed.call('GET', `${path}?attributes=groups`)).body.groups, undefined);
  });

  it("Entra ID's dialect: capitals, text booleans, dotted and URN keys without a path, values that are not there yet", async () => {
    await using bed = await openScimBed(await database.open());
    const boss = (await make(bed, 'boss')).body.id;
    const made = await bed.call('POST', '/Users', {
      schemas: [...userSchemas, enterprise],
      externalId: 'ext',
      userName: 'ada',
      active: 'True',
      emails: [{ primary: 'True', type: 'work', value: 'ada@x.org' }],
      meta: { resourceType: 'User' },
      roles: [],
    });
    assert.deepEqual([made.status, made.body.active, made.body.emails[0].primary], [201, true, true]);
    const patched = await patch(
      bed,
      `/Users/${made.body.id}`,
      { op: 'Replace', path: 'active', value: 'False' },
      { op: 'Add', path: 'phoneNumbers[type eq "mobile"].value', value: '+41' },
      { op: 'Replace', path: 'emails[type eq "work"].value', value: 'new@x.org' },
      { op: 'Add', path: `${enterprise}:manager`, value: boss },
      {
        op: 'Replace',
        value: {
          'name.givenName': 'Ada',
          displayName: 'Ada L',
          [`${enterprise}:department`]: 'IT',
          [enterprise]: { division: 'D' },
        },
      },
    );
    assert.equal(patched.status, 200, JSON.stringify(patched.body));
    const { active, phoneNumbers, emails, name, displayName } = patched.body;
    assert.deepEqual(
      [active, phoneNumbers, emails, name, displayName],
      [
        false,
        [{ type: 'mobile', value: '+41' }],
        [{ primary: true, type: 'work', value: 'new@x.org' }],
        { givenName: 'Ada' },
        'Ada L',
      ],
    );
    const manager = { value: boss, $ref: `${bed.url}/Users/${boss}` };
    assert.deepEqual(patched.body[enterprise], { manager, department: 'IT', division: 'D' });
    const filter = encodeURIComponent('emails[type eq "work"].value eq "new@x.org" and active eq "False"');
    assert.equal((await bed.call('GET', `/Users?filter=${filter}`)).body.totalResults, 1);
    assert.equal((await bed.call('GET', '/Groups?excludedAttributes=members')).status, 200);
  });

  it('the page names every quirk', () => {
    const page = readFileSync(new URL('../../docs/doors/scim.md', import.meta.url), 'utf8');
    for (const [name, { peer }] of Object.entries(quirks)) {
      const row = page.split('\n').find((line) => line.includes(`\`${name}\``));
      assert.ok(row?.includes(`| ${peer} |`), `${name} with ${peer}`);
    }
  });
});
