import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { acceptPolicies } from '../../src/rules/in-force.ts';
import {
  accept,
  anyOf,
  ask,
  broken,
  document,
  giving,
  match,
  policy,
  policyAlgorithm,
  policySet,
  rule,
  ruleAlgorithm,
  target,
} from './xacml-case.ts';

type Kind = keyof typeof giving;
const short: Record<string, string> = {
  permit: 'P',
  deny: 'D',
  'not-applicable': 'N',
  'indeterminate-p': 'IP',
  'indeterminate-d': 'ID',
  'indeterminate-dp': 'IDP',
};

function policies(algorithm: string, kinds: readonly Kind[]): string {
  return short[
    ask(
      policySet(
        kinds.map((kind) => giving[kind]()),
        { combining: algorithm },
      ),
    ).extended
  ]!;
}

/** Rules can give all but IDP. */
function rules(algorithm: string, kinds: readonly Exclude<Kind, 'IDP'>[]): string {
  const made = kinds.map((kind) => {
    if (kind === 'N') return rule('Permit', { target: target(anyOf(match('nobody', 'x'))) });
    return rule(kind === 'P' || kind === 'IP' ? 'Permit' : 'Deny', kind.startsWith('I') ? { condition: broken } : {});
  });
  return short[ask(policy(made, { combining: algorithm })).extended]!;
}

/** The specification's own procedures (appendix C.2 and C.4), written a second time as counting. */
function overrides(kinds: readonly Kind[], wins: 'D' | 'P'): Kind {
  const [I, other, iOther]: [Kind, Kind, Kind] = wins === 'D' ? ['ID', 'P', 'IP'] : ['IP', 'D', 'ID'];
  const has = (kind: Kind) => kinds.includes(kind);
  if (has(wins)) return wins;
  if (has('IDP') || (has(I) && (has(iOther) || has(other)))) return 'IDP';
  if (has(I)) return I;
  if (has(other)) return other;
  return has(iOther) ? iOther : 'N';
}

const kinds = fc.array(fc.constantFrom<Kind>('P', 'D', 'N', 'IP', 'ID', 'IDP'), { maxLength: 5 });
const ruleKinds = fc.array(fc.constantFrom<Exclude<Kind, 'IDP'>>('P', 'D', 'N', 'IP', 'ID'), { maxLength: 5 });
const runs = { numRuns: 150, seed: 6 };

describe('XACML 3.0 appendix C combining algorithms', () => {
  it('C.2, C.3 deny-overrides (property)', () => {
    fc.assert(
      fc.property(kinds, (list) =>
        assert.equal(policies(policyAlgorithm('deny-overrides'), list), overrides(list, 'D')),
      ),
      runs,
    );
    fc.assert(
      fc.property(ruleKinds, (list) =>
        assert.equal(rules(ruleAlgorithm('ordered-deny-overrides'), list), overrides(list, 'D')),
      ),
      runs,
    );
  });

  it('C.4, C.5 permit-overrides (property)', () => {
    fc.assert(
      fc.property(kinds, (list) =>
        assert.equal(policies(policyAlgorithm('ordered-permit-overrides'), list), overrides(list, 'P')),
      ),
      runs,
    );
    fc.assert(
      fc.property(ruleKinds, (list) =>
        assert.equal(rules(ruleAlgorithm('permit-overrides'), list), overrides(list, 'P')),
      ),
      runs,
    );
  });

  it('C.6, C.7 deny-unless-permit, permit-unless-deny (property)', () => {
    fc.assert(
      fc.property(kinds, (list) => {
        assert.equal(policies(policyAlgorithm('deny-unless-permit'), list), list.includes('P') ? 'P' : 'D');
        assert.equal(policies(policyAlgorithm('permit-unless-deny'), list), list.includes('D') ? 'D' : 'P');
      }),
      runs,
    );
    assert.equal(rules(ruleAlgorithm('deny-unless-permit'), ['IP', 'N']), 'D');
    assert.equal(rules(ruleAlgorithm('permit-unless-deny'), ['ID', 'N']), 'P');
  });

  it('C.8 first-applicable (property)', () => {
    fc.assert(
      fc.property(kinds, (list) => {
        assert.equal(
          policies(policyAlgorithm('first-applicable', '1.0'), list),
          list.find((kind) => kind !== 'N') ?? 'N',
        );
      }),
      runs,
    );
    assert.equal(rules(ruleAlgorithm('first-applicable', '1.0'), ['N', 'P', 'D']), 'P');
  });

  it('C.9 only-one-applicable asks targets', () => {
    const algorithm = policyAlgorithm('only-one-applicable', '1.0');
    const no = policy(rule('Permit'), { target: target(anyOf(match('nobody', 'x'))) });
    const failing = policy(rule('Permit'), { target: target(anyOf(match('nobody', 'x', true))) });
    const decide = (...children: string[]) => short[ask(policySet(children, { combining: algorithm })).extended];
    assert.equal(decide(), 'N');
    assert.equal(decide(no, giving.D(), no), 'D');
    assert.equal(decide(no, no), 'N');
    assert.equal(decide(giving.P(), giving.P()), 'IDP');
    assert.equal(decide(failing, giving.P()), 'IDP');
    assert.equal(decide(giving.IP()), 'IP');
  });

  it('C.10 to C.13 the algorithms of XACML 1.x', () => {
    for (const version of ['1.0', '1.1']) {
      const prefix = version === '1.0' ? '' : 'ordered-';
      const ruleDeny = ruleAlgorithm(`${prefix}deny-overrides`, version);
      assert.equal(rules(ruleDeny, ['P', 'D']), 'D');
      assert.equal(rules(ruleDeny, ['P', 'IP']), 'P');
      assert.equal(rules(ruleDeny, ['P', 'ID']), 'IDP');
      assert.equal(rules(ruleDeny, ['ID']), 'ID');
      assert.equal(rules(ruleDeny, ['IP', 'N']), 'IP');
      const rulePermit = ruleAlgorithm(`${prefix}permit-overrides`, version);
      assert.equal(rules(rulePermit, ['D', 'ID']), 'D');
      assert.equal(rules(rulePermit, ['D', 'IP']), 'IDP');
      assert.equal(rules(rulePermit, ['D', 'P']), 'P');
      const policyDeny = policyAlgorithm(`${prefix}deny-overrides`, version);
      assert.equal(policies(policyDeny, ['P', 'IP']), 'D', 'an indeterminate policy denies');
      assert.equal(policies(policyDeny, ['P', 'N']), 'P');
      const policyPermit = policyAlgorithm(`${prefix}permit-overrides`, version);
      assert.equal(policies(policyPermit, ['D', 'IP']), 'D');
      assert.equal(policies(policyPermit, ['N', 'IP']), 'IP');
      assert.equal(policies(policyPermit, ['D', 'P']), 'P');
    }
  });
});

describe('the target index', () => {
  const text = fc.constantFrom('1', '2', '3');
  const name = fc.constantFrom('a', 'b', 'c');
  const matches = fc.record({ name, text, must: fc.boolean() }).map((m) => match(m.name, m.text, m.must));
  const allOf = fc.array(matches, { minLength: 1, maxLength: 2 }).map((list) => list.join(''));
  const oneTarget = fc
    .array(fc.array(allOf, { minLength: 1, maxLength: 2 }), { maxLength: 3 })
    .map((anyOfs) => target(...anyOfs.map((list) => anyOf(...list))));
  const effect = fc.constantFrom('Permit' as const, 'Deny' as const);
  const one = fc.record({ target: oneTarget, effect });
  const subject = fc.dictionary(name, fc.array(text, { minLength: 1, maxLength: 2 }), { noNullPrototype: true });
  const algorithm = fc.constantFrom(
    policyAlgorithm('deny-overrides'),
    policyAlgorithm('permit-overrides'),
    policyAlgorithm('first-applicable', '1.0'),
    policyAlgorithm('only-one-applicable', '1.0'),
    policyAlgorithm('permit-unless-deny'),
  );

  it('never changes a decision (property, against the same policies without it)', () => {
    let decisive = 0;
    fc.assert(
      fc.property(fc.array(one, { minLength: 5, maxLength: 12 }), subject, algorithm, (list, attributes, combining) => {
        // An AnyOf that always holds hides the others from the index: a second match that is no equality of strings.
        const hidden = (t: string) =>
          t
            .replaceAll('function:string-equal"', 'function:string-regexp-match"')
            .replaceAll('#string">', '#string">^')
            .replaceAll('</AttributeValue>', '$</AttributeValue>');
        const indexed = policySet(
          list.map((p) => policy(rule(p.effect), { target: p.target })),
          { combining },
        );
        const plain = policySet(
          list.map((p) => policy(rule(p.effect), { target: hidden(p.target) })),
          { combining },
        );
        const result = ask(indexed, attributes).extended;
        if (result !== 'not-applicable') decisive++;
        assert.equal(result, ask(plain, attributes).extended);
      }),
      { numRuns: 300, seed: 7 },
    );
    assert.ok(decisive > 100);
  });

  it('spares the policies that cannot match', () => {
    const many = Array.from({ length: 2000 }, (_, i) =>
      document(policy(rule('Deny'), { target: target(anyOf(match('all', 'same')), anyOf(match('name', `n${i}`))) })),
    );
    const inForce = accept(...many, policy(rule('Permit'), { target: target(anyOf(match('name', 'me'))) }));
    const result = ask(inForce, { name: ['me'], all: ['same'] }, { trace: true, maxSteps: 50 });
    assert.equal(result.decision, 'Permit');
    assert.equal(result.trace?.[0]?.skipped, 2000);
    assert.equal(ask(inForce, { name: ['n7'], all: ['same'] }).decision, 'Deny');
  });

  it('is built for all documents or for none', () => {
    const accepted = acceptPolicies([
      document(policy(rule('Permit'), { id: 'x' })),
      document('<nonsense/>', 'evaluated', 'bad'),
    ]);
    assert.ok(!accepted.ok);
    assert.deepEqual(
      accepted.faults.map((f) => [f.document, f.line]),
      [['bad', 1]],
    );
  });
});
