import assert from 'node:assert/strict';
import { it } from 'node:test';
import { eachDatabase } from '../database.ts';
import { groupSchemas, openScimBed, userSchemas } from '../doors/scim-bed.ts';

eachDatabase('the groups of a user (RFC 7643 section 4.1.2)', (database) => {
  it('are shown, and asked about, as direct or indirect, also where groups are in each other', async () => {
    await using bed = await openScimBed(await database.open());
    const make = async (path: string, body: object) => {
      const { status, body: made } = await bed.call('POST', path, body);
      assert.equal(status, 201, JSON.stringify(made));
      return made.id as string;
    };
    const user = (userName: string) => make('/Users', { schemas: userSchemas, userName });
    const group = (displayName: string, ...members: string[]) =>
      make('/Groups', { schemas: groupSchemas, displayName, members: members.map((value) => ({ value })) });
    const ada = await user('ada');
    const bob = await user('bob');
    await user('eve');
    const team = await group('Team', ada);
    const unit = await group('Unit', team, bob);
    const whole = await group('Whole', unit, ada);
    const circle = { schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'] };
    const operations = [{ op: 'add', path: 'members', value: [{ value: whole }] }];
    assert.equal((await bed.call('PATCH', `/Groups/${team}`, { ...circle, Operations: operations })).status, 204);

    const shown = async (id: string) => {
      const { groups } = (await bed.call('GET', `/Users/${id}`)).body as { groups: Record<string, string>[] };
      for (const one of groups) assert.equal(one.$ref, `${bed.url}/Groups/${one.value}`);
      return groups.map(({ display, type }) => `${display} ${type}`).toSorted();
    };
    assert.deepEqual(await shown(ada), ['Team direct', 'Unit indirect', 'Whole direct']);
    assert.deepEqual(await shown(bob), ['Team indirect', 'Unit direct', 'Whole indirect']);

    const found = async (filter: string) => {
      const { status, body } = await bed.call('GET', `/Users?filter=${encodeURIComponent(filter)}`);
      assert.equal(status, 200, JSON.stringify(body));
      return body.Resources.map((one: { userName: string }) => one.userName);
    };
    assert.deepEqual(await found(`groups.value eq "${unit}"`), ['ada', 'bob']);
    assert.deepEqual(await found(`groups eq "${unit}"`), ['ada', 'bob']);
    assert.deepEqual(await found(`groups[value eq "${unit}" and type eq "indirect"]`), ['ada']);
    assert.deepEqual(await found(`groups[value eq "${unit}" and type eq "direct"]`), ['bob']);
    assert.deepEqual(await found('groups[display eq "team" and type eq "indirect"]'), ['bob']);
    assert.deepEqual(await found('groups[type eq "indirect"]'), ['ada', 'bob']);
    assert.deepEqual(await found('not (groups pr)'), ['eve']);
    assert.deepEqual(await found(`groups.$ref eq "${bed.url}/Groups/${whole}"`), ['ada', 'bob']);
    assert.deepEqual(await found(`groups.value eq "${unit.toUpperCase()}"`), [], 'ids are case exact');
  });
});
