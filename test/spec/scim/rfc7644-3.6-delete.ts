import { urn } from './client.ts';
import { expect, expectError, expectSame, expectStatus } from './expect.ts';
import { fact, must, type Row, section, should } from './row.ts';

export const rows: Row[] = [
  ...section('rfc7644', '3.6', [
    must('success is 204 without a body', async (scim) => {
      for (const made of [await scim.user(), await scim.group()]) {
        const answer = await scim.call('DELETE', scim.at(made));
        expectSame([answer.status, answer.text], [204, ''], 'status and body');
      }
    }),
    must('afterwards everything about it is 404', async (scim) => {
      for (const made of [await scim.user(), await scim.group()]) {
        const at = scim.at(made);
        expectStatus(await scim.call('DELETE', at), 204);
        expectError(await scim.get(at), 404);
        expectError(await scim.call('DELETE', at), 404);
        expectError(await scim.put(made, { userName: scim.name(), displayName: scim.name() }), 404);
        expectError(await scim.patch(made, { op: 'replace', path: 'displayName', value: 'x' }), 404);
      }
    }),
    must('afterwards it is in no list', async (scim) => {
      const made = await scim.user();
      const filter = `userName eq "${made.userName}"`;
      expectSame((await scim.list('/Users', { filter })).totalResults, 1, 'found before');
      expectStatus(await scim.call('DELETE', scim.at(made)), 204);
      expectSame((await scim.list('/Users', { filter })).totalResults, 0, 'found after');
      expectSame((await scim.list('/Users', { filter: `id eq "${made.id}"` })).totalResults, 0, 'found by id');
    }),
    should('its name is free again', async (scim) => {
      const made = await scim.user();
      expectStatus(await scim.call('DELETE', scim.at(made)), 204);
      const again = await scim.user({ userName: made.userName });
      expect(again.id !== made.id, 'the id came back');
    }),
    fact('an id nobody had is 404', async (scim) => {
      expectError(await scim.call('DELETE', '/Users/nobody'), 404);
      expectError(await scim.call('DELETE', '/Groups/nobody'), 404);
    }),
    fact('a group goes from the groups of its members', async (scim) => {
      const user = await scim.user();
      const group = await scim.group({ members: [{ value: user.id }] });
      expectSame((await scim.read(user)).groups?.length, 1, 'groups before');
      expectStatus(await scim.call('DELETE', scim.at(group)), 204);
      expectSame((await scim.read(user)).groups ?? [], [], 'groups after');
    }),
  ]),
  ...section('rfc7644', '3.14', [
    must('a version is in the ETag header of each answer with a resource', async (scim) => {
      const body = () => ({ schemas: [urn.user], userName: scim.name() });
      const posted = await scim.post('/Users', body());
      const at = `/Users/${posted.body?.id}`;
      const answers = [posted, await scim.get(at), await scim.call('PUT', at, { ...body(), title: 'x' })];
      for (const answer of answers)
        expect(/^(W\/)?"[^"]+"$/.test(answer.headers['etag'] ?? ''), `ETag is ${answer.headers['etag']}`);
    }),
    should('it is in meta.version as well', async (scim) => {
      const answer = await scim.get(scim.at(await scim.user()));
      expect(answer.headers['etag'], 'there is no ETag');
      expectSame(answer.body?.meta?.version, answer.headers['etag'], 'meta.version');
    }),
    fact('it changes with the resource and only then', async (scim) => {
      const made = await scim.user();
      expectSame((await scim.read(made)).meta.version, made.meta.version, 'the version read again');
      const now = await scim.patched(made, { op: 'replace', path: 'title', value: 'x' });
      expect(now.meta.version !== made.meta.version, 'the version stays');
    }),
    fact('the version of a group changes with its members', async (scim) => {
      const [group, user] = [await scim.group(), await scim.user()];
      const now = await scim.patched(group, { op: 'add', path: 'members', value: [{ value: user.id }] });
      expect(now.meta.version !== group.meta.version, 'the version stays');
    }),
    must('If-None-Match with the version is 304 without a body', async (scim) => {
      const made = await scim.user();
      const answer = await scim.get(scim.at(made), { 'if-none-match': made.meta.version });
      expectSame([answer.status, answer.text], [304, ''], 'status and body');
    }),
    must('If-None-Match with another version is 200', async (scim) => {
      const made = await scim.user();
      const answer = await scim.get(scim.at(made), { 'if-none-match': 'W/"another"' });
      expectSame([answer.status, answer.body?.id], [200, made.id], 'status and id');
    }),
    fact('If-None-Match with a list, and with *', async (scim) => {
      const made = await scim.user();
      for (const tags of [`"x", ${made.meta.version}`, '*']) {
        expectStatus(await scim.get(scim.at(made), { 'if-none-match': tags }), 304);
      }
    }),
    ...(['PUT', 'PATCH', 'DELETE'] as const).flatMap((method) => {
      const body = (userName: string) =>
        method === 'PUT'
          ? { schemas: [urn.user], userName, title: 'new' }
          : method === 'PATCH'
            ? { schemas: [urn.patch], Operations: [{ op: 'replace', path: 'title', value: 'new' }] }
            : undefined;
      return [
        must(`${method} with an old version in If-Match is 412, and nothing happens`, async (scim) => {
          const made = await scim.user();
          const now = await scim.patched(made, { op: 'replace', path: 'title', value: 'between' });
          const headers = { 'if-match': made.meta.version };
          expectError(await scim.call(method, scim.at(made), body(made.userName), { headers }), 412);
          expectSame(await scim.read(made), now, 'the resource');
        }),
        fact(`${method} with the version in If-Match is done`, async (scim) => {
          const made = await scim.user();
          const headers = { 'if-match': made.meta.version };
          expectStatus(await scim.call(method, scim.at(made), body(made.userName), { headers }), 200, 204);
          const after = await scim.get(scim.at(made));
          expectSame(
            [after.status, after.body?.title],
            method === 'DELETE' ? [404, undefined] : [200, 'new'],
            'afterwards',
          );
        }),
        fact(`${method} with * in If-Match is done to what is there, and nothing else`, async (scim) => {
          const made = await scim.user();
          const headers = { 'if-match': '*' };
          expectStatus(await scim.call(method, scim.at(made), body(made.userName), { headers }), 200, 204);
          expectError(await scim.call(method, '/Users/nobody', body(scim.name()), { headers }), [404, 412]);
        }),
      ];
    }),
    fact('of two changes with one version at once, one is refused', async (scim) => {
      const made = await scim.user();
      const headers = { 'if-match': made.meta.version };
      const change = (title: string) =>
        scim.call(
          'PATCH',
          scim.at(made),
          { schemas: [urn.patch], Operations: [{ op: 'replace', path: 'title', value: title }] },
          { headers },
        );
      const statuses = (await Promise.all([change('a'), change('b')])).map((answer) => answer.status);
      expectSame(statuses.filter((status) => status === 412).length, 1, `of ${statuses}, how many are 412`);
    }),
  ]),
];
