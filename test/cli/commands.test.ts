// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how the file names variables
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type FakeScim2, startFakeScim2 } from '../connectors/fakes/scim2.ts';
import { type Ended, makeFolder, runPurvey, type Served, serve } from './processes.ts';

const file = `
userStoreDomains: [SALES]
identityProviders:
  - name: partner
    displayName: Partner
    connectors:
      - type: SCIM2
        settings: { scim2-authentication-mode: bearer, scim2-access-token: \${PARTNER_TOKEN}, scim2-user-ep: \${PARTNER_URL}/scim2/Users, scim2-group-ep: \${PARTNER_URL}/scim2/Groups }
        policy: { concurrency: 4 }
serviceProviders:
  - name: resident
    outboundProvisioning:
      - { identityProvider: partner, connector: SCIM2 }
`;

describe('the commands of a running server', () => {
  const folder = makeFolder();
  const yaml = join(folder.path, 'purvey.yaml');
  let served: Served;
  let fake: FakeScim2;
  const run = (args: string[], more: Record<string, string> = {}, input?: string): Promise<Ended> =>
    runPurvey(args, {
      env: {
        PURVEY_URL: served.url,
        PURVEY_DATA: join(folder.path, 'data'),
        PARTNER_TOKEN: 'secret-of-the-partner',
        PARTNER_URL: fake.url,
        ...more,
      },
      ...(input === undefined ? {} : { input }),
    });
  const scim = async (path: string, body: unknown, method: 'POST' | 'PUT' = 'POST') => {
    const token = readFileSync(join(folder.path, 'data/admin-token'), 'utf8').trim();
    const response = await fetch(`${served.url}/scim2${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/scim+json' },
      body: JSON.stringify(body),
    });
    assert.equal(response.status, method === 'POST' ? 201 : 200, await response.clone().text());
    return (await response.json()) as { id: string };
  };

  before(async () => {
    fake = await startFakeScim2({ auth: { mode: 'bearer', token: 'secret-of-the-partner' } });
    served = await serve(join(folder.path, 'data'));
    writeFileSync(yaml, file);
  });
  after(async () => {
    await served.stop();
    await fake.close();
    folder.remove();
  });

  it('apply a file once, and find nothing to do the second time', async () => {
    const first = await run(['apply', '-f', yaml]);
    assert.equal(first.code, 0, first.err);
    assert.deepEqual(first.out.trim().split('\n'), [
      'user store domain\tSALES\tcreated',
      'identity provider\tpartner\tcreated',
      'target\tpartner:SCIM2\tcreated',
      'service provider\tresident\tunchanged',
      'bindings\tresident\tupdated',
    ]);
    const second = await run(['apply', '--json', '-f', '-'], {}, file);
    assert.equal(second.code, 0, second.err);
    const changes = JSON.parse(second.out).items.map((one: { change: string }) => one.change);
    assert.deepEqual([...new Set(changes)], ['unchanged']);
    const rotated = await run(['apply', '-f', yaml], { PARTNER_TOKEN: 'another-secret' });
    assert.match(rotated.out, /target\tpartner:SCIM2\tupdated/);
    await run(['apply', '-f', yaml]);
    assert.ok(![first, second, rotated].some((one) => /secret/.test(one.out + one.err)));
  });

  it('stop at what cannot be applied, saying which object and field', async () => {
    const bad = file.replace('concurrency: 4', 'concurrency: 0');
    const refused = await run(['apply', '-f', '-'], {}, bad);
    assert.equal(refused.code, 1);
    assert.match(refused.err, /^purvey: target partner:SCIM2: policy\.concurrency must be .*\n$/);
    const missing = await run(['apply', '-f', yaml], { PARTNER_URL: undefined as never });
    assert.equal(missing.code, 1);
    assert.match(missing.err, /line \d+: the environment variable PARTNER_URL is not set/);
    assert.match((await run(['users', 'unlock', 'nobody'])).err, /there is no user nobody/);
    const jit = file.replace('connector: SCIM2 }', 'connector: SCIM2, jit: true }');
    assert.match((await run(['apply', '-f', '-'], {}, jit)).err, /bindings resident: nobody signs in to the resident/);
    const failing = file.replace('connector: SCIM2 }', 'connector: SCIM2, onFailure: fail }');
    assert.match(
      (await run(['apply', '-f', '-'], {}, failing)).err,
      /bindings resident: only a blocking binding can fail/,
    );
    assert.match((await run(['apply', '-f', '/nowhere'])).err, /\/nowhere cannot be read/);
  });

  it('test a target', async () => {
    const good = await run(['targets', 'test', 'partner:SCIM2']);
    assert.equal(good.code, 0, good.out + good.err);
    assert.match(good.out, /^users endpoint\tok\t/m);
    await run(['apply', '-f', yaml], { PARTNER_TOKEN: 'wrong' });
    const bad = await run(['targets', 'test', 'partner:SCIM2', '--json']);
    assert.equal(bad.code, 1);
    assert.equal(JSON.parse(bad.out).ok, false);
    await run(['apply', '-f', yaml]);
  });

  it('show users, groups, accounts, changes, targets and status, as lines in a pipe and as JSON', async () => {
    const user = await scim('/Users', {
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
      userName: 'zoë',
      displayName: 'Zoë\u001b[31m\tRed',
    });
    await scim('/Groups', {
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'],
      displayName: 'Sales EMEA',
      members: [{ value: user.id }],
    });
    // The member comes to the group last; after that nothing is left to do.
    let settled = false;
    for (let n = 0; n < 100 && !settled; n++) {
      await sleep(100);
      const group = fake.groupNamed('Sales EMEA');
      if (!group || fake.membersOf(String(group.resource.id)).length === 0) continue;
      const [target] = JSON.parse((await run(['status', '--json'])).out).targets;
      settled = target.byState.done === 2 && target.pending === 0;
    }
    assert.ok(settled, (await run(['accounts', 'list', '--json'])).out);
    const users = await run(['users', 'list']);
    assert.equal(users.code, 0, users.err);
    const cells = users.out.split('\n')[0]!.split('\t');
    assert.equal(cells[0], 'zoë');
    assert.equal(cells[1], 'Zoë\\u001b[31m Red', 'control characters reach the terminal');
    assert.equal(cells[4], user.id);
    const none = await run(['users', 'list', '--filter', 'userName eq "nobody"', '--json']);
    assert.deepEqual(JSON.parse(none.out), { total: 0, items: [] });
    assert.equal(JSON.parse((await run(['users', 'show', 'ZOË', '--json'])).out).id, user.id);
    assert.match((await run(['groups', 'show', 'Sales EMEA'])).out, /^member\tzoë$/m);
    assert.match((await run(['groups', 'list'])).out, /^Sales EMEA\t/);
    const accounts = await run(['accounts', 'list', '--target', 'partner:SCIM2', '--state', 'done', '--all']);
    assert.equal(accounts.out.trim().split('\n').length, 2, accounts.out + accounts.err);
    const account = await run(['accounts', 'show', 'partner:SCIM2', 'zoë']);
    assert.match(account.out, /^state\tdone$/m);
    assert.match(account.out, /POST .*\/Users -> 201/);
    const retried = await run(['accounts', 'retry', 'partner:SCIM2', 'zoë']);
    assert.equal(retried.out, 'zoë is due at partner:SCIM2\n', retried.err);
    assert.equal((await run(['accounts', 'retry', 'partner:SCIM2', '--parked'])).out, 'nothing is parked there\n');
    const changes = await run(['changes', 'tail', '--lines', '2', '--json']);
    const lines = changes.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.equal(lines.at(-1).subject.name, 'Sales EMEA');
    assert.match((await run(['changes', 'tail', '--after', '0'])).out, /^1\t.*\tuser\tzoë\t/);
    assert.match((await run(['targets', 'list'])).out, /^partner:SCIM2\ttrue\t/);
    const shown = await run(['targets', 'show', 'partner:SCIM2']);
    assert.match(shown.out, /^scim2-access-token\t\(set\)$/m);
    assert.ok(!shown.out.includes('secret'));
    assert.match((await run(['status'])).out, /^partner:SCIM2\tok\t2\t/m);
  });

  it('say who somebody at an identity provider is, and show it', async () => {
    const noSignIn = await run(['users', 'link', 'zoë', 'partner', 'u-1']);
    assert.match(noSignIn.err, /^purvey: nobody signs in through partner: set how people sign in through it first\n$/);
    const federation = `
    federation:
      authenticator: { type: oidc, issuer: https://login.partner.example, clientId: purvey, enabled: false }
serviceProviders:`;
    const applied = await run(['apply', '-f', '-'], {}, file.replace('\nserviceProviders:', federation));
    assert.equal(applied.code, 0, applied.err);
    const linked = await run(['users', 'link', 'zoë', 'Partner', 'u-1']);
    assert.equal(
      linked.out,
      'zoë is u-1 of partner\nthis does not work yet: nobody signs in through partner\n',
      linked.err,
    );
    await run(['users', 'link', 'zoë', 'partner', 'u-2']);
    const listed = await run(['users', 'links', 'zoë']);
    assert.deepEqual(
      listed.out
        .trim()
        .split('\n')
        .map((line) => line.split('\t').filter((_, n) => n !== 3)),
      ['u-2', 'u-1'].map((subject) => {
        const by = 'token commands on the server itself, by hand';
        return ['zoë', 'partner', subject, by, '-', 'no: nobody signs in through partner'];
      }),
    );
    const found = await run(['users', 'links', '--through', 'partner', '--search', 'u-', '--limit', '1', '--json']);
    const { items, more } = JSON.parse(found.out);
    assert.deepEqual([items.length, items[0].subject, more], [1, 'u-1', true]);
    assert.match(
      (await run(['users', 'unlink', 'zoë', 'partner'])).err,
      /zoë is several at partner: u-2 .*, u-1 .*Name one/,
    );
    assert.match(
      (await run(['users', 'unlink', 'zoë', 'partner', 'u-9'])).err,
      /zoë is not u-9 at partner: see purvey users/,
    );
    const unlinked = await run(['users', 'unlink', 'zoë', 'partner', 'u-2']);
    assert.equal(unlinked.out, 'zoë is not u-2 of partner any more\n', unlinked.err);
    assert.equal((await run(['users', 'unlink', 'zoë', 'partner'])).out, 'zoë is not u-1 of partner any more\n');
    assert.match((await run(['users', 'unlink', 'zoë', 'partner'])).err, /zoë is nobody at partner/);
    assert.match((await run(['users', 'links', 'zoë'])).out, /no: unlinked by token commands on the server itself, 2/);
    assert.match(
      (await run(['users', 'links'])).err,
      /^purvey: name one user, or an identity provider with --through\n$/,
    );
  });

  it('say why a stranger that a rename met is not adopted, and what to do instead', async () => {
    const schemas = ['urn:ietf:params:scim:schemas:core:2.0:User'];
    const strange = fake.seedUser({ schemas, userName: 'taken', active: true });
    const own = String(fake.userNamed('zoë')!.id);
    const [found] = JSON.parse((await run(['users', 'list', '--filter', 'userName eq "zoë"', '--json'])).out).items;
    await scim(`/Users/${found.id}`, { schemas, userName: 'taken' }, 'PUT');
    let shown = '';
    for (let n = 0; n < 100 && !/^state\tparked$/m.test(shown); n++) {
      await sleep(100);
      shown = (await run(['accounts', 'show', 'partner:SCIM2', 'taken'])).out;
    }
    const line = shown.split('\n').find((one) => one.startsWith('has its name\t'));
    assert.equal(
      line,
      `has its name\ttaken (id ${strange}); not to be adopted, since ${own} would be left behind. Rename or remove it there, then purvey accounts retry partner:SCIM2 taken. If it is to be theirs, remove ${own} there instead, then retry`,
      shown,
    );
    const refused = await run(['accounts', 'adopt', 'partner:SCIM2', 'taken', strange]);
    assert.equal(refused.code, 1);
    assert.match(refused.err, new RegExp(`account there already \\(id ${own}\\).*left behind.*then retry`));
    fake.users.get(strange)!.userName = 'moved-away';
    await run(['accounts', 'retry', 'partner:SCIM2', 'taken']);
    for (let n = 0; n < 100 && fake.users.get(own)?.userName !== 'taken'; n++) await sleep(100);
    assert.equal(fake.users.get(own)?.userName, 'taken');
  });

  it('say in one line what to do when they cannot', async () => {
    const down = await run(['status'], { PURVEY_URL: 'http://127.0.0.1:9' });
    assert.equal(down.code, 1);
    assert.match(down.err, /^purvey: http:\/\/127\.0\.0\.1:9 does not answer .*purvey serve\n$/);
    const refused = await run(['status'], { PURVEY_TOKEN: 'pv_wrong' });
    assert.equal(refused.code, 1);
    assert.match(refused.err, /^purvey: .* refused the token: check PURVEY_TOKEN.*\n$/);
    const tokenless = await run(['status'], { PURVEY_DATA: join(folder.path, 'nothing') });
    assert.match(tokenless.err, /^purvey: there is no token to sign in with: set PURVEY_TOKEN.*\n$/);
    const unknown = await run(['users', 'show', 'nobody']);
    assert.equal(unknown.code, 1);
    assert.match(unknown.err, /^purvey: there is no user nobody\n$/);
    const other = await run(['status'], { PURVEY_URL: fake.url });
    assert.match(other.err, /check PURVEY_/);
    for (const wrong of [['nonsense'], ['status', '--colour'], ['accounts', 'show'], ['apply'], []]) {
      const usage = await run(wrong);
      assert.equal(usage.code, 2, `purvey ${wrong.join(' ')}: ${usage.err}`);
    }
    assert.equal((await run(['users', 'list', '--limit', '0'])).code, 2);
  });

  it('each have help with an example', async () => {
    const commands = [
      ['serve'],
      ['demo'],
      ['migrate'],
      ['apply'],
      ['export'],
      ...['users', 'groups'].flatMap((kind) => [
        [kind, 'list'],
        [kind, 'show'],
      ]),
      ...['links', 'link', 'unlink'].map((one) => ['users', one]),
      ...['list', 'show', 'test'].map((one) => ['targets', one]),
      ...['list', 'show', 'retry'].map((one) => ['accounts', one]),
      ['sync'],
      ['changes', 'tail'],
      ...['create', 'list', 'revoke'].map((one) => ['tokens', one]),
      ['admin', 'reset-password'],
      ['status'],
    ];
    const helps = await Promise.all(commands.map((command) => run([...command, '--help'])));
    for (const [n, help] of helps.entries()) {
      const name = commands[n]!.join(' ');
      assert.equal(help.code, 0, `${name}: ${help.err}`);
      assert.match(help.out, new RegExp(`Example[^]*purvey ${name}|Example[^]*npm run`), name);
      assert.match(help.out, /--json/, name);
    }
    const whole = await run(['--help']);
    for (const [name] of commands) assert.match(whole.out, new RegExp(`^  ${name}\\b`, 'm'));
  });
});
