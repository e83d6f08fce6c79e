import { type Json, urn } from './client.ts';
import { expectError, expectSame, expectSet, expectStatus } from './expect.ts';
import { fact, must, type Row, section, should } from './row.ts';

const work = { value: 'ada@work.example', type: 'work' };
const home = { value: 'ada@home.example', type: 'home' };
const ids = (members: Json[] | undefined): string[] => (members ?? []).map((one) => one.value);

export const rows: Row[] = [
  ...section('rfc7644', '3.5.2.1', [
    must('add has a value: without one it is refused', async (scim) => {
      expectError(await scim.patch(await scim.user(), { op: 'add', path: 'title' }), 400, 'invalidValue');
    }),
    fact('without a path the value is a set of attributes', async (scim) => {
      const made = await scim.user({ emails: [work], nickName: 'A' });
      const now = await scim.patched(made, { op: 'add', value: { emails: [home], nickname: 'Babs' } });
      expectSame(now.nickName, 'Babs', 'nickName');
      expectSet(now.emails, [work, home], 'emails');
    }),
    fact('without a path an extension may be among them', async (scim) => {
      const made = await scim.user();
      const now = await scim.patched(made, { op: 'add', value: { [urn.enterprise]: { department: 'A' } } });
      expectSame(now[urn.enterprise], { department: 'A' }, 'the extension');
    }),
    must('without a path a value that is no object is refused', async (scim) => {
      expectError(await scim.patch(await scim.user(), { op: 'add', value: 'x' }), 400, 'invalidValue');
    }),
    fact('an attribute that is not there is added', async (scim) => {
      const now = await scim.patched(await scim.user(), { op: 'add', path: 'title', value: 'x' });
      expectSame(now.title, 'x', 'title');
    }),
    fact('a multi-valued attribute that is not there is added', async (scim) => {
      const now = await scim.patched(await scim.user(), { op: 'add', path: 'emails', value: [work] });
      expectSame(now.emails, [work], 'emails');
    }),
    must('a complex attribute is added by its sub-attributes; the others stay', async (scim) => {
      const made = await scim.user({ name: { familyName: 'King', givenName: 'Ada' } });
      const now = await scim.patched(made, {
        op: 'add',
        path: 'name',
        value: { givenName: 'Augusta', middleName: 'M' },
      });
      expectSame(now.name, { familyName: 'King', givenName: 'Augusta', middleName: 'M' }, 'name');
    }),
    fact('a sub-attribute of a complex attribute that is not there is added', async (scim) => {
      const now = await scim.patched(await scim.user(), { op: 'add', path: 'name.familyName', value: 'King' });
      expectSame(now.name, { familyName: 'King' }, 'name');
    }),
    fact('a new value is added to a multi-valued attribute', async (scim) => {
      const made = await scim.user({ emails: [work] });
      expectSet(
        (await scim.patched(made, { op: 'add', path: 'emails', value: [home] })).emails,
        [work, home],
        'emails',
      );
    }),
    fact('a single value without an array is added to a multi-valued attribute', async (scim) => {
      const made = await scim.user({ emails: [work] });
      expectSet((await scim.patched(made, { op: 'add', path: 'emails', value: home })).emails, [work, home], 'emails');
    }),
    fact('a single-valued attribute is replaced', async (scim) => {
      const made = await scim.user({ title: 'a' });
      expectSame((await scim.patched(made, { op: 'add', path: 'title', value: 'b' })).title, 'b', 'title');
    }),
    fact('a sub-attribute that a filter chooses is replaced', async (scim) => {
      const made = await scim.user({ emails: [work, home] });
      const now = await scim.patched(made, { op: 'add', path: 'emails[type eq "home"].display', value: 'Home' });
      expectSet(now.emails, [work, { ...home, display: 'Home' }], 'emails');
    }),
    should('what is there already succeeds and changes nothing', async (scim) => {
      const made = await scim.user({ title: 'a', emails: [work] });
      for (const operation of [
        { op: 'add', path: 'title', value: 'a' },
        { op: 'add', path: 'emails', value: [work] },
        { op: 'add', value: { title: 'a' } },
      ]) {
        expectStatus(await scim.patch(made, operation), 200, 204);
      }
      expectSame(await scim.read(made), made, 'the resource');
    }),
    must('what is there already does not move lastModified', async (scim) => {
      const made = await scim.user({ title: 'a' });
      await new Promise((resolve) => setTimeout(resolve, 3));
      expectStatus(await scim.patch(made, { op: 'add', path: 'title', value: 'a' }), 200, 204);
      expectSame((await scim.read(made)).meta.lastModified, made.meta.lastModified, 'lastModified');
      const now = await scim.patched(made, { op: 'add', path: 'title', value: 'b' });
      expectSame(now.meta.lastModified === made.meta.lastModified, false, 'that it stays when something changed');
    }),
    fact('a member is added to a group', async (scim) => {
      const [first, second] = [await scim.user(), await scim.user()];
      const group = await scim.group({ members: [{ value: first.id }] });
      const now = await scim.patched(group, { op: 'add', path: 'members', value: [{ value: second.id }] });
      expectSet(ids(now.members), [first.id, second.id], 'members');
    }),
    fact('who is a member already stays one, and the group does not change', async (scim) => {
      const user = await scim.user();
      const group = await scim.group({ members: [{ value: user.id }] });
      expectStatus(
        await scim.patch(group, { op: 'add', path: 'members', value: [{ value: user.id, display: 'x' }] }),
        200,
        204,
      );
      const now = await scim.read(group);
      expectSame(
        [ids(now.members), now.meta.lastModified],
        [[user.id], group.meta.lastModified],
        'members and lastModified',
      );
    }),
    fact('a member nobody knows is refused', async (scim) => {
      const group = await scim.group();
      expectError(
        await scim.patch(group, { op: 'add', path: 'members', value: [{ value: 'nobody' }] }),
        400,
        'invalidValue',
      );
    }),
    must('a second primary value among those added is refused', async (scim) => {
      const value = [work, home].map((one) => ({ ...one, primary: true }));
      expectError(await scim.patch(await scim.user(), { op: 'add', path: 'emails', value }), 400, 'invalidValue');
    }),
  ]),
];
