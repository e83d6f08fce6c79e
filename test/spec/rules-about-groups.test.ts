import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { decideProvisioning } from '../../src/rules/decide.ts';
import { findRowFaults } from '../../src/rules/rows/check.ts';
import { fillRows } from '../../src/rules/rows/fill.ts';
import { hintAtGroups } from '../../src/rules/rows/groups.ts';
import { readRows } from '../../src/rules/rows/read.ts';
import { someRequest, someRows, zones } from './some-rows.ts';
import { accept } from './xacml-case.ts';

const group = (is: string, ...values: string[]) => ({ about: 'group', is, values });
const kind = (is: string, ...values: string[]) => ({ about: 'kind', is, values });
const attribute = (name: string, is: string, ...values: string[]) => ({
  about: 'attribute',
  attribute: name,
  is,
  values,
});
const hint = (...list: object[]) => hintAtGroups(readRows({ list }));
const hintOfRest = (...list: object[]) => hintAtGroups(readRows({ list, otherwise: 'withhold' }));
const through = 'let-through';

describe('rows that withhold groups without saying so', () => {
  it('are found, and said which', () => {
    const named = (found: ReturnType<typeof hint>) =>
      /alone: (.*) withholds? them, and nothing here says so\.$/.exec(found?.says ?? '')?.[1];
    const rest = '“Withhold everything else”';
    assert.equal(named(hintOfRest({ effect: through, who: [group('one-of', 'Sales')] })), rest);
    assert.equal(named(hintOfRest({ effect: through, who: [attribute('title', 'contains', 'x')] })), rest);
    assert.equal(named(hint({ effect: 'withhold', who: [group('none-of', 'Sales')] })), 'row 1');
    assert.equal(named(hint({ effect: 'withhold', who: [attribute('title', 'none-of', 'x')] })), 'row 1');
    const staff = { effect: through, who: [group('one-of', 'Staff')] };
    const elsewhere = { effect: 'withhold', where: { identityProviders: ['partner'] } };
    assert.equal(named(hint(staff, elsewhere)), 'row 2');
    assert.equal(named(hintOfRest(staff, elsewhere)), `row 2 and ${rest}`);
    assert.equal(named(hintOfRest(staff, { effect: 'withhold' })), 'row 2', 'the rest is never reached');
  });

  it('are none where groups are meant, or not concerned', () => {
    const staff = group('one-of', 'Staff');
    assert.equal(hint({ effect: 'withhold', who: [staff] }), undefined);
    assert.equal(hint({ effect: 'withhold' }), undefined, 'everybody is everybody');
    assert.equal(hintOfRest({ effect: through, who: [kind('one-of', 'user'), staff] }), undefined);
    assert.equal(
      hintOfRest({ effect: through, who: [kind('one-of', 'group')] }, { effect: through, who: [staff] }),
      undefined,
    );
    assert.equal(hint({ effect: through, who: [staff] }), undefined, 'others decide on the rest');
    assert.equal(hint({ effect: 'withhold', who: [kind('none-of', 'group'), group('none-of', 'x')] }), undefined);
    assert.equal(hintOfRest({ effect: through, who: [attribute('displayName', 'one-of', 'x')] }), undefined);
    assert.equal(hint({ effect: 'withhold', operations: ['password'], who: [group('none-of', 'x')] }), undefined);
    assert.equal(hintOfRest({ effect: through, when: { days: ['monday'] } }), undefined);
    assert.equal(hint({ effect: through }, { effect: 'withhold', who: [group('none-of', 'x')] }), undefined);
  });

  it('are mended at once: users stand where they stood, groups are withheld by nothing unsaid', () => {
    let mendedOnes = 0;
    fc.assert(
      fc.property(
        someRows,
        fc.array(someRequest, { minLength: 6, maxLength: 6 }),
        fc.constantFrom(...zones),
        (rows, requests, zone) => {
          const found = hintAtGroups(rows);
          if (!found) return;
          mendedOnes++;
          const { mended } = found;
          assert.deepEqual(readRows(mended), mended);
          assert.deepEqual(findRowFaults(mended), []);
          assert.equal(hintAtGroups(mended), undefined, 'once is enough');
          const [before, after] = [accept(fillRows(rows, 'p')), accept(fillRows(mended, 'p'))];
          for (const request of requests) {
            const asUser = { ...request, attributes: new Map([...kept(request.attributes), ['userName', ['u']]]) };
            const decide = (policies: typeof before) => decideProvisioning(policies, asUser, { zone }).decision;
            assert.equal(decide(after), decide(before));
          }
        },
      ),
      { numRuns: 600 },
    );
    assert.ok(mendedOnes > 20, `only ${mendedOnes} had something to mend`);
  });

  it('let a group through that was withheld by accident', () => {
    const zone = zones[0]!;
    const engineering = {
      subject: 'Engineering',
      attributes: new Map([['displayName', ['Engineering']]]),
      roles: [],
      serviceProvider: 'resident',
      identityProvider: 'partner',
      connectorType: 'SCIM2',
      operation: 'POST',
      at: 0,
    } as const;
    const rows = readRows({ list: [{ effect: through, who: [group('one-of', 'Staff')] }], otherwise: 'withhold' });
    const decide = (some: typeof rows) =>
      decideProvisioning(accept(fillRows(some, 'p')), engineering, { zone }).decision;
    assert.deepEqual([decide(rows), decide(hintAtGroups(rows)!.mended)], ['deny', 'permit']);
  });
});

/** What `someRequest` gives the subject. */
const kept = (attributes: object) => [...(attributes as Map<string, readonly string[]>)];
