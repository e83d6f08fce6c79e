import assert from 'node:assert/strict';
import { before, it } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { Problem } from '../../src/base/problem.ts';
import { ProblemAnswer } from '../../src/contract/problem.ts';
import { TokenList, type TokenListItem } from '../../src/contract/token.ts';
import { openCredentials } from '../../src/inbound/credentials.ts';
import { eachDatabase } from '../database.ts';
import { type AdminBed, fits, openAdminBed } from './admin-bed.ts';

eachDatabase('API tokens', (bed) => {
  let api: AdminBed;
  before(async () => {
    api = await openAdminBed(bed);
  });
  const list = async (): Promise<TokenListItem[]> => {
    const answer = await api.call('GET', '/tokens');
    assert.equal(answer.status, 200, answer.text);
    assert.ok(fits(TokenList, answer.body), answer.text);
    return answer.body.items;
  };
  const make = async (label: string, more: Record<string, unknown> = {}) => {
    const answer = await api.call('POST', '/tokens', { label, scopes: ['admin'], ...more });
    assert.equal(answer.status, 201, answer.text);
    return answer.body as { id: number; token: string };
  };

  it('are listed with what they are for and when they were last used, never with the token', async () => {
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
    assert.equal((await api.call('POST', '/service-providers', { name: 'hr' })).status, 201);
    const { id, token } = await make('for the list', { expiresAt, serviceProvider: 'hr', scopes: ['scim', 'admin'] });
    const { createdAt, ...before } = (await list()).find((one) => one.id === id)!;
    assert.deepEqual(before, {
      id,
      label: 'for the list',
      serviceProvider: 'hr',
      scopes: ['scim', 'admin'],
      expiresAt,
      lastUsedAt: null,
    });
    assert.ok(Math.abs(Date.parse(createdAt) - Date.now()) < 60_000, createdAt);
    assert.equal((await api.call('GET', '/status', undefined, `Bearer ${token}`)).status, 200);
    // The use is written beside the request.
    let used: string | null = null;
    for (let n = 0; n < 100 && used === null; n++) {
      await new Promise((done) => setTimeout(done, 20));
      used = (await list()).find((one) => one.id === id)!.lastUsedAt;
    }
    assert.ok(used !== null && Date.parse(used) >= Date.parse(createdAt), String(used));
    const { text } = await api.call('GET', '/tokens');
    assert.ok(!text.includes(token) && !text.includes('pv_') && !text.includes('digest'), text);
  });

  it('are refused at once where they are revoked, and within five seconds elsewhere', async () => {
    const { id, token } = await make('to be revoked');
    const elsewhere = openCredentials({ store: await bed.openAgain(api.store), clock: systemClock() });
    const askElsewhere = () => elsewhere.authenticateAdmin(`Bearer ${token}`, { mayBeDue: false });
    assert.equal((await api.call('GET', '/status', undefined, `Bearer ${token}`)).status, 200);
    await askElsewhere();
    const revoked = await api.call('DELETE', `/tokens/${id}`);
    assert.equal(revoked.status, 204, revoked.text);
    const at = performance.now();
    const refused = await api.call('GET', '/status', undefined, `Bearer ${token}`);
    assert.equal(refused.status, 401, 'the node that revoked it still admits it');
    assert.ok(!(await list()).some((one) => one.id === id));
    for (;;) {
      const fault = await askElsewhere().then(
        () => undefined,
        (error) => error,
      );
      if (fault !== undefined) {
        assert.ok(fault instanceof Problem && fault.code === 'notAuthenticated', String(fault));
        break;
      }
      assert.ok(performance.now() - at < 5_000, 'another node still admits it');
      await new Promise((done) => setTimeout(done, 100));
    }
  });

  it('that are not there cannot be revoked', async () => {
    const { id } = await make('twice');
    assert.equal((await api.call('DELETE', `/tokens/${id}`)).status, 204);
    for (const wrong of [String(id), '0', 'x', '999999999999999', '1e3', '%00']) {
      const answer = await api.call('DELETE', `/tokens/${wrong}`);
      assert.equal(answer.status, 404, `${wrong}: ${answer.text}`);
      assert.ok(fits(ProblemAnswer, answer.body));
    }
  });

  it('are neither listed nor revoked without the scope admin', async () => {
    const scim = await make('scim only', { scopes: ['scim'] });
    for (const [authorization, status] of [
      [`Bearer ${scim.token}`, 403],
      [null, 401],
    ] as const) {
      assert.equal((await api.call('GET', '/tokens', undefined, authorization)).status, status);
      assert.equal((await api.call('DELETE', `/tokens/${scim.id}`, undefined, authorization)).status, status);
    }
    assert.ok((await list()).some((one) => one.id === scim.id));
    assert.equal((await api.call('GET', '/tokens?limit=1')).status, 400);
  });
});
