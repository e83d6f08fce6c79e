import assert from 'node:assert/strict';
import { it } from 'node:test';
import { startProcess } from '../../bench/processes.ts';
import { findDifferences } from '../../src/cli/demo/compare.ts';
import { type Bed, eachDatabase } from '../database.ts';
import { type Json, openScim, openSession } from '../spec/scim/client.ts';
import { startWholeServer, type WholeServer } from '../whole-server.ts';
import { openRandomChanges } from './random-changes.ts';

/** `repeats`: it may hold a member twice. */
type Target = { base: string; token: string; repeats?: true };

async function addTarget(server: WholeServer, { base, token }: Target): Promise<void> {
  await server.api('POST', '/identity-providers', { name: 'partner' });
  await server.api('POST', '/identity-providers/partner/targets', {
    type: 'SCIM2',
    settings: {
      'scim2-authentication-mode': 'bearer',
      'scim2-access-token': token,
      'scim2-user-ep': `${base}/Users`,
      'scim2-group-ep': `${base}/Groups`,
    },
  });
  const bindings = [{ target: 'partner:SCIM2' }];
  await server.api('PUT', '/service-providers/resident/bindings', { bindings });
}

/** Everything at a SCIM service, a page at a time. */
async function readAll({ base, token }: Target, path: string): Promise<Json[]> {
  const all: Json[] = [];
  for (;;) {
    const response = await fetch(`${base}${path}?startIndex=${all.length + 1}&count=100`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const list = (await response.json()) as Json;
    assert.equal(response.status, 200, JSON.stringify(list));
    all.push(...(list.Resources ?? []));
    if (all.length >= list.totalResults || (list.Resources ?? []).length === 0) return all;
  }
}

const readDirectory = async (target: Target) => ({
  users: await readAll(target, '/Users'),
  groups: (await readAll(target, '/Groups')).map(target.repeats ? withoutRepeats : (group) => group),
});

/**
 * Whoever is taken out and put back before a word of it was said is said again as an addition: a settled membership has
 * no row that would know better. By RFC 7644 section 3.5.2.1 that changes nothing; scimmy holds the member twice then.
 */
function withoutRepeats(group: Json): Json {
  const members = new Map((group.members ?? []).map((member: Json) => [member.value, member]));
  return { ...group, members: [...members.values()] };
}

/** Waits until nothing is due; throws when something is given up on, or after a minute. */
async function waitForRest(server: WholeServer): Promise<void> {
  for (const end = Date.now() + 60_000; Date.now() < end; ) {
    const { unplannedChanges, targets } = await server.api('GET', '/status');
    const [target] = targets;
    if (unplannedChanges === 0 && target.pending === 0) {
      assert.equal(target.parked, 0, 'accounts are parked');
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('the target was not brought up to date within a minute');
}

/** Random changes at a new server in three rounds; after each, the target has to be what the server is. */
async function converge(database: Bed, target: Target, seed: number): Promise<void> {
  await using server = await startWholeServer(database);
  await addTarget(server, target);
  const own = { base: `${server.url}/scim2`, token: server.token };
  const changes = openRandomChanges(openScim(openSession(server.peer), '2.0'), seed);
  for (let round = 1; round <= 3; round++) {
    await changes.make(30);
    await waitForRest(server);
    const differences = findDifferences(await readDirectory(own), await readDirectory(target));
    assert.deepEqual(differences, [], `seed ${seed}, round ${round}:\n${changes.story.join('\n')}`);
  }
  const { users, groups } = await readDirectory(own);
  assert.ok(users.length > 2 && groups.length > 0, 'there was next to nothing to compare');
}

eachDatabase('a SCIM 2.0 target agrees with the directory after random changes', (database) => {
  for (const seed of [1, 2]) {
    it(`scimmy-routers, which is none of ours (seed ${seed})`, async () => {
      const scimmy = await startProcess('../test/connectors/fakes/scimmy-server.ts');
      try {
        await converge(database, { base: `${scimmy.url}/scim2`, token: 'scimmy', repeats: true }, seed);
      } finally {
        await scimmy.stop();
      }
    });

    it(`another Purvey (seed ${seed})`, async () => {
      await using partner = await startWholeServer(database);
      await converge(database, { base: `${partner.url}/scim2`, token: partner.token }, seed + 100);
    });
  }
});
