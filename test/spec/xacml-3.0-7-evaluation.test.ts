import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { statusCodes } from '../../src/rules/identifiers.ts';
import {
  accept,
  anyOf,
  apply,
  ask,
  broken,
  designator,
  document,
  giving,
  match,
  policy,
  policyAlgorithm,
  policySet,
  refuse,
  rule,
  ruleAlgorithm,
  target,
  value,
} from './xacml-case.ts';

/** A target of matches on `a` (missing attributes fail with `must`). */
const T = { yes: match('a', '1'), no: match('a', '2'), error: match('missing', 'x', true) };

describe('XACML 3.0 7.6, 7.7 targets', () => {
  const decide = (...anyOfs: string[]) =>
    ask(policy(rule('Permit'), { target: target(...anyOfs) }), { a: ['1'] }).extended;

  it('match when each AnyOf has an AllOf whose matches all hold', () => {
    assert.equal(decide(), 'permit');
    assert.equal(decide(anyOf(T.yes)), 'permit');
    assert.equal(decide(anyOf(T.no)), 'not-applicable');
    assert.equal(decide(anyOf(T.no, T.yes)), 'permit');
    assert.equal(decide(anyOf(T.yes + T.no)), 'not-applicable');
    assert.equal(decide(anyOf(T.yes), anyOf(T.no)), 'not-applicable');
  });

  it('are indeterminate only when an error could change the answer', () => {
    assert.equal(decide(anyOf(T.error)), 'indeterminate-p');
    assert.equal(decide(anyOf(T.error, T.yes)), 'permit');
    assert.equal(decide(anyOf(T.error, T.no)), 'indeterminate-p');
    assert.equal(decide(anyOf(T.error + T.no)), 'not-applicable');
    assert.equal(decide(anyOf(T.error), anyOf(T.no)), 'not-applicable');
    assert.equal(decide(anyOf(T.error), anyOf(T.yes)), 'indeterminate-p');
  });

  it('hold for any value of the bag, and for none when it is empty', () => {
    const one = policy(rule('Permit'), { target: target(anyOf(match('a', 'x'))) });
    assert.equal(ask(one, { a: ['y', 'x'] }).decision, 'Permit');
    assert.equal(ask(one, { a: [['integer', '1']] }).decision, 'NotApplicable', 'another type is another attribute');
    assert.equal(ask(one, {}).decision, 'NotApplicable');
  });
});

describe('XACML 3.0 7.11 rules', () => {
  const decide = (effect: 'Permit' | 'Deny', parts: Parameters<typeof rule>[1]) =>
    ask(policy(rule(effect, parts), { combining: ruleAlgorithm('first-applicable', '1.0') }), { a: ['1'] });

  it('give their effect when target and condition hold', () => {
    const yes = value('boolean', 'true');
    assert.equal(decide('Permit', { condition: yes }).extended, 'permit');
    assert.equal(decide('Deny', {}).extended, 'deny');
    assert.equal(decide('Deny', { condition: apply('not', yes) }).extended, 'not-applicable');
    assert.equal(decide('Permit', { target: target(anyOf(T.no)), condition: broken }).extended, 'not-applicable');
    assert.equal(decide('Permit', { condition: broken }).extended, 'indeterminate-p');
    assert.equal(decide('Deny', { target: target(anyOf(T.error)) }).extended, 'indeterminate-d');
  });

  it('say which rule decided, on which line', () => {
    const one = policy(['\n\n', rule('Deny', { id: 'no_one' })], { id: 'closed' });
    assert.deepEqual(ask(one).decider, { rule: 'no_one', policy: 'closed', line: 3 });
  });
});

describe('XACML 3.0 7.14 a policy with an indeterminate target', () => {
  const decide = (child: string) => ask(policySet(child, { target: target(anyOf(T.error)) }), { a: ['1'] }).extended;

  it('weakens what would have been decided (table 7)', () => {
    assert.equal(decide(giving.N()), 'not-applicable');
    assert.equal(decide(giving.P()), 'indeterminate-p');
    assert.equal(decide(giving.D()), 'indeterminate-d');
    assert.equal(decide(giving.IP()), 'indeterminate-p');
    assert.equal(decide(giving.ID()), 'indeterminate-d');
    assert.equal(decide(giving.IDP()), 'indeterminate-dp');
  });

  it('gives the status of its own failure', () => {
    const result = ask(policy(rule('Permit'), { target: target(anyOf(T.error)) }));
    assert.equal(result.failure?.code, statusCodes.missingAttribute);
    assert.deepEqual(result.failure?.missing?.attributeId, 'missing');
  });
});

describe('XACML 3.0 7.8 variables', () => {
  const define = (id: string, expression: string) =>
    `<VariableDefinition VariableId="${id}">${expression}</VariableDefinition>`;
  const use = (id: string) => `<VariableReference VariableId="${id}"/>`;

  it('may be used before and after they are defined, and by one another', () => {
    const variables =
      define('b', apply('and', use('a'), value('boolean', 'true'))) +
      define('a', apply('string-is-in', value('string', '1'), designator('a')));
    const one = policy(rule('Permit', { condition: use('b') }), { variables });
    assert.equal(ask(one, { a: ['1'] }).decision, 'Permit');
    assert.equal(ask(one, { a: ['2'] }).decision, 'NotApplicable');
  });

  it('are evaluated once a decision, however often they are used', () => {
    const doubling = Array.from({ length: 60 }, (_, i) =>
      define(`v${i + 1}`, apply('and', use(`v${i}`), use(`v${i}`))),
    );
    const variables = define('v0', apply('string-is-in', value('string', '1'), designator('a'))) + doubling.join('');
    const result = ask(policy(rule('Permit', { condition: use('v60') }), { variables }), { a: ['1'] });
    assert.equal(result.decision, 'Permit');
  });

  it('are refused when unknown, defined twice or by themselves', () => {
    const wrong = (variables: string) =>
      refuse(policy(rule('Permit', { condition: use('a') }), { variables }))[0]!.reason;
    const yes = value('boolean', 'true');
    assert.match(wrong(define('b', yes)), /variable a is not defined/);
    assert.match(wrong(define('a', yes) + define('a', yes)), /defined twice/);
    assert.match(wrong(define('a', use('b')) + define('b', use('a'))), /defined by itself/);
  });
});

describe('XACML 3.0 7.18 obligations and advice', () => {
  const notice = (kind: 'Obligation' | 'Advice', id: string, on: string, inner = '') =>
    `<${kind}Expressions><${kind}Expression ${kind}Id="${id}" ${kind === 'Obligation' ? 'FulfillOn' : 'AppliesTo'}="${on}">${inner}</${kind}Expression></${kind}Expressions>`;
  const assign = (id: string, expression: string) =>
    `<AttributeAssignmentExpression AttributeId="${id}" Category="urn:c" Issuer="me">${expression}</AttributeAssignmentExpression>`;
  const ids = (result: ReturnType<typeof ask>) => [result.obligations.map((o) => o.id), result.advice.map((a) => a.id)];

  it('go with the decision they are for, from the rule up', () => {
    const inner = policy(
      [
        rule('Permit', { notices: notice('Obligation', 'rule-permit', 'Permit') }),
        rule('Permit', { notices: notice('Obligation', 'rule-deny', 'Deny') }),
      ],
      { notices: notice('Obligation', 'policy-permit', 'Permit') + notice('Advice', 'policy-advice', 'Permit') },
    );
    const outer = policySet(inner, {
      notices: notice('Obligation', 'set-deny', 'Deny') + notice('Advice', 'set-advice', 'Permit'),
    });
    assert.deepEqual(ids(ask(outer)), [
      ['policy-permit', 'rule-permit'],
      ['set-advice', 'policy-advice'],
    ]);
  });

  it('do not come from children that decided otherwise', () => {
    const both = policySet([
      policy(rule('Permit'), { notices: notice('Obligation', 'p', 'Permit') }),
      policy(rule('Deny'), { notices: notice('Obligation', 'd', 'Deny') }),
    ]);
    assert.deepEqual(ids(ask(both)), [['d'], []]);
  });

  it('come from every child that decided alike', () => {
    const both = policySet([
      policy(rule('Permit'), { notices: notice('Obligation', 'p1', 'Permit') }),
      giving.N(),
      policy(rule('Permit'), { notices: notice('Obligation', 'p2', 'Permit') }),
    ]);
    assert.deepEqual(ids(ask(both)), [['p1', 'p2'], []]);
  });

  it('carry one assignment for each value of a bag', () => {
    const one = policy(
      rule('Permit', {
        notices: notice('Obligation', 'o', 'Permit', assign('x', designator('a')) + assign('y', designator('none'))),
      }),
    );
    const [obligation] = ask(one, { a: ['1', '2'] }).obligations;
    assert.deepEqual(
      obligation?.assignments.map((a) => [a.attributeId, a.category, a.issuer, a.value]),
      [
        ['x', 'urn:c', 'me', '1'],
        ['x', 'urn:c', 'me', '2'],
      ],
    );
  });

  it('make indeterminate what they fail in', () => {
    const failing = notice('Advice', 'o', 'Permit', assign('x', designator('a', 'string', { must: true })));
    assert.equal(ask(policy(rule('Permit', { notices: failing }))).extended, 'indeterminate-p');
    assert.equal(ask(policy(rule('Permit'), { notices: failing })).extended, 'indeterminate-p');
    assert.equal(ask(policy(rule('Deny'), { notices: failing })).extended, 'deny');
  });
});

describe('XACML 3.0 5.11 references', () => {
  const reference = (id: string, versions = '', kind = 'Policy') =>
    `<${kind}IdReference ${versions}>${id}</${kind}IdReference>`;
  const effectOf = (...documents: Parameters<typeof accept>) => ask(accept(...documents)).decision;

  it('stand for the policy they name', () => {
    const referenced = document(policy(rule('Deny'), { id: 'p' }), 'referenced');
    assert.equal(effectOf(policySet(reference('p')), referenced), 'Deny');
    const set = document(policySet(reference('p'), { id: 's' }), 'referenced');
    assert.equal(effectOf(policySet(reference('s', '', 'PolicySet')), set, referenced), 'Deny');
  });

  it('take the latest version that fits', () => {
    const versions = ['1.2', '1.10', '2.0', '2.0.1'].map((version) =>
      document(policy(rule('Permit', { id: version }), { id: 'p', version }), 'referenced'),
    );
    const chosen = (attributes: string) =>
      ask(accept(policySet(reference('p', attributes)), ...versions)).decider?.rule;
    assert.equal(chosen(''), '2.0.1');
    assert.equal(chosen('Version="1.2"'), '1.2');
    assert.equal(chosen('Version="1.*"'), '1.10');
    assert.equal(chosen('Version="2.+"'), '2.0.1');
    assert.equal(chosen('Version="2.*"'), '2.0');
    assert.equal(chosen('LatestVersion="1.9"'), '1.2');
    assert.equal(chosen('EarliestVersion="1.3" LatestVersion="1.*"'), '1.10');
    const [fault] = refuse(policySet(reference('p', 'EarliestVersion="3"')), ...versions);
    assert.match(fault!.reason, /no version of the policy p that the reference accepts/);
  });

  it('are refused when they lead nowhere, back to themselves, or to a faulty policy', () => {
    assert.match(refuse(policySet(reference('nothing')))[0]!.reason, /there is no policy nothing/);
    const circle = [
      document(policySet(reference('b', '', 'PolicySet'), { id: 'a' }), 'referenced', 'A'),
      document(policySet(`\n${reference('a', '', 'PolicySet')}`, { id: 'b' }), 'referenced', 'B'),
    ];
    const faults = refuse(...circle);
    assert.deepEqual(
      faults.map((f) => f.document),
      ['A', 'B'],
    );
    assert.match(faults[0]!.reason, /leads back to itself/);
    const faulty = document(policy(rule('Permit', { condition: value('string', 'x') }), { id: 'p' }), 'referenced');
    assert.deepEqual(refuse(policySet(reference('p')), faulty).length, 2);
  });

  it('cannot mean one of two documents of the same id and version', () => {
    const [fault] = refuse(
      document(policy(rule('Permit'), { id: 'p' }), 'evaluated', 'first'),
      document(policy(rule('Deny'), { id: 'p' }), 'evaluated', 'second'),
    );
    assert.deepEqual([fault!.document, fault!.reason], ['second', 'p version 1.0 is already defined by first']);
  });
});

describe('XACML 3.0 7.17 policies that applied', () => {
  it('are listed as they end, whatever they decided', () => {
    const one = policySet(
      [
        policy(rule('Permit'), { id: 'p' }),
        policy(rule('Permit', { condition: broken }), { id: 'i' }),
        policy(rule('Deny', { target: target(anyOf(T.no)) }), { id: 'n' }),
      ],
      { id: 's' },
    );
    assert.deepEqual(
      ask(one).policies?.map((p) => `${p.kind} ${p.id} ${p.version}`),
      ['policy p 1.0', 'policy i 1.0', 'policySet s 1.0'],
    );
  });
});

describe('a set of policies', () => {
  it('without any decides nothing', () => {
    assert.equal(ask(accept()).decision, 'NotApplicable');
  });

  it('is combined by deny-overrides unless told otherwise', () => {
    assert.equal(ask(accept(giving.P(), giving.D())).decision, 'Deny');
    assert.equal(ask(accept(giving.P(), giving.N())).decision, 'Permit');
  });

  it('knows no combining algorithm but those of the standard', () => {
    assert.match(
      refuse(policySet(giving.P(), { combining: 'urn:mine' }))[0]!.reason,
      /policy-combining algorithm urn:mine is not known/,
    );
    assert.match(
      refuse(policy(rule('Permit'), { combining: policyAlgorithm('deny-overrides') }))[0]!.reason,
      /rule-combining/,
    );
  });
});
