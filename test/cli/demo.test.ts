import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { planChanges } from '../../src/cli/demo/changes.ts';
import { compareDirectories } from '../../src/cli/demo/compare.ts';
import { readCompany } from '../../src/cli/demo/people.ts';
import { defaultPorts } from '../../src/cli/demo/run.ts';
import { openScim } from '../../src/cli/demo/scim.ts';
import { isAlive, openDemoBed, type Summary, waitUntil } from './demo-process.ts';

const people = 60;
const { leavers } = planChanges(readCompany(people));
const expected = {
  users: people - leavers.length,
  groups: 40,
  accounts: people - leavers.length + 40,
  done: people - leavers.length + 40,
  pending: 0,
  parked: 0,
  differences: 0,
};

/** A demo of another test may have the port for a while, and would give it back at the wrong moment. */
async function occupy(port: number): Promise<Server> {
  for (let left = 600; ; left--) {
    const server = createServer();
    try {
      await once(server.listen(port, '127.0.0.1'), 'listening');
      return server;
    } catch (error) {
      if (left === 0) throw error;
      await sleep(100);
    }
  }
}

describe('the demo', () => {
  test('--once --json prints one line, both agree, and nothing is left running; a port that is taken is left alone', async () => {
    using bed = openDemoBed();
    const occupant = await occupy(defaultPorts.acme);
    const demo = bed.run('--once', '--people', String(people));
    const { code, stdout, stderr } = await demo.ended;
    occupant.close();
    assert.equal(code, 0, stderr);
    assert.equal(stderr, '');
    const { ports } = JSON.parse(readFileSync(join(bed.folder, 'demo.json'), 'utf8'));
    assert.notEqual(ports.acme, defaultPorts.acme);
    assert.equal(stdout.split('\n').length, 2, 'one line');
    const { seconds, ...counts } = JSON.parse(stdout) as Summary;
    assert.deepEqual(counts, expected);
    assert.ok(seconds > 0);
    assert.equal(bed.serverPids().length, 2);
    assert.deepEqual(bed.serverPids().filter(isAlive), []);
    const subjects = { 'user live': expected.users, 'user gone': leavers.length, 'group live': 40 };
    assert.deepEqual(bed.countSubjects('acme'), subjects);
    assert.deepEqual(bed.countSubjects('partner'), subjects);
  });

  test('the comparison finds what is planted, a second demo does not touch the data, Ctrl-C ends all', async () => {
    using bed = openDemoBed();
    const demo = bed.run('--people', '30');
    const { differences } = JSON.parse(await demo.firstLine()) as Summary;
    assert.equal(differences, 0);

    const open = (name: 'acme' | 'partner') => {
      const { ports } = JSON.parse(readFileSync(join(bed.folder, 'demo.json'), 'utf8'));
      const token = readFileSync(join(bed.folder, name, 'admin-token'), 'utf8').trim();
      return openScim(`http://127.0.0.1:${ports[name]}`, token, new AbortController().signal);
    };
    const [acme, partner] = [open('acme'), open('partner')];
    assert.deepEqual(await compareDirectories(acme, partner), []);

    const users = await partner.list('Users');
    const groups = await partner.list('Groups');
    const [a, b, c] = users.filter((user) => !groups.some((group) => isMember(group, user)));
    const outsiders = [a, b, c].filter((user) => user !== undefined);
    const [edited, removed, managed] = [...outsiders, ...users.filter((user) => !outsiders.includes(user))];
    const group = groups.find((each) => isMember(each, users[0]!))!;
    await partner.patch('Users', edited!.id, [{ op: 'replace', path: 'title', value: 'Planted' }]);
    await partner.patch('Users', managed!.id, [
      {
        op: 'replace',
        path: 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager',
        value: { value: managed!.id },
      },
    ]);
    await partner.patch('Groups', group.id, [{ op: 'remove', path: `members[value eq "${users[0]!.id}"]` }]);
    await partner.create('Users', { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: 'stranger' });
    const found = await compareDirectories(acme, partner);
    const told = found.map(({ kind, name, what }) => `${kind} ${name} ${what.split(' ')[0]}`).sort();
    assert.deepEqual(
      told,
      [
        `user ${edited!.userName} title`,
        `user ${managed!.userName} manager`,
        `group ${group.displayName} members`,
        'user stranger is',
      ].sort(),
    );
    await partner.remove('Users', removed!.id);
    const missing = await compareDirectories(acme, partner);
    assert.ok(missing.some(({ name, what }) => name === removed!.userName && what === 'is not at Partner'));

    const second = await bed.run('--once', '--people', '30').ended;
    assert.equal(second.code, 1);
    assert.match(second.stderr, /is in use by another Purvey \(process \d+\): stop that one first/);
    assert.equal((await partner.list('Users')).length, users.length, 'the first one still has its data');

    const pids = bed.serverPids();
    assert.deepEqual(pids.map(isAlive), [true, true]);
    demo.child.kill('SIGINT');
    const { code, stdout } = await demo.ended;
    assert.equal(code, 0);
    assert.equal(stdout.split('\n').length, 2, 'still one line');
    assert.deepEqual(pids.map(isAlive), [false, false]);
  });

  test('a server that dies ends the demo with an error that names it', async () => {
    using bed = openDemoBed();
    const demo = bed.run('--once', '--people', '200');
    await waitUntil('people are loaded', () => bed.stage() === 'loading');
    const [acme, partner] = bed.serverPids() as [number, number];
    process.kill(acme, 'SIGKILL');
    const { code, stdout, stderr } = await demo.ended;
    assert.equal(code, 1);
    assert.equal(stdout, '');
    assert.match(stderr, /purvey: the server Acme ended by itself: .*purvey\.log may say why/);
    assert.equal(isAlive(partner), false);
  });

  test('Ctrl-C while people are loaded ends everything and says how to go on', async () => {
    using bed = openDemoBed();
    const demo = bed.run('--once', '--people', String(people));
    await waitUntil('people are loaded', () => bed.stage() === 'loading');
    const pids = bed.serverPids();
    // As npm does it: the terminal's own, and once more from npm.
    demo.child.kill('SIGINT');
    demo.child.kill('SIGINT');
    const { code, stdout, stderr } = await demo.ended;
    assert.equal(code, 130);
    assert.equal(stdout, '');
    assert.match(stderr, /^interrupted; this goes on from here:\n {2}npx purvey demo --resume .*--data '.*'\n$/);
    assert.deepEqual(pids.map(isAlive), [false, false]);
    const resumed = await bed.run('--resume', '--once').ended;
    assert.equal(resumed.code, 0, resumed.stderr);
    const { seconds: _, ...counts } = JSON.parse(resumed.stdout) as Summary;
    assert.deepEqual(counts, expected);
  });

  test('options that cannot be used are refused before anything starts', async () => {
    using bed = openDemoBed();
    const few = await bed.run('--once', '--people', '3').ended;
    assert.notEqual(few.code, 0);
    assert.match(few.stderr, /--people/);
    const strange = await bed.run('--onec').ended;
    assert.equal(strange.code, 2);
    const many = await bed.run('--once', '--people', '1001').ended;
    assert.equal(many.code, 1);
    assert.match(many.stderr, /--people must be at most 1000/);
    assert.deepEqual(bed.serverPids(), []);
  });
});

function isMember(group: { [attribute: string]: unknown }, user: { id: string }): boolean {
  return ((group.members ?? []) as { value: string }[]).some((member) => member.value === user.id);
}
