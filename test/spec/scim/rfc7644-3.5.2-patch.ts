import { type Json, type Scim, urn } from './client.ts';
import { expect, expectError, expectSame, expectSet, expectStatus } from './expect.ts';
import { fact, must, type Row, section, should } from './row.ts';

const mails = [
  { value: 'ada@work.example', type: 'work', primary: true },
  { value: 'ada@home.example', type: 'home' },
];

async function refuses(scim: Scim, operation: object, status: number, scimType: string): Promise<void> {
  const made = await scim.user({ title: 'a', emails: mails });
  expectError(await scim.patch(made, operation), status, scimType);
  expectSame((await scim.read(made)).meta.version, made.meta.version, 'the version');
}

async function refusesBody(scim: Scim, body: object, scimType = 'invalidSyntax'): Promise<void> {
  expectError(await scim.call('PATCH', scim.at(await scim.user()), body), 400, scimType);
}

const title = { op: 'replace', path: 'title', value: 'b' };

export const rows: Row[] = [
  ...section('rfc7644', '3.5.2', [
    must('the body names PatchOp: without it, it is refused', async (scim) => {
      await refusesBody(scim, { Operations: [title] });
      await refusesBody(scim, { schemas: [urn.user], Operations: [title] });
    }),
    must('Operations is an array of one or more', async (scim) => {
      await refusesBody(scim, { schemas: [urn.patch] });
      await refusesBody(scim, { schemas: [urn.patch], Operations: [] });
      await refusesBody(scim, { schemas: [urn.patch], Operations: title });
    }),
    must('each operation has an op, and it is add, remove or replace', async (scim) => {
      for (const op of [undefined, 'move', 'test', 7])
        await refusesBody(scim, { schemas: [urn.patch], Operations: [{ ...title, op }] });
    }),
    must('a path that cannot be read is invalidPath', async (scim) => {
      for (const path of ['name..x', 'emails[type eq "work"', '1title', 'name.', 'emails]', '', 'title[0]']) {
        const made = await scim.user({ emails: mails });
        const answer = await scim.patch(made, { op: 'replace', path, value: 'x' });
        expectStatus(answer, 400);
        expect(
          ['invalidPath', 'invalidFilter'].includes(answer.body?.scimType),
          `${path}: scimType is ${answer.body?.scimType}`,
        );
      }
    }),
    fact('an array index is no path', (scim) =>
      refuses(scim, { op: 'replace', path: 'emails[0].value', value: 'x@x.example' }, 400, 'invalidFilter'),
    ),
    fact('a filter in a path that cannot be evaluated is refused', (scim) =>
      refuses(scim, { op: 'remove', path: 'emails[type regex "w"]' }, 400, 'invalidFilter'),
    ),
    must('a path to an attribute nobody has is refused', async (scim) => {
      const made = await scim.user();
      const answer = await scim.patch(made, { op: 'replace', path: 'shoeSize', value: '7' });
      expectError(answer, 400);
      expect(['noTarget', 'invalidPath'].includes(answer.body.scimType), `scimType is ${answer.body.scimType}`);
    }),
    ...['id', 'meta.created', 'meta', 'groups'].map((path) =>
      must(`a readOnly attribute is not modified: ${path}`, async (scim) => {
        const value =
          path === 'groups'
            ? [{ value: 'x' }]
            : path === 'meta'
              ? { created: '2001-01-01T00:00:00Z' }
              : '2001-01-01T00:00:00Z';
        for (const op of ['add', 'replace']) await refuses(scim, { op, path, value }, 400, 'mutability');
        await refuses(scim, { op: 'remove', path }, 400, 'mutability');
      }),
    ),
    must('an operation that does not fit the schema is refused: invalidValue', async (scim) => {
      for (const [path, value] of [
        ['active', 'perhaps'],
        ['title', 7],
        ['name', 'x'],
        ['emails', [7]],
        ['name.givenName', {}],
      ]) {
        await refuses(scim, { op: 'replace', path, value }, 400, 'invalidValue');
      }
    }),
    must('an attribute of an extension changes schemas with it', async (scim) => {
      const made = await scim.user();
      const now = await scim.patched(made, { op: 'add', path: `${urn.enterprise}:employeeNumber`, value: '7' });
      expectSame(now[urn.enterprise], { employeeNumber: '7' }, 'the extension');
      expectSet(now.schemas, [urn.user, urn.enterprise], 'schemas');
    }),
    fact('the path may be fully qualified', async (scim) => {
      const made = await scim.user();
      const now = await scim.patched(made, { op: 'add', path: `${urn.user}:name.givenName`, value: 'Ada' });
      expectSame(now.name, { givenName: 'Ada' }, 'name');
    }),
    fact('operations are done in their order, each on what the one before left', async (scim) => {
      const made = await scim.user();
      const now = await scim.patched(
        made,
        { op: 'add', path: 'emails', value: mails },
        { op: 'remove', path: 'emails[type eq "home"]' },
        { op: 'replace', path: 'emails[type eq "work"].value', value: 'new@work.example' },
        { ...title, value: '1' },
        { ...title, value: '2' },
      );
      expectSame([now.emails, now.title], [[{ ...mails[0], value: 'new@work.example' }], '2'], 'emails and title');
    }),
    ...['add', 'replace'].map((op) =>
      must(`${op} that makes a value the primary one turns the others off`, async (scim) => {
        const made = await scim.user({ emails: mails });
        const operation =
          op === 'add'
            ? { op, path: 'emails', value: [{ value: 'new@x.example', type: 'other', primary: true }] }
            : { op, path: 'emails[type eq "home"].primary', value: true };
        const now = await scim.patched(made, operation);
        const wanted = op === 'add' ? 'new@x.example' : 'ada@home.example';
        expectSame(
          now.emails?.filter((one: Json) => one.primary === true).map((one: Json) => one.value),
          [wanted],
          'the primary ones',
        );
      }),
    ),
    must('it is all or nothing: an error later undoes what came before', async (scim) => {
      const made = await scim.user({ title: 'a', emails: mails });
      const answer = await scim.patch(
        made,
        title,
        { op: 'remove', path: 'emails' },
        { op: 'replace', path: 'emails[type eq "x"].value', value: 'y' },
      );
      expectError(answer, 400, 'noTarget');
      const now = await scim.read(made);
      expectSame([now.title, now.emails, now.meta], ['a', mails, made.meta], 'title, emails and meta');
    }),
    must('it is all or nothing for members as well', async (scim) => {
      const user = await scim.user();
      const group = await scim.group();
      const answer = await scim.patch(
        group,
        { op: 'add', path: 'members', value: [{ value: user.id }] },
        { op: 'replace', path: 'displayName', value: 7 },
      );
      expectError(answer, 400, 'invalidValue');
      expectSame((await scim.read(group)).members ?? [], [], 'members');
    }),
    must('success is 200 with the whole resource or 204 without a body', async (scim) => {
      for (const made of [await scim.user(), await scim.group()]) {
        const answer = await scim.patch(made, { op: 'replace', path: 'displayName', value: scim.name('new') });
        expectStatus(answer, 200, 204);
        if (answer.status === 204) expectSame(answer.text, '', 'the body');
        else expectSame(answer.body, await scim.read(made), 'the body');
        expect((await scim.read(made)).displayName !== made.displayName, 'nothing changed');
      }
    }),
    must('with attributes it is 200', async (scim) => {
      for (const made of [await scim.user(), await scim.group()]) {
        const displayName = scim.name('new');
        const body = { schemas: [urn.patch], Operations: [{ op: 'replace', path: 'displayName', value: displayName }] };
        const answer = await scim.call('PATCH', `${scim.at(made)}?attributes=displayName`, body);
        expectSame([answer.status, answer.body?.displayName], [200, displayName], 'status and displayName');
        expectSame(Object.keys(answer.body).sort(), ['displayName', 'id', 'schemas'], 'what is there');
      }
    }),
    must('an id nobody has is 404', async (scim) => {
      expectError(await scim.call('PATCH', '/Users/nobody', { schemas: [urn.patch], Operations: [title] }), 404);
    }),
    must('a name that is taken is 409 and uniqueness', async (scim) => {
      const [first, second] = [await scim.user(), await scim.user()];
      expectError(
        await scim.patch(second, { op: 'replace', path: 'userName', value: first.userName }),
        409,
        'uniqueness',
      );
    }),
    must('a userName stays required', async (scim) => {
      for (const value of ['', ' '])
        await refuses(scim, { op: 'replace', path: 'userName', value }, 400, 'invalidValue');
    }),
    should('a password is set, and is not in the answer', async (scim) => {
      const made = await scim.user();
      const answer = await scim.patch(made, { op: 'replace', path: 'password', value: 'brand new password' });
      expectStatus(answer, 200, 204);
      expect(!answer.text.includes('brand new'), 'the password is in the answer');
      expect((await scim.read(made)).meta.version !== made.meta.version, 'the version did not change');
    }),
  ]),
];
