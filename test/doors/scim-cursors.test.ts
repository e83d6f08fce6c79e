import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { eachDatabase } from '../database.ts';
import { groupSchemas, openScimBed, type ScimBed, userSchemas } from './scim-bed.ts';

const searchUrn = 'urn:ietf:params:scim:api:messages:2.0:SearchRequest';

type Parameters = Record<string, string>;
type Shown = { id: string; userName?: string; displayName?: string };

eachDatabase('SCIM 2.0 cursors (RFC 9865)', (database) => {
  let bed: ScimBed;

  before(async () => {
    bed = await openScimBed(await database.open(), { limits: { defaultCount: 3, maxCount: 5 } });
    for (let i = 0; i < 12; i++) await add(`user${String(i).padStart(2, '0')}`, i);
    for (let i = 0; i < 3; i++) await bed.call('POST', '/Groups', { schemas: groupSchemas, displayName: `group${i}` });
  });
  after(() => bed[Symbol.asyncDispose]());

  async function add(userName: string, i: number): Promise<string> {
    const more = i % 3 === 0 ? {} : { title: i % 3 === 1 ? 'B' : `${'long '.repeat(50)}${i % 2}` };
    const emails = [{ value: `${20 - i}@x.org` }, ...(i % 2 ? [{ value: `a${i}@x.org`, primary: true }] : [])];
    const made = await bed.call('POST', '/Users', {
      schemas: userSchemas,
      userName,
      active: i % 2 === 0,
      emails,
      ...more,
    });
    assert.equal(made.status, 201);
    return made.body.id;
  }

  const page = (path: string, parameters: Parameters) => bed.call('GET', `${path}?${new URLSearchParams(parameters)}`);

  async function walk(
    path: string,
    parameters: Parameters,
    between: (page: number) => Promise<unknown> = async () => {},
  ) {
    const ids: string[] = [];
    let cursor: string | undefined = '';
    for (let n = 0; cursor !== undefined; n++) {
      assert.ok(n < 50, 'the walk ends');
      const answer = await page(path, { ...parameters, cursor });
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      assert.equal(answer.body.startIndex, undefined);
      ids.push(...answer.body.Resources.map((one: Shown) => one.id));
      cursor = answer.body.nextCursor;
      if (cursor !== undefined) {
        assert.match(cursor, /^[A-Za-z0-9._~-]{1,2500}$/);
        assert.ok(answer.body.Resources.length > 0);
        await between(n);
      }
    }
    return ids;
  }

  /** The same by numbers. */
  async function list(path: string, parameters: Parameters) {
    const ids: string[] = [];
    for (let startIndex = 1; ; startIndex += 5) {
      const { body } = await page(path, { ...parameters, count: '5', startIndex: String(startIndex) });
      ids.push(...body.Resources.map((one: Shown) => one.id));
      if (startIndex + 5 > body.totalResults) return ids;
    }
  }

  it('a walk gives what pages by number give, in the same order, whatever is asked', async () => {
    const asked: [string, Parameters][] = [
      ['/Users', {}],
      ['/Groups', {}],
      ['/', {}],
      ['/Users', { filter: 'active eq true' }],
      ['/', { filter: 'displayName pr or userName ew "1"' }],
    ];
    for (const sortBy of [
      'userName',
      'meta.created',
      'title',
      'emails',
      'active',
      'displayName',
      'id',
      'name.givenName',
    ]) {
      for (const sortOrder of ['ascending', 'descending']) {
        asked.push(['/Users', { sortBy, sortOrder }], ['/', { sortBy, sortOrder }]);
      }
    }
    for (const [n, [path, parameters]] of asked.entries()) {
      for (const count of n < 5 ? ['1', '4', '5'] : ['4']) {
        const wanted = await list(path, parameters);
        assert.deepEqual(await walk(path, { ...parameters, count }), wanted, JSON.stringify([path, parameters, count]));
      }
    }
  });

  it('the first page says how many there are, and so do all; the last has no cursor', async () => {
    const first = await page('/Users', { cursor: '', count: '5' });
    assert.deepEqual([first.body.totalResults, first.body.itemsPerPage], [12, 5]);
    const second = await page('/Users', { cursor: first.body.nextCursor, count: '2' });
    assert.deepEqual([second.body.totalResults, second.body.itemsPerPage], [12, 2]);
    const few = { cursor: '', filter: 'displayName sw "group"' };
    const whole = await page('/Groups', { ...few, count: '3' });
    assert.deepEqual([whole.body.totalResults, whole.body.nextCursor], [3, undefined]);
    const none = await page('/Groups', { ...few, count: '0' });
    assert.deepEqual([none.body.totalResults, none.body.Resources, none.body.nextCursor], [3, [], undefined]);
    const byNumber = await page('/Users', { count: '5' });
    assert.equal(byNumber.body.nextCursor, undefined);
  });

  it('a walk ordered by very long texts sees everybody once, with cursors that fit an address', async () => {
    for (let i = 0; i < 4; i++) {
      const externalId = `${'小'.repeat(600)}${9 - i}`;
      await bed.call('POST', '/Groups', { schemas: groupSchemas, displayName: `long${i}`, externalId });
    }
    const seen = await walk('/Groups', { sortBy: 'externalId', count: '1' });
    assert.deepEqual([...seen].sort(), (await list('/Groups', {})).sort());
  });

  it('POST .search walks the same', async () => {
    const ids: string[] = [];
    for (let cursor: string | undefined = ''; cursor !== undefined; ) {
      const asked = { schemas: [searchUrn], cursor, count: 5, sortBy: 'userName', attributes: ['userName'] };
      const { status, body }: Awaited<ReturnType<ScimBed['call']>> = await bed.call('POST', '/.search', asked);
      assert.equal(status, 200, JSON.stringify(body));
      ids.push(...body.Resources.map((one: Shown) => one.id));
      cursor = body.nextCursor;
    }
    assert.deepEqual(ids, await list('/', { sortBy: 'userName' }));
  });

  it('whoever is there throughout comes exactly once, though others come and go', async () => {
    for (const parameters of [
      {},
      { sortBy: 'userName' },
      { sortBy: 'userName', sortOrder: 'descending' },
    ] as Parameters[]) {
      const stay = await list('/Users', parameters);
      const leave = new Set<string>();
      const extras = [await add('user00a', 1), await add('user05a', 2), await add('user11a', 4)];
      for (const id of extras) leave.add(id);
      const seen = await walk('/Users', { ...parameters, count: '2' }, async (n) => {
        if (n === 1) await bed.call('DELETE', `/Users/${extras[0]}`);
        if (n === 2) await bed.call('DELETE', `/Users/${extras[1]}`);
        if (n === 2) leave.add(await add('user00b', 5));
        if (n === 3) await bed.call('DELETE', `/Users/${extras[2]}`);
      });
      const kept = seen.filter((id) => !leave.has(id));
      assert.deepEqual(kept, stay);
      for (const id of leave) await bed.call('DELETE', `/Users/${id}`);
    }
  });

  it('a cursor opens with what it was given for and nothing else, and cannot be made or changed', async () => {
    const asked = { filter: 'active pr', sortBy: 'userName', count: '2' };
    const { nextCursor } = (await page('/Users', { ...asked, cursor: '' })).body;
    assert.equal((await page('/Users', { ...asked, cursor: nextCursor, attributes: 'userName' })).status, 200);
    const at = 20;
    const flipped = nextCursor[at] === 'A' ? 'B' : 'A';
    const others: [string, Parameters][] = [
      ['/Users', { sortBy: 'userName', cursor: nextCursor }],
      ['/Users', { ...asked, filter: 'active eq true', cursor: nextCursor }],
      ['/Users', { ...asked, sortBy: 'title', cursor: nextCursor }],
      ['/Users', { ...asked, sortOrder: 'descending', cursor: nextCursor }],
      ['/Users', { ...asked, domain: 'PRIMARY', cursor: nextCursor }],
      ['/', { ...asked, cursor: nextCursor }],
      ['/Users', { ...asked, cursor: `${nextCursor.slice(0, at)}${flipped}${nextCursor.slice(at + 1)}` }],
      ['/Users', { ...asked, cursor: nextCursor.slice(0, -1) }],
      ['/Users', { ...asked, cursor: `${nextCursor}=` }],
      ['/Users', { ...asked, cursor: 'v1.AAAA' }],
      ['/Users', { ...asked, cursor: 'x' }],
    ];
    for (const [path, parameters] of others) {
      const answer = await page(path, parameters);
      assert.deepEqual(
        [answer.status, answer.body.scimType],
        [400, 'invalidCursor'],
        JSON.stringify([path, parameters]),
      );
    }
    assert.doesNotMatch(Buffer.from(nextCursor.slice(3), 'base64url').toString('latin1'), /user0/);
  });

  it('what cannot be meant is refused', async () => {
    const both = await page('/Users', { cursor: '', startIndex: '2' });
    assert.deepEqual([both.status, both.body.scimType], [400, 'invalidValue']);
    const count = await page('/Users', { cursor: '', count: 'many' });
    assert.deepEqual([count.status, count.body.scimType], [400, 'invalidCount']);
    const twice = await bed.call('GET', '/Users?cursor=&cursor=');
    assert.deepEqual([twice.status, twice.body.scimType], [400, 'invalidValue']);
  });
});
