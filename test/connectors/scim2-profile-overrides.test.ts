import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { scim2 } from '../../src/connectors/scim2/connector.ts';
import { lineKinds, lineNames, readRate } from '../../src/connectors/scim2/lines.ts';
import { strict } from '../../src/connectors/scim2/profiles/strict.ts';
import { findProfile, profileFiles } from '../../src/connectors/scim2/profiles.ts';
import { readProfile } from '../../src/connectors/scim2/settings.ts';

const base = {
  'scim2-username': 'purvey',
  'scim2-password': 'a-password',
  'scim2-user-ep': 'https://partner.example/scim2/Users',
};
const settings = (profile: string, overrides: string) => ({
  ...base,
  'scim2-target-profile': profile,
  'scim2-profile-overrides': overrides,
});
const faultsOf = (overrides: string) =>
  scim2.checkSettings(settings('aws', overrides)).map(({ key, message }) => {
    assert.equal(key, 'scim2-profile-overrides');
    return message;
  });

test('every profile has each line in the form that an override would need, and says where each comes from', () => {
  for (const { name, lines } of profileFiles) {
    for (const [line, { value, source }] of Object.entries(lines)) {
      assert.ok(source.length > 2, `${name}: ${line} has no source`);
      const kind = lineKinds[line as keyof typeof lineKinds];
      assert.ok(kind, `${name}: there is no line ${line}`);
      const plain: unknown = JSON.parse(JSON.stringify(value, (key, each) => (key === 'source' ? undefined : each)));
      assert.deepEqual(kind.read(plain), { value: plain }, `${name}: ${line}`);
      if (line !== 'userValues' && line !== 'groupValues') continue;
      for (const [path, rule] of Object.entries(value as Record<string, { source: string }>)) {
        assert.ok(rule.source.length > 2, `${name}: ${line} of ${path} has no source`);
      }
    }
  }
  assert.deepEqual(Object.keys(strict.lines).sort(), [...lineNames].sort(), 'the strict profile has every line');
});

test('without the settings it is the strict profile, whose policy defaults are the engine’s own', () => {
  assert.deepEqual(scim2.checkSettings(base), []);
  assert.deepEqual(readProfile(base), findProfile('strict'));
  assert.deepEqual(scim2.policyDefaults?.(base), { deprovision: 'delete', nestedGroups: 'native' });
});

test('a profile gives the policy its rate and its way of taking people out', () => {
  assert.deepEqual(scim2.policyDefaults?.(settings('github', '')), {
    deprovision: 'disable',
    nestedGroups: 'flatten',
    requestsPerSecond: 1_000 / 3_600,
  });
  const over = scim2.policyDefaults?.(settings('github', 'rate: 600/min\ndeprovision: keep'));
  assert.deepEqual(over, { deprovision: 'keep', nestedGroups: 'flatten', requestsPerSecond: 10 });
  assert.deepEqual(scim2.policyDefaults?.(settings('github', 'rate: none')), {
    deprovision: 'disable',
    nestedGroups: 'flatten',
  });
});

test('any line can be overridden, in YAML or JSON; rules for values go attribute by attribute', () => {
  const yaml = `
    # what our account manager allowed
    membersPerRequest: 50
    userAttributes: all
    userValues:
      externalId: null
      userName: { longest: 64 }
  `;
  assert.deepEqual(faultsOf(yaml), []);
  const read = readProfile(settings('aws', yaml));
  const aws = findProfile('aws');
  assert.deepEqual([read.membersPerRequest, read.userAttributes], [50, 'all']);
  assert.deepEqual(read.userValues.userName, { longest: 64, source: 'the Profile Overrides of this target' });
  assert.ok(!('externalId' in read.userValues));
  assert.deepEqual(read.userValues.displayName, aws.userValues.displayName);
  assert.equal(read.memberRemoval, aws.memberRemoval);
  assert.equal(readProfile(settings('aws', '{"membersPerRequest": 7}')).membersPerRequest, 7);
  for (const name of lineNames) {
    const plain = JSON.stringify({ [name]: strict.lines[name].value });
    assert.deepEqual(faultsOf(plain), [], plain);
    assert.deepEqual(readProfile(settings('strict', plain)), findProfile('strict'));
  }
});

test('a bad override is refused with its line, what it must be and what it was', () => {
  const cases: [string, RegExp][] = [
    [
      'membersPerRequest: many',
      /^Profile Overrides line membersPerRequest must be a whole number from 1 to 10000, not "many"$/,
    ],
    ['membersPerRequest: 0', /line membersPerRequest must be .*, not 0$/],
    ['updateUsers: post', /line updateUsers must be one of discovered, patch, put, not "post"/],
    ['passwords: yes please', /line passwords must be true or false/],
    ['memberPerRequest: 5', /"memberPerRequest", which is no line of a profile; there are updateUsers, /],
    ['constructor: 5', /"constructor", which is no line/],
    ['userAttributes: title', /line userAttributes must be all, or a list of attributes/],
    ['findUsersBy: [mail]', /line findUsersBy must be a list of externalId and userName/],
    ['rate: 5 per second', /line rate must be none, or such as 25\/s/],
    ['rate: 0/s', /line rate must be/],
    ['headers: { authorization: Bearer x }', /line headers must be .* none of them for signing in/],
    ['headers: { x-a: "a\\r\\nb" }', /line headers must be/],
    [
      'userValues: { userName: { length: 3 } }',
      /line userValues has no rule length \(for userName\); there are required, /,
    ],
    [
      'userValues: { userName: { longest: -1 } }',
      /line userValues needs a whole number of 1 or more for userName.longest, not -1/,
    ],
    ['userValues: { "a b": {} }', /line userValues holds "a b"/],
    ['userValues: [userName]', /line userValues must be attributes with their rules/],
    ['- membersPerRequest', /must hold lines such as/],
    ['membersPerRequest: 5\nmembersPerRequest: 6', /cannot be read as YAML or JSON: Map keys must be unique at line 2/],
    ['a: &x [1]\nb: *x', /must not refer from one place to another/],
    ['{', /cannot be read as YAML or JSON/],
    ['x'.repeat(20_001), /is longer than 20000 characters/],
  ];
  for (const [text, wanted] of cases) {
    const faults = faultsOf(text);
    assert.equal(faults.length, 1, text.slice(0, 80));
    assert.match(faults[0]!, wanted);
  }
  assert.match(faultsOf('rate: x\npageSize: y').join(), /line rate .*; line pageSize /, 'all of it at once');
  const none = scim2.checkSettings(settings('azure', ''));
  assert.match(none[0]!.message, /^Target Profile must be one of strict, aws, github, entra$/);
});

test('whatever is written as overrides, it is read or refused, never thrown', () => {
  const line = fc.oneof(fc.constantFrom(...lineNames), fc.string({ maxLength: 6 }));
  const lines = fc.dictionary(line, fc.jsonValue({ maxDepth: 3 }), { maxKeys: 4 }).map((each) => JSON.stringify(each));
  fc.assert(
    fc.property(fc.oneof(lines, fc.string({ maxLength: 40 })), (text) => {
      const given = settings('github', text);
      if (scim2.checkSettings(given).length > 0) return;
      readProfile(given);
      assert.ok(scim2.policyDefaults?.(given));
    }),
    { numRuns: 500 },
  );
});

test('rates: per second, minute and hour, within what a policy can hold', () => {
  assert.deepEqual(['25/s', '90/min', '1800/h', '0.5/s'].map(readRate), [25, 1.5, 0.5, 0.5]);
  assert.deepEqual(['1/h', '200000/s', '5', 's', '-1/s', 5, null].map(readRate), Array(7).fill(undefined));
});
