import { type Json, urn } from './client.ts';
import { expectError, expectSame, expectSet } from './expect.ts';
import { fact, must, type Row, section } from './row.ts';

const work = { value: 'ada@work.example', type: 'work', primary: true };
const home = { value: 'ada@home.example', type: 'home', display: 'Home' };
const other = { value: 'ada@other.example', type: 'home' };
const all = { title: 'a', name: { familyName: 'King', givenName: 'Ada' }, emails: [work, home, other] };
const ids = (members: Json[] | undefined): string[] => (members ?? []).map((one) => one.value);

export const rows: Row[] = [
  ...section('rfc7644', '3.5.2.3', [
    must('without a path the value is a set of attributes to replace', async (scim) => {
      const now = await scim.patched(await scim.user(all), {
        op: 'replace',
        value: { title: 'b', emails: [other], nickName: 'C' },
      });
      expectSame([now.title, now.emails, now.nickName, now.name], ['b', [other], 'C', all.name], 'what is there');
    }),
    must('without a path a value that is no object is refused', async (scim) => {
      for (const value of ['x', 7, [{ title: 'b' }]]) {
        expectError(await scim.patch(await scim.user(), { op: 'replace', value }), 400, 'invalidValue');
      }
    }),
    fact('without a path an extension is merged into what is there', async (scim) => {
      const made = await scim.user({
        schemas: [urn.user, urn.enterprise],
        [urn.enterprise]: { department: 'A', costCenter: '7' },
      });
      const now = await scim.patched(made, { op: 'replace', value: { [urn.enterprise]: { department: 'B' } } });
      expectSame(now[urn.enterprise], { department: 'B', costCenter: '7' }, 'the extension');
    }),
    fact('a single value is replaced', async (scim) => {
      expectSame(
        (await scim.patched(await scim.user(all), { op: 'replace', path: 'title', value: 'b' })).title,
        'b',
        'title',
      );
    }),
    fact('a multi-valued attribute without a filter is replaced with all its values', async (scim) => {
      const now = await scim.patched(await scim.user(all), { op: 'replace', path: 'emails', value: [other] });
      expectSame(now.emails, [other], 'emails');
    }),
    must('what is not there is added', async (scim) => {
      const made = await scim.user();
      const now = await scim.patched(
        made,
        { op: 'replace', path: 'title', value: 'b' },
        { op: 'replace', path: 'emails', value: [work] },
        { op: 'replace', path: 'name.familyName', value: 'King' },
        { op: 'replace', path: `${urn.enterprise}:department`, value: 'A' },
      );
      expectSame(
        [now.title, now.emails, now.name, now[urn.enterprise]],
        ['b', [work], { familyName: 'King' }, { department: 'A' }],
        'what is there',
      );
    }),
    must('sub-attributes of a complex attribute that the value does not name stay', async (scim) => {
      const now = await scim.patched(await scim.user(all), {
        op: 'replace',
        path: 'name',
        value: { givenName: 'Augusta', middleName: 'M' },
      });
      expectSame(now.name, { familyName: 'King', givenName: 'Augusta', middleName: 'M' }, 'name');
    }),
    must('a complex attribute is not replaced by what is no set of sub-attributes', async (scim) => {
      expectError(
        await scim.patch(await scim.user(all), { op: 'replace', path: 'name', value: 'Ada' }),
        400,
        'invalidValue',
      );
    }),
    must('all values that a filter chooses are replaced', async (scim) => {
      const made = await scim.user({ ...all, emails: [work, home] });
      const now = await scim.patched(made, {
        op: 'replace',
        path: 'emails[type eq "home"]',
        value: { value: 'new@x.example', type: 'other' },
      });
      expectSet(now.emails, [work, { value: 'new@x.example', type: 'other' }], 'emails');
    }),
    must('a sub-attribute is replaced in all values that a filter chooses', async (scim) => {
      const now = await scim.patched(await scim.user(all), {
        op: 'replace',
        path: 'emails[type eq "home"].display',
        value: 'H',
      });
      expectSet(now.emails, [work, { ...home, display: 'H' }, { ...other, display: 'H' }], 'emails');
    }),
    must('a filter that chooses nothing is 400 and noTarget', async (scim) => {
      const made = await scim.user(all);
      const value = { value: 'x@x.example' };
      expectError(await scim.patch(made, { op: 'replace', path: 'emails[type eq "none"]', value }), 400, 'noTarget');
      expectError(
        await scim.patch(made, { op: 'replace', path: 'emails[type eq "none"].value', value: 'x' }),
        400,
        'noTarget',
      );
      expectError(
        await scim.patch(await scim.user(), { op: 'replace', path: 'emails[type eq "none"].value', value: 'x' }),
        400,
        'noTarget',
      );
      expectSame((await scim.read(made)).meta, made.meta, 'meta');
    }),
    must('without a value it is refused', async (scim) => {
      expectError(await scim.patch(await scim.user(all), { op: 'replace', path: 'title' }), 400, 'invalidValue');
    }),
    fact('the members of a group are replaced', async (scim) => {
      const [a, b, c] = [await scim.user(), await scim.user(), await scim.user()];
      const group = await scim.group({ members: [{ value: a.id }, { value: b.id }] });
      const now = await scim.patched(group, {
        op: 'replace',
        path: 'members',
        value: [{ value: b.id }, { value: c.id }],
      });
      expectSet(ids(now.members), [b.id, c.id], 'members');
    }),
    fact('the members of a group are replaced by none', async (scim) => {
      const user = await scim.user();
      const group = await scim.group({ members: [{ value: user.id }] });
      expectSame(
        ids((await scim.patched(group, { op: 'replace', path: 'members', value: [] })).members),
        [],
        'members',
      );
    }),
    must('a member’s value is immutable', async (scim) => {
      const [a, b] = [await scim.user(), await scim.user()];
      const group = await scim.group({ members: [{ value: a.id }] });
      const operation = { op: 'replace', path: `members[value eq "${a.id}"].value`, value: b.id };
      expectError(await scim.patch(group, operation), 400, 'mutability');
    }),
    fact('the same value is no change', async (scim) => {
      const made = await scim.user(all);
      const now = await scim.patched(
        made,
        { op: 'replace', path: 'emails', value: all.emails },
        { op: 'replace', path: 'title', value: 'a' },
      );
      expectSame(now.meta, made.meta, 'meta');
      const changed = await scim.patched(made, { op: 'replace', path: 'title', value: 'b' });
      expectSame(changed.meta.version === made.meta.version, false, 'that the version stays when something changed');
    }),
  ]),
];
