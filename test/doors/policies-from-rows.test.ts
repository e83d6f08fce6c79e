import assert from 'node:assert/strict';
import { before, it } from 'node:test';
import { createUser } from '../../src/directory/users.ts';
import { readResource } from '../../src/protocol/scim/resource.ts';
import { coreUserUrn, userType } from '../../src/protocol/scim/schema.ts';
import { fillTemplate } from '../../src/rules/templates/fill.ts';
import { eachDatabase } from '../database.ts';
import { type AdminBed, openAdminBed, settings } from './admin-bed.ts';

const withhold = (...values: string[]) => ({
  list: [{ effect: 'withhold', who: [{ about: 'attribute', attribute: 'title', is: 'one-of', values }] }],
});
const text = fillTemplate({ template: 'role', policyId: 'text', roles: ['x'] });

eachDatabase('policies made from rows', (bed) => {
  let api: AdminBed;
  before(async () => {
    api = await openAdminBed(bed);
    await api.call('POST', '/identity-providers', { name: 'partner' });
    await api.call('POST', '/identity-providers/partner/targets', { type: 'SCIM2', settings: settings() });
    const origin = { spId: api.residentId, door: 'api', actor: 'test' } as const;
    const ada = readResource(userType, { schemas: [coreUserUrn], userName: 'ada', title: 'Sales' });
    await api.store.write((tx) => createUser(tx, ada, { origin }));
  });
  const tried = async (more: Record<string, unknown> = {}) =>
    (await api.call('POST', '/policies/try', { subject: 'ada', target: 'partner:SCIM2', ...more })).body;

  it('keep their rows, and decide by them', async () => {
    const made = await api.call('POST', '/policies', { name: 'no sales', rows: withhold('Sales') });
    assert.equal(made.status, 201, made.text);
    assert.deepEqual(made.body.rows, { removals: 'always', ...withhold('Sales'), otherwise: 'nothing' });
    assert.deepEqual(made.body.says, ['Withhold everybody whose title is Sales.']);
    const { action, reason } = await tried();
    assert.deepEqual(
      [action, reason],
      ['withhold', 'denied by policy no sales: Withhold everybody whose title is Sales.'],
    );
    assert.equal((await tried({ operation: 'DELETE' })).action, 'let-through');
    const again = await api.call('PATCH', '/policies/no%20sales', {
      rows: { ...withhold('Sales'), otherwise: 'nothing' },
    });
    assert.deepEqual([again.change, again.body.version], ['unchanged', 1]);
    const back = await api.call('PATCH', '/policies/no%20sales', { document: made.body.document });
    assert.deepEqual([back.change, back.body.rows !== null], ['unchanged', true], 'its own document leaves the rows');
  });

  it('are changed in part, renamed and moved, and stay rows', async () => {
    const stricter = await api.call('PATCH', '/policies/no%20sales', { rows: { otherwise: 'withhold' } });
    assert.equal(stricter.body.rows.otherwise, 'withhold');
    assert.match(stricter.body.document, /RuleId="otherwise"/);
    const moved = await api.call('PATCH', '/policies/no%20sales', { name: 'board', position: 7, enabled: false });
    assert.match(moved.body.document, /PolicyId="board"/);
    assert.deepEqual([moved.body.rows.list.length, moved.body.position], [1, 7]);
    const narrow = { where: { identityProviders: ['other'], serviceProviders: ['resident'] }, description: 'It' };
    await api.call('PATCH', '/policies/board', { rows: narrow });
    const wider = await api.call('PATCH', '/policies/board', { rows: { where: { serviceProviders: null } } });
    assert.deepEqual([wider.body.rows.where, wider.body.rows.description], [{ identityProviders: ['other'] }, 'It']);
    assert.match(wider.body.document, /<Description>It</);
    const whole = await api.call('PATCH', '/policies/board', { rows: { where: null, description: null } });
    assert.deepEqual([whole.body.rows.where, whole.body.rows.description], [undefined, undefined]);
    await api.call('PATCH', '/policies/board', { enabled: true, rows: withhold('Board') });
    assert.match((await tried()).reason, /denied by policy board: Withhold everything else/);
  });

  it('are tried before they are saved', async () => {
    const draft = { name: 'board', rows: withhold('Sales', 'Board') };
    assert.match((await tried({ draft })).reason, /denied by policy board: .* is Sales or Board/);
    const filled = await api.call('POST', '/policy-rows/fill', draft);
    assert.deepEqual(filled.body.says, ['Withhold everybody whose title is Sales or Board.']);
    assert.match(filled.body.document, /RuleId="row_1"/);
    const half = await api.call('POST', '/policy-rows/fill', { name: 'board', rows: withhold() });
    assert.deepEqual(half.body, {
      says: ['Withhold everybody whose title is …'],
      faults: [{ field: 'rows.list[0].who[0].values', reason: 'Give at least one value.' }],
      document: null,
      hint: null,
    });
  });

  it('are hinted at where they withhold groups unsaid, and mended as it says', async () => {
    const who = [{ about: 'group', is: 'one-of', values: ['Staff'] }];
    const rows = { list: [{ effect: 'let-through', who }], otherwise: 'withhold' };
    const { hint } = (await api.call('POST', '/policy-rows/fill', { name: 'x', rows })).body;
    assert.match(hint.says, /^Groups themselves are asked about too/);
    const mended = await api.call('POST', '/policy-rows/fill', { name: 'x', rows: hint.rows });
    assert.deepEqual(
      [mended.body.hint, mended.body.says],
      [null, ['Let through everybody in Staff.', 'Let through everybody who is a group.']],
    );
  });

  it('come of templates where rows can say it, and are about what the form names', async () => {
    const form = { template: 'role', policyId: 'staff', roles: ['Staff'], identityProvider: 'partner' };
    const filled = (await api.call('POST', '/policy-templates/fill', form)).body;
    assert.deepEqual(filled.rows.where, { identityProviders: ['partner'] });
    const draft = { name: 'board', rows: filled.rows };
    const { reason, decidedBy } = await tried({ draft });
    assert.match(reason, /^denied by policy board: Withhold everybody else: not in Staff\.$/);
    assert.deepEqual(decidedBy, {
      policy: 'board',
      part: null,
      rule: 'otherwise',
      says: 'Withhold everybody else: not in Staff.',
    });
    const zoned = { template: 'time', policyId: 'x', from: '09:00:00+02:00', to: '17:00' };
    assert.equal((await api.call('POST', '/policy-templates/fill', zoned)).body.rows, null);
  });

  it('become text when they are given another document, or away, and every version keeps what it was', async () => {
    const asText = await api.call('PATCH', '/policies/board', { rows: null });
    assert.deepEqual([asText.change, asText.body.rows, asText.body.says], ['updated', null, null]);
    assert.match(asText.body.document, /RuleId="row_1"/);
    await api.call('PATCH', '/policies/board', { rows: withhold('Board') });
    const other = await api.call('PATCH', '/policies/board', { document: text });
    assert.deepEqual([other.body.rows, other.body.document], [null, text]);
    const whole = await api.call('PUT', '/policies/board', { name: 'board', rows: withhold('Nobody') });
    assert.deepEqual(whole.body.says, ['Withhold everybody whose title is Nobody.']);
    const { items } = (await api.call('GET', '/policies/board/versions')).body;
    const kinds = items.map((one: { rows: object | null }) => (one.rows ? 'rows' : 'text'));
    assert.deepEqual(kinds.slice(0, 4), ['rows', 'text', 'rows', 'text']);
    assert.equal(kinds.at(-1), 'rows');
    assert.deepEqual(items.at(-1).rows.list, withhold('Sales').list);
  });

  it('are refused with their field, and what is in force stays', async () => {
    const refusals: [Record<string, unknown>, string, RegExp][] = [
      [{ rows: withhold() }, 'rows.list[0].who[0].values', /at least one/],
      [{ rows: { list: [{ effect: 'maybe' }] } }, 'rows.list[0].effect', /let-through or withhold/],
      [{ rows: withhold('x'), document: text }, 'rows', /not both/],
      [{ rows: 'all' }, 'rows', /object/],
      [{ rows: null }, 'document', /must be a policy/],
    ];
    for (const [content, field, why] of refusals) {
      const answer = await api.call('POST', '/policies', { name: 'x', ...content });
      assert.deepEqual([answer.status, answer.body.field], [400, field], answer.text);
      assert.match(answer.body.detail, why);
      const draft = await api.call('POST', '/policies/try', {
        subject: 'ada',
        target: 'partner:SCIM2',
        draft: { name: 'x', ...content },
      });
      assert.deepEqual([draft.status, draft.body.field], [400, field], draft.text);
    }
    assert.equal((await api.call('GET', '/policies')).body.items.length, 1);
    await api.call('DELETE', '/policies/board');
  });
});
