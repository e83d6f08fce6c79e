import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { settleDeclaredAttributes } from '../../src/directory/declared-attributes.ts';
import { coreTypes, openResourceTypes } from '../../src/protocol/scim/schema.ts';
import type { Store } from '../../src/store/store.ts';
import { eachDatabase } from '../database.ts';
import { customGroupUrn, customSchemas, customUrn, typesOf } from '../extensions.ts';
import { groupSchemas, openScimBed, patchSchemas, type ScimBed, userSchemas } from './scim-bed.ts';

const types = typesOf(customSchemas);

eachDatabase('custom schema extensions at the SCIM door', (bed) => {
  let store: Store;
  let scim: ScimBed;
  let count = 0;

  before(async () => {
    store = await bed.open();
    assert.deepEqual(await settleDeclaredAttributes(store, types), []);
    scim = await openScimBed(store, { types });
  });
  after(() => scim[Symbol.asyncDispose]());

  /** A user with these attributes of the extension; `expect` is the status. */
  async function create(custom: object, expect = 201, at = scim) {
    const body = { schemas: userSchemas, userName: `user${++count}`, [customUrn]: custom };
    const answer = await at.call('POST', '/Users', body);
    assert.equal(answer.status, expect, JSON.stringify(answer.body));
    return answer.body;
  }
  const patch = (id: string, ...operations: object[]) =>
    scim.call('PATCH', `/Users/${id}`, { schemas: patchSchemas, Operations: operations });
  const put = (one: { id: string; userName: string }, custom?: object) =>
    scim.call('PUT', `/Users/${one.id}`, {
      schemas: userSchemas,
      userName: one.userName,
      ...(custom ? { [customUrn]: custom } : {}),
    });
  const read = async (id: string, query = '') => (await scim.call('GET', `/Users/${id}${query}`)).body;
  /** What is stored, whoever may see it. */
  const stored = async (id: string) => {
    const row = await store.read((reading) =>
      reading.first(reading.q.selectFrom('subjects').select('doc').where('id', '=', id)),
    );
    return JSON.parse(row!.doc)[customUrn];
  };
  const find = async (filter: string, more = '') => {
    const answer = await scim.call('GET', `/Users?filter=${encodeURIComponent(filter)}${more}`);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return answer.body.Resources.map((one: { id: string }) => one.id);
  };

  it('are served in /Schemas and /ResourceTypes with every characteristic', async () => {
    const { body } = await scim.call('GET', `/Schemas/${customUrn}`);
    assert.equal(body.name, 'Custom');
    const badge = body.attributes.find((one: { name: string }) => one.name === 'badge');
    assert.deepEqual(badge, {
      name: 'badge',
      type: 'string',
      multiValued: false,
      description: '',
      required: false,
      caseExact: true,
      mutability: 'readWrite',
      returned: 'default',
      uniqueness: 'server',
    });
    const type = (await scim.call('GET', '/ResourceTypes/User')).body;
    assert.ok(type.schemaExtensions.some((one: object) => JSON.stringify(one).includes(customUrn)));
    const group = (await scim.call('GET', '/ResourceTypes/Group')).body;
    assert.deepEqual(group.schemaExtensions, [{ schema: customGroupUrn, required: true }]);
  });

  it('are created, read, filtered, sorted and chosen like core attributes', async () => {
    const a = await create({
      score: 1.5,
      joined: '2020-01-01T00:00:00+01:00',
      remote: true,
      skills: ['SQL'],
      code: 'Ab',
    });
    const b = await create({
      score: 10,
      joined: '2020-01-01T00:00:00Z',
      remote: false,
      skills: ['ts', 'sql'],
      code: 'ab',
    });
    const c = await create({
      devices: [
        { value: 'x1', type: 'phone', weight: 0.3 },
        { value: 'x2', type: 'pad', weight: 9 },
      ],
    });
    assert.ok(a.schemas.includes(customUrn));
    assert.deepEqual(await find(`${customUrn}:score gt 1.5`), [b.id]);
    assert.deepEqual(await find('joined eq "2019-12-31T23:00:00.000Z"'), [a.id]);
    assert.deepEqual(await find(`${customUrn}:joined ge "2020-01-01T00:00:00Z"`), [b.id]);
    assert.deepEqual(await find(`${customUrn}:remote eq true`), [a.id]);
    assert.deepEqual(await find('skills eq "sql"'), [a.id, b.id]);
    assert.deepEqual(await find('code eq "ab"'), [b.id], 'caseExact');
    assert.deepEqual(await find(`${customUrn}:devices[type eq "PHONE" and weight lt 1]`), [c.id]);
    assert.deepEqual(await find('devices[type eq "pad" and weight lt 1]'), []);
    assert.deepEqual(await find(`${customUrn}:devices.value eq "x2"`), [c.id]);
    assert.deepEqual(await find('score pr', `&sortBy=${customUrn}:score&sortOrder=descending`), [b.id, a.id]);
    assert.deepEqual(await find('joined pr', '&sortBy=joined'), [a.id, b.id]);
    const only = await read(a.id, `?attributes=${customUrn}:score`);
    assert.deepEqual(only[customUrn], { score: 1.5 });
    assert.equal(only.userName, undefined);
    assert.equal((await read(a.id, `?excludedAttributes=${customUrn}`))[customUrn], undefined);
  });

  it('are patched by path, by value path, by URN and without path', async () => {
    const { id } = await create({ tier: 'gold', devices: [{ value: 'p1', primary: true }] });
    const answer = await patch(
      id,
      { op: 'replace', path: `${customUrn}:tier`, value: 'platinum' },
      { op: 'add', path: `${customUrn}:devices`, value: [{ value: 'p2', primary: true }] },
      { op: 'add', path: `${customUrn}:devices[value eq "p2"].type`, value: 'pad' },
      { op: 'add', value: { [`${customUrn}:floor`]: 3, [customUrn]: { score: 2 } } },
    );
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    assert.deepEqual(await stored(id), {
      tier: 'platinum',
      devices: [
        { value: 'p1', primary: false },
        { value: 'p2', primary: true, type: 'pad' },
      ],
      floor: 3,
      score: 2,
    });
    await patch(id, { op: 'remove', path: customUrn });
    assert.equal((await read(id))[customUrn], undefined);
  });

  it('uniqueness: a value is there once, by its case rule, and is free again', async () => {
    const a = await create({ badge: 'B1', nick: ['Ace', 'Zed'], devices: [{ value: 'd1' }] });
    for (const taken of [{ badge: 'B1' }, { nick: ['new', 'aCE'] }, { devices: [{ value: 'd0' }, { value: 'd1' }] }]) {
      const refused = await create(taken, 409);
      assert.equal(refused.scimType, 'uniqueness');
      assert.match(refused.detail, /urn:scim:schemas:extension:custom:User:(badge|nick|devices\.value)/);
    }
    const b = await create({ badge: 'b1', devices: [{ value: 'd2' }] });
    assert.equal((await patch(b.id, { op: 'add', path: `${customUrn}:badge`, value: 'B1' })).status, 409);
    assert.equal((await put(b, { badge: 'B1' })).status, 409);
    assert.equal((await patch(a.id, { op: 'replace', path: `${customUrn}:badge`, value: 'B2' })).status, 200);
    assert.equal((await put(b, { badge: 'B1' })).status, 200);
    assert.equal((await scim.call('DELETE', `/Users/${a.id}`)).status, 204);
    await create({ badge: 'B2', nick: ['ace'], devices: [{ value: 'd1' }] });
    const long = 'x'.repeat(5_000);
    await create({ badge: `${long}1` });
    await create({ badge: `${long}2` });
    await create({ badge: `${long}1` }, 409);
    assert.equal((await find(`badge eq "${long}2"`)).length, 1);
  });

  it('uniqueness: of many who ask at once, one gets it', async () => {
    const bodies = Array.from({ length: 12 }, (_, i) => ({
      schemas: userSchemas,
      userName: `racer${i}`,
      [customUrn]: { badge: 'race', nick: i % 2 ? ['r1', 'r2'] : ['r2', 'r1'] },
    }));
    const answers = await Promise.all(bodies.map((body) => scim.call('POST', '/Users', body)));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [201, ...Array(11).fill(409)]);
  });

  it('mutability: readOnly is ignored in POST and PUT, and refused in PATCH', async () => {
    const one = await create({ rank: 7, tier: 'x' });
    assert.equal(one[customUrn].rank, undefined);
    assert.equal((await put(one, { rank: 7 })).status, 200);
    const refused = await patch(one.id, { op: 'add', path: `${customUrn}:rank`, value: 1 });
    assert.deepEqual([refused.status, refused.body.scimType], [400, 'mutability']);
  });

  it('mutability: immutable is set once, and never to another value', async () => {
    const one = await create({ tier: 'x', contract: { until: '2030-01-01T00:00:00Z' } });
    const first = { origin: 'Bern', places: ['a', 'b'], contract: { number: 'n1' } };
    assert.equal((await put(one, first)).status, 200, 'where there is no value, it is taken');
    assert.equal((await put(one, { ...first, places: ['b', 'a'] })).status, 200);
    for (const other of [{ origin: 'Basel' }, { places: ['a'] }, { contract: { number: 'n2' } }]) {
      const refused = await put(one, { ...first, ...other });
      assert.deepEqual([refused.status, refused.body.scimType], [400, 'mutability'], JSON.stringify(other));
    }
    for (const operation of [
      { op: 'replace', path: `${customUrn}:origin`, value: 'Basel' },
      { op: 'remove', path: `${customUrn}:origin` },
      { op: 'add', path: `${customUrn}:places`, value: ['c'] },
      { op: 'replace', path: `${customUrn}:contract.number`, value: 'n2' },
    ]) {
      const refused = await patch(one.id, operation);
      assert.deepEqual([refused.status, refused.body.scimType], [400, 'mutability'], JSON.stringify(operation));
    }
    assert.equal((await patch(one.id, { op: 'replace', path: `${customUrn}:origin`, value: 'Bern' })).status, 200);
    assert.equal((await put(one)).status, 200);
    const kept = await stored(one.id);
    assert.deepEqual([kept.origin, kept.places], ['Bern', ['a', 'b']], 'what cannot be cleared stays');
  });

  it('mutability: writeOnly and what is never returned are taken, kept and not told', async () => {
    const one = await create({ secret: 's3cret', hidden: 'h', tier: 'x' });
    assert.equal(one[customUrn].secret, undefined);
    assert.equal(one[customUrn].hidden, undefined);
    const asked = await read(one.id, `?attributes=${customUrn}:secret,${customUrn}:hidden,userName`);
    assert.equal(asked[customUrn]?.secret, undefined);
    const found = await scim.call('GET', `/Users?filter=${encodeURIComponent(`${customUrn}:secret eq "s3cret"`)}`);
    assert.deepEqual([found.status, found.body.scimType], [403, 'sensitive']);
    const search = {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:SearchRequest'],
      filter: `${customUrn}:hidden pr`,
    };
    const posted = await scim.call('POST', '/Users/.search', search);
    assert.deepEqual([posted.status, posted.body.scimType], [400, 'invalidFilter']);
    assert.equal((await scim.call('GET', `/Users?sortBy=${customUrn}:secret`)).status, 400);
    assert.equal((await put(one, { tier: 'y' })).status, 200);
    assert.deepEqual(await stored(one.id), { secret: 's3cret', hidden: 'h', tier: 'y' });
  });

  it('returned: always, default and request, of attributes and sub-attributes', async () => {
    const custom = { bio: 'b', mark: 'm', tier: 't', contract: { number: 'n', note: 'o', key: 'k' } };
    const one = await create(custom);
    assert.deepEqual(one[customUrn], custom, 'a write shows what it wrote, also what is returned on request');
    const plain = { mark: 'm', tier: 't', contract: { number: 'n', key: 'k' } };
    assert.deepEqual((await read(one.id))[customUrn], plain);
    const changed = await patch(one.id, { op: 'replace', path: `${customUrn}:bio`, value: 'c' });
    assert.deepEqual(changed.body[customUrn], { bio: 'c', ...plain });
    const other = await patch(one.id, { op: 'replace', path: `${customUrn}:tier`, value: 'u' });
    assert.deepEqual(other.body[customUrn], { ...plain, tier: 'u' });
    const asked = await read(one.id, `?attributes=${customUrn}:bio,${customUrn}:contract.note`);
    assert.deepEqual(asked[customUrn], { bio: 'c', mark: 'm', contract: { note: 'o', key: 'k' } });
    const without = await read(
      one.id,
      `?excludedAttributes=${customUrn}:mark,${customUrn}:tier,${customUrn}:contract.key`,
    );
    assert.deepEqual(without[customUrn], { mark: 'm', contract: { number: 'n', key: 'k' } });
  });

  it('required: in an extension that is there, or that must be there', async () => {
    await create({ devices: [{ type: 'phone' }] }, 400);
    const group = (custom?: object) =>
      scim.call('POST', '/Groups', {
        schemas: groupSchemas,
        displayName: `group${++count}`,
        ...(custom ? { [customGroupUrn]: custom } : {}),
      });
    for (const custom of [undefined, { number: 1 }, { purpose: ' ' }]) {
      const refused = await group(custom);
      assert.deepEqual([refused.status, refused.body.scimType], [400, 'invalidValue'], JSON.stringify(custom));
    }
    const made = await group({ purpose: 'all', number: 5 });
    assert.equal(made.status, 201);
    assert.equal((await group({ purpose: 'all', number: 5 })).status, 409, 'unique among groups');
    const remove = { schemas: patchSchemas, Operations: [{ op: 'remove', path: customGroupUrn }] };
    assert.equal((await scim.call('PATCH', `/Groups/${made.body.id}`, remove)).status, 400);
  });

  it('values have their types, and canonical values are suggestions', async () => {
    for (const custom of [
      { score: '1.5' },
      { floor: 1.5 },
      { floor: 2 ** 53 },
      { joined: '2020-02-30T00:00:00Z' },
      { joined: 'today' },
      { remote: 'maybe' },
      { photo: 'A' },
      { photo: 'QUJ=D' },
      { site: 'http://a b' },
      { skills: 'sql' },
      { contract: 'n' },
      { tier: ['gold'] },
    ]) {
      const refused = await create(custom, 400);
      assert.equal(refused.scimType, 'invalidValue', JSON.stringify(custom));
    }
    const fine = {
      tier: 'bronze',
      photo: 'QUJD',
      site: 'https://x.example/ü?a=b#c',
      score: -0.1,
      floor: 0,
      remote: false,
    };
    assert.deepEqual((await create(fine))[customUrn], fine);
    assert.deepEqual((await create({ photo: 'QUI', remote: 'False' }))[customUrn], { photo: 'QUI', remote: false });
    const two = [
      { value: 'two1', primary: true },
      { value: 'two2', primary: true },
    ];
    assert.equal((await create({ devices: two }, 400)).scimType, 'invalidValue');
  });

  it('an extension that is no longer declared is kept, not shown, not lost, and comes back', async () => {
    const custom = { badge: 'kept', tier: 'x', secret: 'y' };
    const one = await create(custom);
    assert.deepEqual(await settleDeclaredAttributes(store, coreTypes), []);
    await using plain = await openScimBed(store, { types: coreTypes });
    const shown = (await plain.call('GET', `/Users/${one.id}`)).body;
    assert.equal(shown[customUrn], undefined);
    assert.deepEqual(shown.schemas, userSchemas);
    assert.equal((await plain.call('GET', '/Users?filter=tier%20eq%20%22x%22')).status, 400);
    const operations = [{ op: 'add', path: 'title', value: 'Dr' }];
    const patched = await plain.call('PATCH', `/Users/${one.id}`, { schemas: patchSchemas, Operations: operations });
    assert.equal(patched.status, 200);
    assert.equal(patched.body[customUrn], undefined);
    const body = { schemas: userSchemas, userName: one.userName, title: 'Prof' };
    assert.equal((await plain.call('PUT', `/Users/${one.id}`, body)).status, 200);
    assert.deepEqual(await stored(one.id), custom);
    assert.deepEqual(await settleDeclaredAttributes(store, types), []);
    assert.deepEqual((await read(one.id))[customUrn], { badge: 'kept', tier: 'x' });
    await create({ badge: 'kept' }, 409);
  });
});

eachDatabase('what changes in the declaration of an extension', (bed) => {
  const declare = (attribute: string) =>
    typesOf(`schemas: [{ id: urn:a:b, name: n, resource: User, attributes: [${attribute}] }]`);
  async function fill(store: Store, types: ReturnType<typeof declare>, values: readonly unknown[]) {
    await using scim = await openScimBed(store, { types });
    for (const [i, a] of values.entries()) {
      const body = { schemas: userSchemas, userName: `u${i}`, 'urn:a:b': { a } };
      assert.equal((await scim.call('POST', '/Users', body)).status, 201);
    }
  }

  it('a type cannot change under values, and the start says so and does nothing', async () => {
    const store = await bed.open();
    const text = declare('{name: a}');
    assert.deepEqual(await settleDeclaredAttributes(store, text), []);
    assert.deepEqual(await settleDeclaredAttributes(store, declare('{name: a, type: integer}')), [], 'nobody has one');
    assert.deepEqual(await settleDeclaredAttributes(store, text), []);
    await fill(store, text, ['x']);
    for (const [other, says] of [
      [
        '{name: a, type: integer}',
        /urn:a:b:a was declared as string, .* is declared as integer now: declare it as before/,
      ],
      ['{name: a, multiValued: true}', /is declared as string, multi-valued now/],
      ['{name: A}', /is written otherwise now/],
    ] as const) {
      const faults = await settleDeclaredAttributes(store, declare(other));
      assert.equal(faults.length, 1);
      assert.match(faults[0]!, says);
    }
    assert.deepEqual(await settleDeclaredAttributes(store, openResourceTypes([])), [], 'no longer declared');
    assert.equal((await settleDeclaredAttributes(store, declare('{name: a, type: integer}'))).length, 1, 'still known');
    assert.deepEqual(await settleDeclaredAttributes(store, text), []);
  });

  it('what becomes unique is looked through, by its case rule', async () => {
    const store = await bed.open();
    const text = declare('{name: a}');
    await settleDeclaredAttributes(store, text);
    await fill(store, text, ['x', 'X', 'y', 'z', 'z']);
    const folded = declare('{name: a, uniqueness: server}');
    const faults = await settleDeclaredAttributes(store, folded);
    assert.match(faults.join(), /^urn:a:b:a is declared unique, and these users have .*: u1, u4\. Start without/);
    const exact = declare('{name: a, uniqueness: server, caseExact: true}');
    assert.match((await settleDeclaredAttributes(store, exact)).join(), /: u4\. /);
    {
      await using scim = await openScimBed(store, { types: text });
      for (const name of ['u1', 'u4']) {
        const found = await scim.call('GET', `/Users?filter=userName%20eq%20%22${name}%22`);
        const operations = [{ op: 'replace', path: 'urn:a:b:a', value: name }];
        const id = found.body.Resources[0].id;
        await scim.call('PATCH', `/Users/${id}`, { schemas: patchSchemas, Operations: operations });
      }
    }
    const sets = [folded, folded, exact, folded];
    for (const types of sets) assert.deepEqual(await settleDeclaredAttributes(store, types), []);
    await using scim = await openScimBed(store, { types: folded });
    const body = { schemas: userSchemas, userName: 'late', 'urn:a:b': { a: 'Y' } };
    assert.equal((await scim.call('POST', '/Users', body)).status, 409);
    assert.equal((await scim.call('GET', '/Users?filter=urn:a:b:a%20eq%20%22Y%22')).body.totalResults, 1);
  });
});
