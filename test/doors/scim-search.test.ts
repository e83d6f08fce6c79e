import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { eachDatabase } from '../database.ts';
import { groupSchemas, openScimBed, type ScimBed, userSchemas } from './scim-bed.ts';

const names = ['Ada', 'bob', 'Émile', 'eve', 'Ωμέγα', '小明', 'zoë'];

eachDatabase('SCIM 2.0 searches', (database) => {
  let bed: ScimBed;
  const ids = new Map<string, string>();

  before(async () => {
    bed = await openScimBed(await database.open(), { limits: { defaultCount: 3, maxCount: 5 } });
    for (const [i, userName] of names.entries()) {
      const answer = await bed.call('POST', '/Users', {
        schemas: userSchemas,
        userName,
        ...(i % 2 ? { title: `T${9 - i}` } : {}),
        emails: [
          { value: `${i}@home.example`, type: 'home' },
          { value: `${9 - i}@work.example`, type: 'work', primary: true },
        ],
      });
      ids.set(userName, answer.body.id);
    }
    const members = ['Ada', 'eve'].map((name) => ({ value: ids.get(name) }));
    await bed.call('POST', '/Groups', { schemas: groupSchemas, displayName: 'Team', members });
  });

  after(() => bed[Symbol.asyncDispose]());

  const search = async (parameters: Record<string, string>) =>
    (await bed.call('GET', `/Users?${new URLSearchParams(parameters)}`)).body;
  const found = (body: { Resources: { userName: string }[] }) => body.Resources.map((one) => one.userName);

  it('pages have the default size, at most the greatest, and say where they are', async () => {
    const first = await search({});
    assert.deepEqual(first.schemas, ['urn:ietf:params:scim:api:messages:2.0:ListResponse']);
    assert.deepEqual([first.totalResults, first.startIndex, first.itemsPerPage], [7, 1, 3]);
    const most = await search({ count: '1000' });
    assert.deepEqual([most.totalResults, most.itemsPerPage], [7, 5]);
    const last = await search({ startIndex: '6', count: '5' });
    assert.deepEqual([last.totalResults, last.startIndex, last.itemsPerPage], [7, 6, 2]);
    const beyond = await search({ startIndex: '60' });
    assert.deepEqual([beyond.totalResults, beyond.Resources], [7, []]);
    const none = await search({ count: '0' });
    assert.deepEqual([none.totalResults, none.Resources], [7, []]);
    const below = await search({ startIndex: '-4', count: '-1' });
    assert.deepEqual([below.startIndex, below.Resources], [1, []]);
    const all = [...found(await search({ count: '5' })), ...found(last)];
    assert.deepEqual([...all].sort(), [...names].sort());
  });

  it('a slash at the end of the address means nothing', async () => {
    const query = `filter=${encodeURIComponent('userName eq "bob"')}`;
    const [plain, slashed] = [await bed.call('GET', `/Users?${query}`), await bed.call('GET', `/Users/?${query}`)];
    assert.deepEqual(found(slashed.body), ['bob']);
    assert.deepEqual(slashed.body, plain.body);
    assert.equal((await bed.call('DELETE', '/Users/')).status, 405);
    assert.equal((await bed.call('GET', `/Users/${ids.get('bob')}/`)).body.id, ids.get('bob'));
  });

  it('filters find without regard to case where the schema has none', async () => {
    assert.deepEqual(found(await search({ filter: 'userName eq "ÉMILE"' })), ['Émile']);
    assert.deepEqual(found(await search({ filter: 'userName sw "ωΜ"' })), ['Ωμέγα']);
    assert.deepEqual(found(await search({ filter: 'emails.value eq "5@WORK.example"' })), ['Ωμέγα']);
    assert.deepEqual(found(await search({ filter: 'emails[type eq "work" and value sw "9"]' })), ['Ada']);
    assert.deepEqual(found(await search({ filter: `id eq "${ids.get('bob')}"` })), ['bob']);
    assert.deepEqual(found(await search({ filter: 'title pr and not (title eq "t8")' })).length, 2);
    const inTeam = await search({ filter: 'groups.display eq "team"', attributes: 'userName' });
    assert.deepEqual(found(inTeam).sort(), ['Ada', 'eve']);
    assert.equal(inTeam.Resources[0].groups, undefined);
    const nobody = await search({ filter: 'userName eq "nobody"' });
    assert.deepEqual([nobody.totalResults, nobody.itemsPerPage, nobody.Resources], [0, 0, []]);
  });

  it('users of a page carry their groups', async () => {
    const page = await search({ filter: 'userName eq "ada" or userName eq "bob"' });
    const groups = new Map(
      page.Resources.map((one: { userName: string; groups?: { display: string }[] }) => [one.userName, one.groups]),
    );
    assert.equal((groups.get('Ada') as { display: string }[])[0]!.display, 'Team');
    assert.equal(groups.get('bob'), undefined);
  });

  it('sorting follows case rules, code points, absence and the primary value', async () => {
    const sorted = async (sortBy: string, sortOrder = 'ascending') => [
      ...found(await search({ sortBy, sortOrder, count: '4' })),
      ...found(await search({ sortBy, sortOrder, count: '4', startIndex: '5' })),
    ];
    assert.deepEqual(await sorted('userName'), ['Ada', 'bob', 'eve', 'zoë', 'Émile', 'Ωμέγα', '小明']);
    assert.deepEqual(await sorted('userName', 'descending'), ['小明', 'Ωμέγα', 'Émile', 'zoë', 'eve', 'bob', 'Ada']);
    assert.deepEqual((await sorted('title')).slice(0, 3), ['小明', 'eve', 'bob']);
    assert.deepEqual((await sorted('title', 'descending')).slice(4), ['bob', 'eve', '小明']);
    assert.deepEqual((await sorted('emails'))[0], 'zoë');
    assert.deepEqual(await sorted('meta.created'), names);
  });

  const searchUrn = 'urn:ietf:params:scim:api:messages:2.0:SearchRequest';
  const atRoot = async (parameters: Record<string, string>) =>
    (await bed.call('GET', `/?${new URLSearchParams(parameters)}`)).body;
  type Shown = { userName?: string; displayName?: string; meta: { resourceType: string } };
  const namesOf = (body: { Resources: Shown[] }) => body.Resources.map((one) => one.userName ?? one.displayName);

  it('the root has users and groups, and meta.resourceType tells them apart', async () => {
    const all = await atRoot({ count: '5' });
    assert.deepEqual([all.totalResults, all.itemsPerPage, all.startIndex], [8, 5, 1]);
    const rest = await atRoot({ count: '5', startIndex: '6' });
    assert.deepEqual(namesOf(all).concat(namesOf(rest)), [...names, 'Team']);
    const groups = await atRoot({ filter: 'meta.resourceType eq "Group"' });
    assert.deepEqual([groups.totalResults, namesOf(groups)], [1, ['Team']]);
    assert.equal(groups.Resources[0].members.length, 2);
    const both = await atRoot({
      filter: '(meta.resourceType eq "User") or (meta.resourceType eq "Group")',
      count: '1',
    });
    assert.equal(both.totalResults, 8);
    assert.equal((await bed.call('GET', '')).body.totalResults, 8);
    const url = new URL(bed.url);
    assert.equal((await bed.call('GET', `${url.origin}/scim2/?count=0`)).body.totalResults, 8);
  });

  it('at the root an attribute of the other type has no value, and one of neither is refused', async () => {
    assert.deepEqual(namesOf(await atRoot({ filter: 'userName eq "bob" or members pr' })), ['bob', 'Team']);
    assert.deepEqual(namesOf(await atRoot({ filter: 'members.display eq "eve"' })), ['Team']);
    assert.deepEqual(namesOf(await atRoot({ filter: 'emails[type eq "work" and value sw "9"]' })), ['Ada']);
    assert.deepEqual(namesOf(await atRoot({ filter: 'not (userName pr)' })), ['Team']);
    const answer = await bed.call('GET', `/?filter=${encodeURIComponent('nothing eq "x"')}`);
    assert.deepEqual([answer.status, answer.body.scimType], [400, 'invalidFilter']);
  });

  it('at the root everything is sorted together, and an attribute of one type puts the other last', async () => {
    const sorted = async (sortBy: string, sortOrder = 'ascending') => [
      ...namesOf(await atRoot({ sortBy, sortOrder, count: '5' })),
      ...namesOf(await atRoot({ sortBy, sortOrder, count: '5', startIndex: '6' })),
    ];
    assert.deepEqual(await sorted('meta.created'), [...names, 'Team']);
    assert.deepEqual(await sorted('meta.created', 'descending'), ['Team', ...[...names].reverse()]);
    assert.deepEqual((await sorted('userName')).at(-1), 'Team');
    assert.deepEqual((await sorted('userName', 'descending'))[0], 'Team');
    assert.deepEqual((await sorted('displayName'))[0], 'Team');
    assert.deepEqual((await sorted('meta.resourceType'))[0], 'Team');
    const answer = await bed.call('GET', '/?sortBy=nothing');
    assert.deepEqual([answer.status, answer.body.scimType], [400, 'invalidPath']);
  });

  it('POST /.search asks the root', async () => {
    const answer = await bed.call('POST', '/.search', {
      schemas: [searchUrn],
      attributes: ['displayName', 'userName'],
      filter: 'displayName sw "team" or userName eq "bob"',
      startIndex: 1,
      count: 10,
    });
    assert.equal(answer.status, 200);
    assert.deepEqual(namesOf(answer.body), ['bob', 'Team']);
    assert.equal(answer.body.Resources[1].members, undefined);
    const refused = await bed.call('POST', '/.search', { filter: 'userName pr' });
    assert.deepEqual([refused.status, refused.body.scimType], [400, 'invalidSyntax']);
    assert.equal((await bed.call('GET', '/.search')).status, 405);
    assert.equal((await bed.call('POST', '/', {})).status, 405);
  });

  it('POST .search asks the same', async () => {
    const answer = await bed.call('POST', '/Users/.search', {
      schemas: [searchUrn],
      filter: 'userName sw "e" or userName eq "zoë"',
      sortBy: 'userName',
      attributes: ['userName'],
      count: 1,
    });
    assert.equal(answer.status, 200);
    assert.deepEqual([answer.body.totalResults, found(answer.body)], [2, ['eve']]);
  });
});
