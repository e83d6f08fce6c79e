import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Ended, makeFolder, runPurvey, type Served, serve } from './processes.ts';

describe('purvey tokens', () => {
  const folder = makeFolder();
  let served: Served;
  const run = (args: string[], more: Record<string, string> = {}): Promise<Ended> =>
    runPurvey(args, { env: { PURVEY_URL: served.url, PURVEY_DATA: join(folder.path, 'data'), ...more } });

  before(async () => {
    served = await serve(join(folder.path, 'data'));
  });
  after(async () => {
    await served.stop();
    folder.remove();
  });

  it('makes a token that works, shows it once, and revokes it', async () => {
    const made = await run([
      'tokens',
      'create',
      '--label',
      'HR',
      '--scope',
      'admin,scim',
      '--expires',
      '90d',
      '--json',
    ]);
    assert.equal(made.code, 0, made.err);
    const { id, token, expiresAt } = JSON.parse(made.out);
    assert.ok(Math.abs(Date.parse(expiresAt) - Date.now() - 90 * 86_400_000) < 60_000, expiresAt);
    assert.equal((await run(['status'], { PURVEY_TOKEN: token })).code, 0);
    const listed = await run(['tokens', 'list']);
    const line = listed.out.split('\n').find((each) => each.startsWith(`${id}\t`))!;
    assert.deepEqual(line.split('\t').slice(1, 4), ['HR', 'resident', 'admin scim']);
    assert.ok(!listed.out.includes(token.slice(3)) && !served.printed().includes(token));
    const revoked = await run(['tokens', 'revoke', String(id)]);
    assert.equal(revoked.code, 0, revoked.err);
    const refused = await run(['status'], { PURVEY_TOKEN: token });
    assert.equal(refused.code, 1);
    assert.match(refused.err, /refused the token/);
    const again = await run(['tokens', 'revoke', String(id), '--json']);
    assert.equal(again.code, 1);
    assert.equal(again.err, `purvey: there is no token with the id ${id}\n`);
    assert.ok(
      !JSON.parse((await run(['tokens', 'list', '--json'])).out).items.some((one: { id: number }) => one.id === id),
    );
  });

  it('prints one as lines, and refuses what it cannot read', async () => {
    const made = await run(['tokens', 'create', '--label', 'plain', '--scope', 'scim']);
    assert.match(made.out, /^token\tpv_[\w-]{43}$/m);
    assert.match(made.out, /^expires\tnever$/m);
    for (const args of [
      ['create', '--label', 'x'],
      ['create', '--scope', 'scim'],
      ['create', '--label', 'x', '--scope', 'scim', '--expires', 'soon'],
      ['create', '--label', 'x', '--scope', 'scim', '--expires', '999999d1'],
      ['revoke', 'HR'],
    ]) {
      assert.equal((await run(['tokens', ...args])).code, 2, args.join(' '));
    }
    const scope = await run(['tokens', 'create', '--label', 'x', '--scope', 'root']);
    assert.equal(scope.code, 1);
    assert.match(scope.err, /^purvey: scopes may hold scim, admin, not "root"\n$/);
    const past = await run(['tokens', 'create', '--label', 'x', '--scope', 'scim', '--expires', '2001-01-01']);
    assert.match(past.err, /^purvey: expiresAt must be in the future\n$/);
  });
});
