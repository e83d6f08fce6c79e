import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { decideProvisioning } from '../../src/rules/decide.ts';
import { environmentCategory as environment } from '../../src/rules/identifiers.ts';
import { acceptPolicies } from '../../src/rules/in-force.ts';
import { type ProvisioningRequest, provisioningNames } from '../../src/rules/provisioning-request.ts';
import { fillRows } from '../../src/rules/rows/fill.ts';
import { readRows } from '../../src/rules/rows/read.ts';
import { fillTemplate } from '../../src/rules/templates/fill.ts';
import { openZone } from '../../src/rules/zone.ts';
import { accept, anyOf, apply, designator, f2, f3, fn, policy, rule, ruleAlgorithm, value } from './xacml-case.ts';

/** Each search ends after this, in milliseconds, however slow the machine. */
const limit = 6_000;
const zone = openZone('Europe/Zurich');
const decisions = ['permit', 'deny', 'not-applicable', 'indeterminate'];

const sample: ProvisioningRequest = {
  subject: 'SALES/ada',
  attributes: new Map([
    ['userName', ['SALES/ada']],
    ['title', ['Countess', '7']],
  ]),
  roles: ['Sales', 'Night shift'],
  serviceProvider: 'resident',
  identityProvider: 'partner',
  connectorType: 'SCIM2',
  operation: 'POST',
  at: Date.UTC(2026, 0, 2, 23),
};

const originals = [
  fillTemplate({ template: 'time-and-role', policyId: 'night', roles: ['Sales'], from: '22:00', to: '06:00' }),
  fillTemplate({
    template: 'claim',
    policyId: 'title',
    claim: 'title',
    values: ['Countess'],
    identityProvider: 'partner',
  }),
  fillRows(
    readRows({
      list: [
        {
          effect: 'withhold',
          who: [{ about: 'attribute', attribute: 'title', is: 'starts-with', values: ['Count', '7'] }],
          when: { days: ['monday', 'friday'], since: '2020-01-01' },
        },
        { effect: 'let-through', operations: ['create'], where: { identityProviders: ['partner'] } },
      ],
      otherwise: 'withhold',
    }),
    'rows',
  ),
  policy(
    rule('Permit', {
      condition: apply(`${f3}any-of`, fn('string-regexp-match'), value('string', '(a|b)*c{2,5}'), designator('x')),
    }),
  ),
];

/** What stands between angle brackets, and what stands between those. */
const tokensOf = (text: string) => text.match(/<[^>]*>|[^<]+/g) ?? [];
const anyText = fc.string({ unit: 'binary', maxLength: 12 });
const bits = fc.constantFrom(
  '<',
  '>',
  '"',
  '&',
  '&amp;',
  '&#0;',
  '&x;',
  '<!DOCTYPE a>',
  ']]>',
  '<!--',
  '<?a?>',
  '\ud800',
  '\0',
  '￿',
  '<Rule>',
  '</Policy>',
);

/** A valid policy with some of it dropped, doubled, put elsewhere or overwritten: by characters, and by whole tags. */
const mutated = fc
  .tuple(
    fc.constantFrom(...originals),
    fc.array(
      fc.record({
        by: fc.constantFrom('character', 'tag'),
        how: fc.constantFrom('drop', 'double', 'move', 'write'),
        at: fc.nat(),
        to: fc.nat(),
        length: fc.integer({ min: 1, max: 6 }),
        text: fc.oneof(bits, anyText),
      }),
      { minLength: 1, maxLength: 4 },
    ),
  )
  .map(([original, steps]) => {
    let text = original;
    for (const { by, how, at, to, length, text: fresh } of steps) {
      const parts = by === 'tag' ? tokensOf(text) : [...text];
      const where = at % (parts.length + 1);
      const cut = how === 'double' ? parts.slice(where, where + length) : parts.splice(where, length);
      const put = how === 'write' ? [fresh] : how === 'drop' ? [] : cut;
      parts.splice(how === 'write' ? where : to % (parts.length + 1), 0, ...put);
      text = parts.join('');
    }
    return text;
  });

describe('rules survive anything', () => {
  const inForce = accept(...originals.slice(0, 2));
  const before = decideProvisioning(inForce, sample, { zone });

  for (const [name, texts, runs] of [
    ['a policy that was damaged', mutated, 2_500],
    [
      'text that is no policy',
      fc.oneof(
        anyText,
        fc.string({ maxLength: 200 }),
        fc.array(bits).map((all) => all.join('')),
      ),
      1_000,
    ],
  ] as const) {
    it(`${name} is accepted, or refused with document, line and reason; what is in force stays`, () => {
      let accepted = 0;
      fc.assert(
        fc.property(texts, (text) => {
          const result = acceptPolicies([{ name: 'the one', text, use: 'evaluated' }]);
          if (result.ok) {
            accepted++;
            assert.ok(decisions.includes(decideProvisioning(result.value, sample, { zone, trace: true }).decision));
          } else {
            assert.ok(result.faults.length > 0);
            const lines = text.split(/\r\n|\r|\n/).length;
            for (const { document, line, reason } of result.faults) {
              assert.equal(document, 'the one');
              assert.ok(Number.isInteger(line) && line >= 1 && line <= lines, `line ${line} of ${lines}`);
              assert.ok(reason.trim() !== '');
            }
          }
        }),
        { numRuns: runs, interruptAfterTimeLimit: limit },
      );
      assert.deepEqual(decideProvisioning(inForce, sample, { zone }), before);
      if (texts === mutated) assert.ok(accepted > 0, 'some damage is harmless');
    });
  }

  // Expressions of the right types, nested, over all a request holds.
  const n = provisioningNames;
  const strings = ['', 'Sales', 'Countess', '7', 'a'.repeat(300), 'é🎈'].map((text) => value('string', text));
  const { truth, text, whole, bag } = fc.letrec<Record<'truth' | 'text' | 'whole' | 'bag', string>>((tie) => {
    const oneOf = (...some: fc.Arbitrary<string>[]) => fc.oneof({ maxDepth: 5, depthSize: 'small' }, ...some);
    const calls = (ids: readonly string[], ...args: fc.Arbitrary<string>[]) =>
      fc.tuple(fc.constantFrom(...ids), ...args).map(([id, ...rest]) => apply(id, ...rest));
    const dates = fc.constantFrom(
      apply(
        'date-one-and-only',
        designator('urn:oasis:names:tc:xacml:1.0:environment:current-date', 'date', { category: environment }),
      ),
      value('date', '2026-01-03'),
    );
    return {
      truth: oneOf(
        fc.constantFrom(value('boolean', 'true'), value('boolean', 'false')),
        calls(['and', 'or'], tie('truth'), tie('truth')),
        calls(['not'], tie('truth')),
        calls(['n-of'], tie('whole'), tie('truth'), tie('truth')),
        calls(
          [
            'string-equal',
            `${f3}string-starts-with`,
            `${f3}string-contains`,
            'string-greater-than',
            'string-regexp-match',
          ],
          tie('text'),
          tie('text'),
        ),
        calls(['integer-equal', 'integer-less-than'], tie('whole'), tie('whole')),
        calls(['string-is-in'], tie('text'), tie('bag')),
        calls(['string-subset', 'string-at-least-one-member-of', 'string-set-equals'], tie('bag'), tie('bag')),
        calls(
          [`${f3}any-of`, `${f3}all-of`],
          fc.constantFrom(fn('string-equal'), fn(`${f3}string-contains`)),
          tie('text'),
          tie('bag'),
        ),
        calls([`${f3}any-of-any`, 'all-of-all'], fc.constantFrom(fn('string-equal')), tie('bag'), tie('bag')),
        calls(['date-less-than', 'date-equal'], dates, dates),
      ),
      text: oneOf(
        fc.constantFrom(...strings),
        calls(['string-one-and-only'], tie('bag')),
        calls(['string-normalize-space', 'string-normalize-to-lower-case'], tie('text')),
        calls([`${f2}string-concatenate`], tie('text'), tie('text')),
        calls([`${f3}string-substring`], tie('text'), tie('whole'), tie('whole')),
        calls([`${f3}string-from-integer`], tie('whole')),
        calls([`${f3}string-from-date`], dates),
      ),
      whole: oneOf(
        fc.constantFrom('0', '1', '7', '-3').map((digits) => value('integer', digits)),
        calls(
          ['integer-add', 'integer-multiply', 'integer-subtract', 'integer-divide', 'integer-mod'],
          tie('whole'),
          tie('whole'),
        ),
        calls(['string-bag-size'], tie('bag')),
        calls([`${f3}integer-from-string`], tie('text')),
      ),
      bag: oneOf(
        fc
          .constantFrom('title', 'userName', 'none')
          .map((id) => designator(id, 'string', { category: n.userCategory })),
        fc.constantFrom(designator(n.claimGroup, 'string', { category: n.provisioningCategory, must: true })),
        calls(['string-bag'], tie('text'), tie('text')),
        calls(['string-union', 'string-intersection'], tie('bag'), tie('bag')),
        calls([`${f3}map`], fc.constantFrom(fn('string-normalize-space')), tie('bag')),
      ),
    };
  });
  const requests = fc.record({
    subject: fc.constantFrom('ada', 'SALES/ada'),
    attributes: fc
      .array(fc.tuple(fc.constantFrom('userName', 'title'), fc.array(anyText, { maxLength: 4 })))
      .map((entries) => new Map(entries)),
    roles: fc.array(anyText, { maxLength: 5 }),
    serviceProvider: anyText,
    identityProvider: anyText,
    connectorType: anyText,
    operation: fc.constantFrom('POST' as const, 'PUT' as const, 'PATCH' as const, 'DELETE' as const),
    at: fc.integer({ min: -8e14, max: 8e14 }),
  });
  const matches = fc.constantFrom(
    '',
    `<Target>${anyOf(`<Match MatchId="urn:oasis:names:tc:xacml:1.0:function:string-equal">${value('string', 'POST')}${designator(n.operation, 'string', { category: n.provisioningCategory })}</Match>`)}</Target>`,
  );
  const algorithms = [
    'deny-overrides',
    'permit-overrides',
    'deny-unless-permit',
    'permit-unless-deny',
    'ordered-deny-overrides',
  ];
  const policies = fc
    .record({
      rules: fc.array(fc.tuple(fc.constantFrom('Permit' as const, 'Deny' as const), matches, truth), {
        minLength: 1,
        maxLength: 4,
      }),
      combining: fc.constantFrom(
        ...algorithms.map((name) => ruleAlgorithm(name)),
        ruleAlgorithm('first-applicable', '1.0'),
      ),
      variable: fc.oneof(text, whole, bag),
    })
    .map(({ rules, combining, variable }) =>
      policy(
        rules.map(([effect, target, condition]) => rule(effect, { ...(target ? { target } : {}), condition })),
        { combining, variables: `<VariableDefinition VariableId="v">${variable}</VariableDefinition>` },
      ),
    );

  it('a policy of the right types decides every request, in bounded time, the same with and without a trace', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(policies, fc.array(requests, { minLength: 1, maxLength: 3 }), (document, some) => {
        const accepted = acceptPolicies([{ name: 'the one', text: document, use: 'evaluated' }]);
        // Bounds of a substring that can be seen to be wrong are refused.
        if (!accepted.ok) return assert.match(accepted.faults[0]!.reason, /string-substring/);
        const compiled = accepted.value;
        for (const request of some) {
          const started = performance.now();
          const told = decideProvisioning(compiled, request, { zone });
          assert.ok(performance.now() - started < 3_000, 'it took too long');
          assert.ok(decisions.includes(told.decision));
          assert.doesNotMatch(told.reason, /broke off/);
          const { trace, ...traced } = decideProvisioning(compiled, request, { zone, trace: true });
          assert.deepEqual({ ...traced, trace: undefined }, told);
          assert.ok(trace!.length > 0);
          seen.add(told.decision);
        }
      }),
      { numRuns: 1_500, interruptAfterTimeLimit: limit },
    );
    assert.ok(seen.has('permit') && seen.has('deny') && seen.has('indeterminate'), [...seen].join());
  });
});
