import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decideProvisioning } from '../../src/rules/decide.ts';
import { openZone } from '../../src/rules/zone.ts';
import { accept, broken, document, policy, policyAlgorithm, policySet, rule, ruleAlgorithm } from './xacml-case.ts';

const described = (effect: 'Permit' | 'Deny', says: string, condition = '') =>
  `<Rule RuleId="urn:the-rule" Effect="${effect}"><Description>${says}</Description>${condition}</Rule>`;

function decide(...given: Parameters<typeof accept>) {
  return decideProvisioning(
    accept(...given),
    {
      subject: 'ada',
      attributes: new Map(),
      roles: [],
      serviceProvider: 'resident',
      identityProvider: 'partner',
      connectorType: 'SCIM2',
      operation: 'POST',
      at: 0,
    },
    { zone: openZone('UTC'), trace: true },
  );
}

describe('a reason', () => {
  it('names the policy as people do, and says what the rule does', () => {
    const text = policy(described('Deny', '\n  Interns stay\n  out\n'), { id: 'urn:uuid:1' });
    const { reason, decidedBy, trace } = decide(document(text, 'evaluated', 'no interns'));
    assert.equal(reason, 'denied by policy no interns: Interns stay out');
    assert.deepEqual(decidedBy, {
      policy: 'no interns',
      part: undefined,
      rule: 'urn:the-rule',
      says: 'Interns stay out',
    });
    const [root] = trace!;
    assert.deepEqual([root!.id, root!.name, root!.children[0]!.id], ['urn:uuid:1', 'no interns', 'urn:the-rule']);
  });

  it('names the rule where it has no words, or nothing in them', () => {
    for (const text of [
      rule('Deny', { id: 'r' }),
      '<Rule RuleId="r" Effect="Deny"><Description> </Description></Rule>',
    ]) {
      assert.equal(decide(document(policy(text), 'evaluated', 'one')).reason, 'denied by rule r of policy one');
    }
    const long = decide(document(policy(described('Deny', 'x'.repeat(400))), 'evaluated', 'one')).reason;
    assert.equal(long, `denied by policy one: ${'x'.repeat(300)}…`);
  });

  it('names what stands inside a set besides, and what is referred to by its own name', () => {
    const inner = policy(rule('Deny', { id: 'r' }), { id: 'urn:inner' }).replace(/ xmlns="[^"]*"/, '');
    const set = decide(document(policySet(inner), 'evaluated', 'the set'));
    assert.equal(set.reason, 'denied by rule r of urn:inner in policy the set');
    assert.equal(set.trace![0]!.children[0]!.name, undefined);
    const refers = policySet('<PolicyIdReference>urn:part</PolicyIdReference>');
    const part = policy(described('Deny', 'Nobody'), { id: 'urn:part' });
    for (const documents of [
      [document(refers, 'evaluated', 'whole'), document(part, 'referenced', 'part')],
      [document(part, 'referenced', 'part'), document(refers, 'evaluated', 'whole')],
    ]) {
      assert.equal(decide(...documents).reason, 'denied by policy part: Nobody');
    }
    const open = document(policy(rule('Permit', { id: 'p' }), { id: 'open' }), 'evaluated', 'other');
    assert.equal(decide(open, document(part, 'evaluated', 'mine')).reason, 'denied by policy mine: Nobody');
  });

  it('says so where no rule decided, but how rules are combined', () => {
    const closed = policy(rule('Permit', { condition: broken }), { combining: ruleAlgorithm('deny-unless-permit') });
    const { reason, decidedBy } = decide(document(closed, 'evaluated', 'closed'));
    assert.equal(reason, 'denied by the combining algorithm of policy closed');
    assert.equal(decidedBy?.rule, undefined);
    const two = [policy(rule('Permit')), policy(rule('Permit'))].map((one) => one.replace(/ xmlns="[^"]*"/, ''));
    const set = policySet(two, { combining: policyAlgorithm('only-one-applicable', '1.0') });
    assert.match(
      decide(document(set, 'evaluated', 'one only')).reason,
      /^cannot be decided: .* \(the combining algorithm of policy one only\)$/,
    );
    assert.deepEqual([decide().reason, decide().decidedBy], ['no rule applies', undefined]);
  });

  it('says the same of what cannot be decided', () => {
    const text = policy(described('Permit', 'Whoever divides', `<Condition>${broken}</Condition>`));
    assert.match(
      decide(document(text, 'evaluated', 'sums')).reason,
      /^cannot be decided: .* \(policy sums: Whoever divides\)$/,
    );
  });
});
