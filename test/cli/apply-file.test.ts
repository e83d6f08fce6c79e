// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how the file names variables
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readApplyFile } from '../../src/cli/apply-file.ts';

const environment: Record<string, string> = {
  TOKEN: 'a: "b" #c\n{d}',
  URL: 'https://partner.example',
  EMPTY: '',
};
const read = (text: string) => readApplyFile(text, 'acme.yaml', (name) => environment[name]);

describe('the file of purvey apply', () => {
  it('is read whole', () => {
    const file = read(`
userStoreDomains: [SALES]
identityProviders:
  - name: partner
    displayName: Partner
    connectors:
      - type: SCIM2
        enabled: true
        settings: { scim2-access-token: \${TOKEN}, scim2-user-ep: \${URL}/scim2/Users }
        policy: { concurrency: 16 }
serviceProviders:
  - name: resident
    outboundProvisioning:
      - { identityProvider: partner, connector: SCIM2, rules: true }
  - name: payroll
policies:
  - name: sales only
    use: referenced
    document: |
      <Policy/>
`);
    assert.deepEqual(file, {
      userStoreDomains: ['SALES'],
      identityProviders: [
        {
          fields: { name: 'partner', displayName: 'Partner' },
          connectors: [
            {
              type: 'SCIM2',
              enabled: true,
              settings: {
                'scim2-access-token': environment.TOKEN,
                'scim2-user-ep': 'https://partner.example/scim2/Users',
              },
              policy: { concurrency: 16 },
            },
          ],
        },
      ],
      serviceProviders: [
        {
          fields: { name: 'resident' },
          outboundProvisioning: [{ identityProvider: 'partner', connector: 'SCIM2', rules: true }],
        },
        { fields: { name: 'payroll' }, outboundProvisioning: undefined },
      ],
      policies: [{ name: 'sales only', use: 'referenced', document: '<Policy/>\n' }],
    });
  });

  it('may be empty', () => {
    for (const text of ['', '# nothing yet, not even ${MISSING}\n', 'identityProviders:\n']) {
      assert.deepEqual(read(text), {
        userStoreDomains: [],
        identityProviders: [],
        serviceProviders: [],
        policies: [],
      });
    }
  });

  it('can say ${ itself, and takes an empty variable for what it is', () => {
    const [provider] = read('identityProviders: [{ name: "$${URL} ${EMPTY}x", alias: $$${URL} }]').identityProviders;
    assert.equal(provider!.fields.name, '${URL} x');
    assert.equal(provider!.fields.alias, '$${URL}');
  });

  const bad: [what: string, text: string, says: RegExp][] = [
    [
      'a variable that is not set',
      'identityProviders:\n  - name: x\n    alias: ${LOST}',
      /^acme\.yaml, line 3: .*LOST is not set/,
    ],
    [
      'a variable with a strange name',
      'userStoreDomains:\n  - "${a b}"',
      /^acme\.yaml, line 2: \$\{a b\} is no variable/,
    ],
    ['a variable that does not end', 'userStoreDomains:\n  - "${URL"', /^acme\.yaml, line 2: \$\{URL"? is no variable/],
    ['broken YAML', 'userStoreDomains: [SALES\nserviceProviders:\n', /^acme\.yaml, line \d/],
    ['a key twice', 'userStoreDomains: []\nuserStoreDomains: []', /^acme\.yaml, line 2: .*unique/],
    ['an unknown key', 'userStoreDomains: []\ntargets: []', /^acme\.yaml, line 2: the file has no targets; known are/],
    [
      'an unknown key of a connector',
      'identityProviders:\n- name: x\n  connectors:\n  - type: SCIM2\n    setting: {}',
      /line 5: a connector of x has no setting/,
    ],
    [
      'an unknown key of a binding',
      'serviceProviders:\n- name: x\n  outboundProvisioning:\n  - { identityProvider: a, connector: b, fast: true }',
      /line 4: .* has no fast/,
    ],
    ['a missing name', 'identityProviders:\n- alias: x', /line 2: the name of an identity provider must be given/],
    [
      'a missing type',
      'identityProviders:\n- name: x\n  connectors:\n  - enabled: true',
      /line 4: the type of a connector of x/,
    ],
    ['a list where names belong', '- a', /line 1: the file must be written as names with values/],
    ['names where a list belongs', 'identityProviders:\n  name: x', /line 2: identityProviders must be a list/],
    [
      'settings that are a list',
      'identityProviders:\n- name: x\n  connectors:\n  - type: SCIM2\n    settings: [a]',
      /line 5: settings must be/,
    ],
    [
      'a value that is written elsewhere',
      'identityProviders:\n- name: &n x\n  displayName: *n',
      /^acme\.yaml, line 3: \*n stands for a value that is written elsewhere/,
    ],
    [
      'values that multiply',
      `userStoreDomains: &a [x, x]\nidentityProviders: &b [${'*a, '.repeat(50)}]\n`,
      /^acme\.yaml, line 2: \*a stands/,
    ],
    ['a second document', 'userStoreDomains: []\n---\n{}', /^acme\.yaml, line 2: a second document begins here/],
    ['nesting without end', '['.repeat(100_000), /^acme\.yaml, line 1: the file is nested too deep/],
    ['the same provider twice', 'identityProviders:\n- name: x\n- name: X', /line 3: X is there twice/],
  ];
  for (const [what, text, says] of bad) {
    it(`refuses ${what}, naming the line`, () => {
      assert.throws(
        () => read(text),
        (error) => says.test((error as Error).message) || assert.fail((error as Error).message),
      );
    });
  }
});
