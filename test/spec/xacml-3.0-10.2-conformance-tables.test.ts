import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findCombining } from '../../src/rules/combine.ts';
import { findDataType } from '../../src/rules/datatypes/table.ts';
import { findFunction } from '../../src/rules/functions/table.ts';
import { f1, f2, f3, policyAlgorithm, ruleAlgorithm } from './xacml-case.ts';

const words = (text: string) => text.trim().split(/\s+/);
const schemaTypes = words('string boolean integer double time date dateTime anyURI hexBinary base64Binary');
const durations = words('dayTimeDuration yearMonthDuration');
const names = words('x500Name rfc822Name');
const network = words('ipAddress dnsName');

describe('XACML 3.0 10.2 what an implementation must have', () => {
  it('10.2.7 data types', () => {
    for (const name of [...schemaTypes, ...durations])
      assert.ok(findDataType(`http://www.w3.org/2001/XMLSchema#${name}`), name);
    for (const name of names) assert.ok(findDataType(`urn:oasis:names:tc:xacml:1.0:data-type:${name}`), name);
    for (const name of network) assert.ok(findDataType(`urn:oasis:names:tc:xacml:2.0:data-type:${name}`), name);
  });

  it('10.2.8 functions', () => {
    const ordered = words('greater-than greater-than-or-equal less-than less-than-or-equal');
    const bags = words('one-and-only bag-size bag');
    const sets = words('is-in intersection at-least-one-member-of union subset set-equals');
    const each = (prefix: string, types: string[], suffixes: string[]) =>
      types.flatMap((type) => suffixes.map((suffix) => `${prefix}${type}-${suffix}`));
    const required = [
      ...each(f1, [...schemaTypes, ...names], ['equal', ...bags, ...sets]),
      ...each(f3, durations, ['equal', ...bags, ...sets]),
      ...each(f2, network, bags),
      ...each(f1, words('integer double string time date dateTime'), ordered),
      ...each(f1, words('integer double'), words('add subtract multiply divide abs')),
      ...words('integer-mod round floor double-to-integer integer-to-double').map((name) => f1 + name),
      ...words('string-normalize-space string-normalize-to-lower-case or and n-of not').map((name) => f1 + name),
      ...words('all-of-any any-of-all all-of-all x500Name-match rfc822Name-match string-regexp-match').map(
        (name) => f1 + name,
      ),
      ...each(f2, words('anyURI ipAddress dnsName rfc822Name x500Name'), ['regexp-match']),
      ...words('time-in-range string-concatenate').map((name) => f2 + name),
      ...words('string-equal-ignore-case any-of all-of any-of-any map').map((name) => f3 + name),
      ...each(f3, words('string anyURI'), words('starts-with ends-with contains substring')),
      ...each(
        f3,
        ['dateTime'],
        words('add-dayTimeDuration add-yearMonthDuration subtract-dayTimeDuration subtract-yearMonthDuration'),
      ),
      ...each(f3, ['date'], words('add-yearMonthDuration subtract-yearMonthDuration')),
      ...[...words('boolean integer double time date dateTime anyURI'), ...durations, ...names, ...network].flatMap(
        (type) => [`${f3}${type}-from-string`, `${f3}string-from-${type}`],
      ),
    ];
    assert.deepEqual(
      required.filter((id) => findFunction(id) === undefined),
      [],
    );
    assert.equal(new Set(required).size, required.length);
    assert.ok(required.length > 240, String(required.length));
    for (const name of words('xpath-node-count xpath-node-equal xpath-node-match'))
      assert.ok(findFunction(f3 + name), name);
  });

  it('10.2.4 combining algorithms', () => {
    const both = words(
      'deny-overrides permit-overrides ordered-deny-overrides ordered-permit-overrides deny-unless-permit permit-unless-deny',
    );
    for (const name of both) {
      assert.ok(findCombining('rule', ruleAlgorithm(name)), name);
      assert.ok(findCombining('policy', policyAlgorithm(name)), name);
    }
    assert.ok(findCombining('rule', ruleAlgorithm('first-applicable', '1.0')));
    assert.ok(findCombining('policy', policyAlgorithm('first-applicable', '1.0')));
    assert.ok(findCombining('policy', policyAlgorithm('only-one-applicable', '1.0')));
    assert.equal(findCombining('rule', ruleAlgorithm('only-one-applicable', '1.0')), undefined);
  });
});
