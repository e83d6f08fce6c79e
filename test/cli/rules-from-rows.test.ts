// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how the file names variables
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Ended, makeFolder, runPurvey, type Served, serve } from './processes.ts';

const file = `
policies:
  - name: night shift
    rows:
      list:
        - effect: withhold
          operations: [create, change]
          who: [{ about: group, is: one-of, values: ["$\${DAY} shift", "\${GROUP}"] }]
          when: { from: "22:00", to: "06:00", days: [saturday, sunday] }
        - effect: let-through
          who: [{ about: attribute, attribute: title, is: starts-with, values: ["yes"] }]
      otherwise: withhold
`;

describe('policies made from rows, by the command line', () => {
  const folder = makeFolder();
  let served: Served;
  const run = (args: string[], input?: string): Promise<Ended> =>
    runPurvey(args, {
      env: {
        PURVEY_URL: served.url,
        PURVEY_DATA: join(folder.path, 'data'),
        GROUP: 'Night shift',
        PARTNER_SCIM2_ACCESS_TOKEN: 'x',
      },
      ...(input === undefined ? {} : { input }),
    });
  const must = async (args: string[], input?: string) => {
    const ended = await run(args, input);
    assert.equal(ended.code, 0, ended.err);
    return ended.out;
  };
  before(async () => {
    served = await serve(join(folder.path, 'data'));
  });
  after(async () => {
    await served.stop();
    folder.remove();
  });

  it('are applied, and applying again changes nothing', async () => {
    const future = await must(['apply', '--dry-run', '-f', '-'], file);
    assert.match(future, /^policy\tnight shift\twould be created$/m);
    assert.match(future, /^\trows\.list\[0\]\.who\[0\]\.values\[1\]\t-\tNight shift$/m);
    assert.ok(!/RuleId/.test(future), 'the document they make is not said besides');
    assert.match(await must(['apply', '-f', '-'], file), /^policy\tnight shift\tcreated$/m);
    assert.match(await must(['apply', '-f', '-'], file), /^policy\tnight shift\tunchanged$/m);
    const wrong = await run(['apply', '-f', '-'], file.replace('withhold\n          op', 'hold\n          op'));
    assert.match(wrong.err, /policy night shift: rows\.list\[0\]\.effect must be let-through or withhold/);
  });

  it('are shown in words, or as XML', async () => {
    assert.equal(
      await must(['rules', 'show', 'night shift']),
      [
        'The first that applies decides:',
        'Let through every removal.',
        '1. Withhold creations and changes of everybody in ${DAY} shift or Night shift, from 22:00 to 06:00, on Saturdays and Sundays.',
        '2. Let through everybody whose title begins with yes.',
        'Withhold everything else.',
        '',
      ].join('\n'),
    );
    assert.match(await must(['rules', 'show', 'night shift', '--xml']), /^<\?xml [\s\S]*<\/Policy>\n$/);
  });

  it('are exported as rows, and read again the same', async () => {
    const exported = await must(['export']);
    assert.match(exported, /rows:\n +removals: always\n/);
    assert.ok(exported.includes('$${DAY} shift') && !exported.includes('<Policy'));
    assert.match(await must(['apply', '-f', '-'], exported), /^policy\tnight shift\tunchanged$/m);
  });

  it('become text only when that is said', async () => {
    await must(['rules', 'export', folder.path]);
    const path = join(folder.path, 'night shift.xml');
    assert.match(await must(['rules', 'import', path]), /unchanged/);
    writeFileSync(path, readFileSync(path, 'utf8').replace('22:00:00', '23:00:00'));
    const refused = await run(['rules', 'import', path]);
    assert.equal(refused.code, 1);
    assert.match(refused.err, /is made from rows, and they would be gone\. Say --replace-rows/);
    assert.match(await must(['rules', 'import', path, '--replace-rows']), /updated/);
    assert.match(await must(['rules', 'show', 'night shift']), /^<\?xml/);
  });

  it('say where they are about, and who is withheld and why', async () => {
    const narrow = `
identityProviders:
  - name: partner
    connectors:
      - type: SCIM2
        settings: { scim2-authentication-mode: bearer, scim2-access-token: x, scim2-user-ep: "http://127.0.0.1:9/Users" }
policies:
  - name: sales only
    rows:
      description: For the partner
      where: { identityProviders: [partner], serviceProviders: [resident] }
      list: [{ effect: let-through, who: [{ about: group, is: one-of, values: [Sales] }] }]
      otherwise: withhold
`;
    await must(['rules', 'remove', 'night shift']);
    await must(['apply', '-f', '-'], narrow);
    assert.equal(
      await must(['rules', 'show', 'sales only']),
      [
        'For the partner',
        'Only at partner, for resident.',
        'The first that applies decides:',
        'Let through every removal.',
        '1. Let through everybody in Sales.',
        'Withhold everything else.',
        '',
      ].join('\n'),
    );
    assert.match(await must(['apply', '-f', '-'], await must(['export'])), /^policy\tsales only\tunchanged$/m);
    const token = readFileSync(join(folder.path, 'data', 'admin-token'), 'utf8').trim();
    const made = await fetch(`${served.url}/api/users`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ userName: 'ada' }),
    });
    assert.equal(made.status, 201);
    const tried = await run(['rules', 'test', 'ada', 'partner:SCIM2', '--trace']);
    assert.equal(tried.code, 1, tried.err);
    assert.match(tried.out, /^reason\s+denied by policy sales only: Withhold everybody else: not in Sales\.$/m);
    assert.match(tried.out, /^policy sales%20only \(line 2, sales only\): deny/m);
    assert.match(tried.out, /^ {2}rule otherwise \(line \d+\): deny/m);
  });
});
