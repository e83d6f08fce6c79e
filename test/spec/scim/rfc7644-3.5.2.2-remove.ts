import { type Json, urn } from './client.ts';
import { expectError, expectSame, expectSet, expectStatus } from './expect.ts';
import { fact, must, type Row, section } from './row.ts';

const work = { value: 'ada@work.example', type: 'work', primary: true };
const home = { value: 'ada@home.example', type: 'home' };
const other = { value: 'ada@other.example', type: 'home', display: 'Other' };
const all = { title: 'a', name: { familyName: 'King', givenName: 'Ada' }, emails: [work, home, other] };
const ids = (members: Json[] | undefined): string[] => (members ?? []).map((one) => one.value);

export const rows: Row[] = [
  ...section('rfc7644', '3.5.2.2', [
    must('without a path it is 400 and noTarget', async (scim) => {
      const made = await scim.user(all);
      expectError(await scim.patch(made, { op: 'remove' }), 400, 'noTarget');
      expectError(await scim.patch(made, { op: 'remove', value: { title: 'a' } }), 400, 'noTarget');
      expectSame((await scim.read(made)).title, 'a', 'title');
    }),
    must('a single-valued attribute is unassigned', async (scim) => {
      const now = await scim.patched(await scim.user(all), { op: 'remove', path: 'title' });
      expectSame([now.title, now.name?.familyName], [undefined, 'King'], 'title and familyName');
    }),
    must('a sub-attribute is unassigned', async (scim) => {
      const now = await scim.patched(await scim.user(all), { op: 'remove', path: 'name.givenName' });
      expectSame(now.name, { familyName: 'King' }, 'name');
    }),
    must('a complex attribute is unassigned', async (scim) => {
      expectSame((await scim.patched(await scim.user(all), { op: 'remove', path: 'name' })).name, undefined, 'name');
    }),
    must('a multi-valued attribute without a filter is unassigned with all its values', async (scim) => {
      const now = await scim.patched(await scim.user(all), { op: 'remove', path: 'emails' });
      expectSame([now.emails ?? [], now.title], [[], 'a'], 'emails and title');
    }),
    must('values that a filter on "value" chooses are removed', async (scim) => {
      const now = await scim.patched(await scim.user(all), { op: 'remove', path: `emails[value eq "${home.value}"]` });
      expectSet(now.emails, [work, other], 'emails');
    }),
    must('all values that a filter on sub-attributes chooses are removed', async (scim) => {
      const now = await scim.patched(await scim.user(all), { op: 'remove', path: 'emails[type eq "home"]' });
      expectSame(now.emails, [work], 'emails');
    }),
    must('values that a filter with and, or, not chooses are removed', async (scim) => {
      const path = 'emails[type eq "home" and not (display pr) or value sw "nobody"]';
      expectSet((await scim.patched(await scim.user(all), { op: 'remove', path })).emails, [work, other], 'emails');
    }),
    must('when no value is left the attribute is unassigned', async (scim) => {
      const made = await scim.user({ emails: [home, other] });
      const now = await scim.patched(made, { op: 'remove', path: 'emails[type eq "home"]' });
      expectSame(now.emails, undefined, 'emails');
      expectSame(
        (await scim.list('/Users', { filter: `id eq "${made.id}" and emails pr` })).totalResults,
        0,
        'found by emails pr',
      );
    }),
    must('a sub-attribute of the chosen values is unassigned', async (scim) => {
      const now = await scim.patched(await scim.user(all), {
        op: 'remove',
        path: 'emails[display eq "other"].display',
      });
      expectSet(now.emails, [work, home, { value: other.value, type: other.type }], 'emails');
    }),
    fact('a value with nothing left in it goes', async (scim) => {
      const made = await scim.user({ emails: [{ value: 'a@x.example' }, work] });
      const now = await scim.patched(made, { op: 'remove', path: 'emails[value eq "a@x.example"].value' });
      expectSame(now.emails, [work], 'emails');
    }),
    must('a required attribute is not removed: mutability', async (scim) => {
      const [user, group] = [await scim.user(), await scim.group()];
      expectError(await scim.patch(user, { op: 'remove', path: 'userName' }), 400, 'mutability');
      expectError(await scim.patch(group, { op: 'remove', path: 'displayName' }), 400, 'mutability');
      expectSame((await scim.read(user)).userName, user.userName, 'userName');
    }),
    must('a readOnly attribute is not removed: mutability', async (scim) => {
      const user = await scim.user();
      for (const path of ['id', 'meta', 'groups'])
        expectError(await scim.patch(user, { op: 'remove', path }), 400, 'mutability');
    }),
    must('an attribute of an extension is removed, and the extension with its last one', async (scim) => {
      const made = await scim.user({
        schemas: [urn.user, urn.enterprise],
        [urn.enterprise]: { department: 'A', costCenter: '7' },
      });
      const less = await scim.patched(made, { op: 'remove', path: `${urn.enterprise}:department` });
      expectSame(less[urn.enterprise], { costCenter: '7' }, 'the extension');
      const none = await scim.patched(made, { op: 'remove', path: `${urn.enterprise}:costCenter` });
      expectSame([none[urn.enterprise], none.schemas], [undefined, [urn.user]], 'the extension and schemas');
    }),
    fact('one member is removed from a group', async (scim) => {
      const [first, second] = [await scim.user(), await scim.user()];
      const group = await scim.group({ members: [{ value: first.id }, { value: second.id }] });
      const now = await scim.patched(group, { op: 'remove', path: `members[value eq "${first.id}"]` });
      expectSame(ids(now.members), [second.id], 'members');
    }),
    fact('all members are removed from a group', async (scim) => {
      const user = await scim.user();
      const group = await scim.group({ members: [{ value: user.id }] });
      expectSame(ids((await scim.patched(group, { op: 'remove', path: 'members' })).members), [], 'members');
      expectSame((await scim.read(user)).groups ?? [], [], 'the groups of who was one');
    }),
    fact('who is no member is removed without an error, and the group does not change', async (scim) => {
      const [user, stranger] = [await scim.user(), await scim.user()];
      const group = await scim.group({ members: [{ value: user.id }] });
      expectStatus(await scim.patch(group, { op: 'remove', path: `members[value eq "${stranger.id}"]` }), 200, 204);
      const now = await scim.read(group);
      expectSame(
        [ids(now.members), now.meta.lastModified],
        [[user.id], group.meta.lastModified],
        'members and lastModified',
      );
    }),
    fact('what is unassigned is removed without an error and without a change', async (scim) => {
      const made = await scim.user();
      expectStatus(await scim.patch(made, { op: 'remove', path: 'title' }), 200, 204);
      expectSame((await scim.read(made)).meta, made.meta, 'meta');
    }),
  ]),
];
