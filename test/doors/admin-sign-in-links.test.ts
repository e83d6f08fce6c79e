import assert from 'node:assert/strict';
import { before, it } from 'node:test';
import { SignInLinkAnswer, SignInLinkPage } from '../../src/contract/sign-in-link.ts';
import { eachDatabase } from '../database.ts';
import { type AdminBed, fits, openAdminBed } from './admin-bed.ts';

const authenticator = { type: 'oidc', issuer: 'https://login.partner.example', clientId: 'purvey' };

eachDatabase('an administrator says who somebody at an identity provider is here', (bed) => {
  let api: AdminBed;
  const link = (user: string, subject: unknown, identityProvider: unknown = 'partner') =>
    api.call('POST', `/users/${user}/links`, { identityProvider, subject });
  const find = async (query: string): Promise<string[]> => {
    const found: string[] = [];
    let after: string | null = '';
    do {
      const more = after === '' ? '' : `&after=${after}`;
      const { body, status, text } = await api.call('GET', `/identity-providers/partner/links?${query}${more}`);
      assert.equal(status, 200, text);
      assert.ok(fits(SignInLinkPage, body), text);
      found.push(
        ...body.items.map((one: { user: { name: string }; subject: string }) => `${one.user.name} ${one.subject}`),
      );
      after = body.next;
    } while (after !== null);
    return found;
  };
  before(async () => {
    api = await openAdminBed(bed);
    await api.call('POST', '/user-store-domains', { name: 'SALES' });
    for (const name of ['partner', 'empty']) await api.call('POST', '/identity-providers', { name });
    await api.call('PUT', '/identity-providers/partner/federation', {
      authenticator: { ...authenticator, enabled: false },
    });
    for (const userName of ['ada', 'adam', 'bob', 'SALES/ada']) await api.call('POST', '/users', { userName });
  });

  it('once, however often it is said', async () => {
    const first = await link('ada', 'u-1');
    assert.equal(first.status, 201);
    assert.ok(fits(SignInLinkAnswer, first.body), first.text);
    const { rule, by, issuer, whyNot } = first.body;
    assert.deepEqual([rule, by, issuer], ['hand', 'token test', authenticator.issuer]);
    assert.equal(whyNot, 'nobody signs in through partner');
    const second = await link('ada', 'u-1', first.body.identityProvider.id);
    assert.deepEqual([second.status, second.body], [200, first.body]);
    // Somebody may have two accounts there.
    assert.equal((await link('ada', 'b-2')).status, 201);
  });

  for (const [what, user, subject, idp, status, field, says] of [
    ['a user who is not there', 'nobody', 'u-9', 'partner', 404, undefined, /there is no user nobody/],
    [
      'a subject that is somebody else',
      'bob',
      'u-1',
      'partner',
      409,
      'subject',
      /is ada here already: unlink ada first/,
    ],
    [
      'an identity provider that is not there',
      'bob',
      'u-9',
      'none',
      400,
      'identityProvider',
      /no identity provider none/,
    ],
    ['one that nobody signs in through', 'bob', 'u-9', 'empty', 409, 'identityProvider', /set how people sign in/],
    ['no identity provider', 'bob', 'u-9', undefined, 400, 'identityProvider', /is required/],
    ['no subject', 'bob', undefined, 'partner', 400, 'subject', /1 to 255 characters/],
    ['an empty subject', 'bob', '', 'partner', 400, 'subject', /1 to 255 characters/],
    ['a subject without end', 'bob', 'x'.repeat(256), 'partner', 400, 'subject', /1 to 255 characters/],
    ['a subject that no database can store', 'bob', 'a\0b', 'partner', 400, 'subject', /U\+0000/],
  ] as const) {
    it(`but not of ${what}`, async () => {
      const { status: told, body } = await api.call('POST', `/users/${user}/links`, { identityProvider: idp, subject });
      assert.deepEqual([told, body.field], [status, field], JSON.stringify(body));
      assert.match(body.detail, says);
    });
  }

  it('and is told of a field that means nothing', async () => {
    const { body } = await api.call('POST', '/users/bob/links', {
      identityProvider: 'partner',
      subject: 'x',
      issuer: 'y',
    });
    assert.deepEqual([body.code, body.field], ['invalidValue', 'issuer']);
  });

  it('and finds them by the beginning of a user name or of a subject, page by page', async () => {
    await link('adam', 'u-2');
    await link('bob', 'ada-of-partner');
    await link('SALES%2Fada', 'U-1');
    const all = ['ada u-1', 'ada b-2', 'adam u-2', 'bob ada-of-partner', 'SALES/ada U-1'];
    for (const limit of [1, 2, 3, 100]) {
      assert.deepEqual(await find(`limit=${limit}`), all);
      assert.deepEqual(
        await find(`search=ADA&limit=${limit}`),
        ['ada u-1', 'ada b-2', 'adam u-2'],
        'no subject is ADA',
      );
      assert.deepEqual(await find(`search=ada&limit=${limit}`), [
        'ada u-1',
        'ada b-2',
        'adam u-2',
        'bob ada-of-partner',
      ]);
      assert.deepEqual(await find(`search=b&limit=${limit}`), ['bob ada-of-partner', 'ada b-2']);
      assert.deepEqual(
        await find(`search=u-&limit=${limit}`),
        ['ada u-1', 'adam u-2'],
        'a subject is what it is, to the letter',
      );
      assert.deepEqual(await find(`search=PRIMARY%2Fadam&limit=${limit}`), ['adam u-2']);
      assert.deepEqual(await find(`search=sales&limit=${limit}`), ['SALES/ada U-1']);
      assert.deepEqual(await find(`search=%25&limit=${limit}`), []);
    }
    for (const after of ['nonsense', Buffer.from('["x","y",1]').toString('base64url')]) {
      const { status, body } = await api.call('GET', `/identity-providers/partner/links?after=${after}`);
      assert.deepEqual([status, body.field], [400, 'after']);
    }
    assert.equal((await api.call('GET', '/identity-providers/none/links')).status, 404);
  });

  it('by the name that a user has now', async () => {
    await api.call('PATCH', '/users/adam', { userName: 'zoe' });
    assert.deepEqual(await find('search=adam'), []);
    assert.deepEqual(await find('search=zoe'), ['zoe u-2']);
  });

  it('and takes it back, once, of that user alone', async () => {
    const { items } = (await api.call('GET', '/users/ada/links')).body;
    const { id } = items.find((one: { subject: string }) => one.subject === 'u-1');
    for (const path of [
      `/users/bob/links/${id}`,
      '/users/ada/links/x',
      '/users/ada/links/999999',
      `/users/none/links/${id}`,
    ]) {
      assert.equal((await api.call('DELETE', path)).status, 404, path);
    }
    assert.equal((await api.call('DELETE', `/users/ada/links/${id}`)).status, 204);
    assert.equal((await api.call('DELETE', `/users/ada/links/${id}`)).status, 404);
    assert.deepEqual(await find('search=u-1'), []);
    const after = (await api.call('GET', '/users/ada/links')).body.items;
    assert.deepEqual(
      after.map((one: { subject: string; ended: { by: string } | null }) => [one.subject, one.ended?.by]),
      [
        ['b-2', undefined],
        ['u-1', 'token test'],
      ],
    );
    assert.equal((await link('bob', 'u-1')).status, 201, 'who is free may be another now');
  });

  it('and nothing of it is in the change log, or lets anybody in at a target', async () => {
    const { items } = (await api.call('GET', '/changes?limit=1000')).body;
    const { id } = (await api.call('GET', '/users/bob')).body;
    const own = items.filter((one: { subject: { id: string } }) => one.subject.id === id);
    assert.equal(own.length, 1, 'that it was made');
  });

  it('and all of it goes with the user, and with the identity provider', async () => {
    const { id } = (await api.call('GET', '/users/ada')).body;
    await api.call('DELETE', '/users/ada');
    assert.deepEqual((await api.call('GET', `/users/${id}/links`)).body, { items: [] });
    assert.deepEqual(await find('search=b-2'), []);
    assert.equal(
      (await api.call('POST', `/users/${id}/links`, { identityProvider: 'partner', subject: 'b-2' })).status,
      404,
    );
    assert.equal((await api.call('DELETE', '/identity-providers/partner')).status, 204);
    assert.deepEqual((await api.call('GET', '/users/bob/links')).body, { items: [] });
  });
});
