import { type Json, type Scim, urn } from './client.ts';
import { expectError, expectSame, expectSet, expectStatus } from './expect.ts';
import { bulk, done, post, postGroup } from './rfc7644-3.7-bulk.ts';
import { fact, must, type Row, section } from './row.ts';

const member = (value: string, more: object = {}) => ({ members: [{ value, ...more }] });

const idAt = (result: Json): string => result.location.split('/').at(-1);

async function membersAt(scim: Scim, result: Json): Promise<string[]> {
  const answer = await scim.get(result.location);
  expectStatus(answer, 200);
  return (answer.body.members ?? []).map((one: Json) => one.value);
}

export const rows: Row[] = [
  ...section(
    'rfc7644',
    '3.7.1',
    [
      must('two groups that are members of each other are made, or refused with 409', async (scim) => {
        const answer = await bulk(scim, [
          postGroup(scim, 'a', member('bulkId:b', { type: 'Group' })),
          postGroup(scim, 'b', member('bulkId:a', { type: 'Group' })),
        ]);
        expectStatus(answer, 200);
        const results: Json[] = answer.body.Operations;
        const codes = results.map((one) => one.status);
        if (codes.includes('409')) return;
        expectSame(codes, ['201', '201'], 'statuses');
        expectSame(
          [await membersAt(scim, results[0]), await membersAt(scim, results[1])],
          [[idAt(results[1])], [idAt(results[0])]],
          'members',
        );
      }),
      must('two people who are each other’s manager are made, or refused with 409', async (scim) => {
        const schemas = [urn.user, urn.enterprise];
        const answer = await bulk(scim, [
          post(scim, 'a', { schemas, [urn.enterprise]: { manager: { value: 'bulkId:b' } } }),
          post(scim, 'b', { schemas, [urn.enterprise]: { manager: { value: 'bulkId:a' } } }),
        ]);
        expectStatus(answer, 200);
        const results: Json[] = answer.body.Operations;
        if (results.some((one) => one.status === '409')) return;
        const managers = [];
        for (const one of results) managers.push((await scim.get(one.location)).body?.[urn.enterprise]?.manager?.value);
        expectSame(managers, [idAt(results[1]), idAt(results[0])], 'the managers');
      }),
    ],
    'bulk',
  ),
  ...section(
    'rfc7644',
    '3.7.2',
    [
      must('a new user is a member of a new group by bulkId', async (scim) => {
        const [user, group] = await done(scim, [
          post(scim, 'qwerty'),
          postGroup(scim, 'ytrewq', member('bulkId:qwerty', { type: 'User' })),
        ]);
        expectSame(await membersAt(scim, group), [idAt(user)], 'members');
      }),
      must('a bulkId may be used before its resource is made', async (scim) => {
        const results = await done(scim, [postGroup(scim, 'g', member('bulkId:later')), post(scim, 'later')]);
        const [group, user] = ['g', 'later'].map((id) => results.find((one) => one.bulkId === id));
        expectSame(await membersAt(scim, group), [idAt(user)], 'members');
      }),
      must('a bulkId in an extension is resolved as well', async (scim) => {
        const [boss, made] = await done(scim, [
          post(scim, 'boss'),
          post(scim, 'made', {
            schemas: [urn.user, urn.enterprise],
            [urn.enterprise]: { manager: { value: 'bulkId:boss' } },
          }),
        ]);
        expectSame((await scim.get(made.location)).body?.[urn.enterprise]?.manager?.value, idAt(boss), 'the manager');
      }),
      must('a bulkId in the value of a PATCH is resolved', async (scim) => {
        const group = await scim.group();
        const value = [{ value: 'bulkId:n' }];
        const data = { schemas: [urn.patch], Operations: [{ op: 'add', path: 'members', value }] };
        const results = await done(scim, [post(scim, 'n'), { method: 'PATCH', path: scim.at(group), data }]);
        expectSame(
          (await scim.read(group)).members?.map((one: Json) => one.value),
          [idAt(results[0])],
          'members',
        );
      }),
      fact('a bulkId in a path is resolved', async (scim) => {
        const data = { schemas: [urn.patch], Operations: [{ op: 'replace', path: 'title', value: 'new' }] };
        const results = await done(scim, [post(scim, 'n'), { method: 'PATCH', path: '/Users/bulkId:n', data }]);
        expectSame((await scim.get(results[0].location)).body?.title, 'new', 'title');
      }),
      must('no stored value has the bulkId left in it', async (scim) => {
        const results = await done(scim, [post(scim, 'n'), postGroup(scim, 'g', member('bulkId:n'))]);
        const answer = await scim.get(results[1].location);
        expectSame([answer.status, /bulkId/.test(answer.text)], [200, false], 'status, and whether it is there');
      }),
      fact('a bulkId nobody made is an error of the operation that names it', async (scim) => {
        const results = await done(scim, [postGroup(scim, 'g', member('bulkId:nobody')), post(scim, 'n')]);
        expectSet(
          results.map((one) => one.status),
          [results.find((one) => one.bulkId === 'g').status, '201'],
          'statuses',
        );
        expectSame(/^4\d\d$/.test(results.find((one) => one.bulkId === 'g').status), true, 'that it is an error');
      }),
      fact('who names a resource that failed fails as well', async (scim) => {
        const { userName } = await scim.user();
        const results = await done(scim, [post(scim, 'n', { userName }), postGroup(scim, 'g', member('bulkId:n'))]);
        expectSame(
          results.map((one) => /^4\d\d$/.test(one.status)),
          [true, true],
          'which failed',
        );
      }),
      fact('a bulkId means nothing outside its job', async (scim) => {
        await done(scim, [post(scim, 'gone')]);
        const body = { schemas: [urn.group], displayName: scim.name(), ...member('bulkId:gone') };
        expectError(await scim.post('/Groups', body), 400, 'invalidValue');
      }),
    ],
    'bulk',
  ),
];
