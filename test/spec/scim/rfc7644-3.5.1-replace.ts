import { type Json, urn } from './client.ts';
import { expect, expectError, expectSame, expectSet, expectStatus } from './expect.ts';
import { fact, must, type Row, section, should } from './row.ts';

export const rows: Row[] = [
  ...section('rfc7644', '3.5.1', [
    must('PUT replaces what is given', async (scim) => {
      const made = await scim.user({ title: 'a', emails: [{ value: 'a@x.example' }] });
      const answer = await scim.put(made, { userName: made.userName, title: 'b', emails: [{ value: 'b@x.example' }] });
      expectStatus(answer, 200);
      const now = await scim.read(made);
      expectSame([now.title, now.emails], ['b', [{ value: 'b@x.example' }]], 'title and emails');
    }),
    fact('what is not given is unassigned', async (scim) => {
      const made = await scim.user({ title: 'a', name: { familyName: 'King', givenName: 'Ada' } });
      expectSame(made.title, 'a', 'title before');
      expectStatus(await scim.put(made, { userName: made.userName, name: { familyName: 'King' } }), 200);
      const now = await scim.read(made);
      expectSame([now.title, now.name], [undefined, { familyName: 'King' }], 'title and name');
    }),
    fact('an extension that is not given is unassigned', async (scim) => {
      const made = await scim.user({ schemas: [urn.user, urn.enterprise], [urn.enterprise]: { department: 'A' } });
      expectSame(made[urn.enterprise]?.department, 'A', 'department before');
      expectStatus(await scim.put(made, { userName: made.userName }), 200);
      const now = await scim.read(made);
      expectSame([now[urn.enterprise], now.schemas], [undefined, [urn.user]], 'the extension and schemas');
    }),
    fact('the answer is 200 with the whole resource', async (scim) => {
      const made = await scim.user();
      const answer = await scim.put(made, { userName: made.userName, displayName: 'Ada' });
      expectStatus(answer, 200);
      expectSame(answer.body, await scim.read(made), 'the answer');
    }),
    must('readOnly values are ignored: id, meta, groups', async (scim) => {
      const made = await scim.user();
      const body = {
        ...made,
        id: 'other',
        meta: { created: '2001-01-01T00:00:00Z' },
        groups: [{ value: 'x' }],
        title: 'new',
      };
      const answer = await scim.call('PUT', scim.at(made), body);
      expectSame(
        [answer.status, answer.body?.id, answer.body?.meta?.created, answer.body?.groups, answer.body?.title],
        [200, made.id, made.meta.created, undefined, 'new'],
        'what is answered',
      );
    }),
    must('a writeOnly value is replaced and not shown', async (scim) => {
      const made = await scim.user({ password: 'a good long password' });
      const answer = await scim.put(made, { userName: made.userName, password: 'another long password' });
      expectStatus(answer, 200);
      expect(!/another long/.test(answer.text), 'the password is in the answer');
      expect(answer.body.meta.version !== made.meta.version, 'the version did not change');
    }),
    must('a required attribute has to be given', async (scim) => {
      const [user, group] = [await scim.user(), await scim.group()];
      expectError(await scim.put(user, { displayName: 'x' }), 400, 'invalidValue');
      expectError(await scim.put(group, { members: [] }), 400, 'invalidValue');
    }),
    must('PUT makes nobody: an unknown id is 404', async (scim) => {
      const path = `/Users/${scim.name('new')}`;
      expectError(await scim.call('PUT', path, { schemas: [urn.user], userName: scim.name() }), 404);
      expectError(await scim.get(path), 404);
    }),
    must('a name that is taken is 409 and uniqueness, and nothing changed', async (scim) => {
      const [first, second] = [await scim.user(), await scim.user({ title: 'a' })];
      expectError(await scim.put(second, { userName: first.userName, title: 'b' }), 409, 'uniqueness');
      expectSame((await scim.read(second)).title, 'a', 'title');
    }),
    fact('the members of a group are replaced', async (scim) => {
      const [a, b, c] = [await scim.user(), await scim.user(), await scim.user()];
      const group = await scim.group({ members: [{ value: a.id }, { value: b.id }] });
      expectStatus(
        await scim.put(group, { displayName: group.displayName, members: [{ value: b.id }, { value: c.id }] }),
        200,
      );
      expectSet(
        (await scim.read(group)).members?.map((one: Json) => one.value),
        [b.id, c.id],
        'members',
      );
    }),
    fact('a group without members in the PUT has none afterwards', async (scim) => {
      const user = await scim.user();
      const group = await scim.group({ members: [{ value: user.id }] });
      expectStatus(await scim.put(group, { displayName: group.displayName }), 200);
      expectSame(
        [(await scim.read(group)).members ?? [], (await scim.read(user)).groups ?? []],
        [[], []],
        'members and groups',
      );
    }),
    should('what was read can be put back, and changes nothing', async (scim) => {
      const made = await scim.read(await scim.user({ emails: [{ value: 'a@x.example', primary: true }], title: 'x' }));
      const answer = await scim.call('PUT', scim.at(made), made);
      expectStatus(answer, 200);
      expectSame(answer.body, made, 'the answer');
    }),
    fact('attribute values of the wrong kind are refused, and nothing changed', async (scim) => {
      const made = await scim.user({ title: 'a' });
      expectError(
        await scim.put(made, { userName: made.userName, title: 'b', active: 'perhaps' }),
        400,
        'invalidValue',
      );
      expectSame((await scim.read(made)).title, 'a', 'title');
    }),
  ]),
];
