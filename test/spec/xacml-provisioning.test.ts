import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Problem } from '../../src/base/problem.ts';
import { decideProvisioning, type RuleSettings } from '../../src/rules/decide.ts';
import {
  type ProvisioningRequest,
  provisioningNames,
  viewProvisioningRequest,
} from '../../src/rules/provisioning-request.ts';
import { fillTemplate } from '../../src/rules/templates/fill.ts';
import { type TemplateForm, templates } from '../../src/rules/templates/form.ts';
import { openZone } from '../../src/rules/zone.ts';
import { accept, apply, designator, document, policy, rule, value } from './xacml-case.ts';

const zone = openZone('Europe/Zurich');
const settings: RuleSettings = { zone };
/** 14:30 in Zürich. */
const afternoon = Date.UTC(2024, 6, 1, 12, 30);

const ada: ProvisioningRequest = {
  subject: 'SALES/ada',
  attributes: new Map([
    ['userName', ['SALES/ada']],
    ['emails.value', ['ada@example.com', 'lovelace@example.com']],
    ['title', ['Countess, of Lovelace']],
  ]),
  roles: ['Sales', 'Research, Development'],
  serviceProvider: 'wso2carbon-local-sp',
  identityProvider: 'Partner',
  connectorType: 'SCIM2',
  operation: 'POST',
  at: afternoon,
};

function decide(
  policies: ReturnType<typeof accept> | string,
  changes: Partial<ProvisioningRequest> = {},
  more: Partial<RuleSettings> = {},
) {
  const inForce = typeof policies === 'string' ? accept(policies) : policies;
  return decideProvisioning(inForce, { ...ada, ...changes }, { ...settings, ...more });
}

describe('the provisioning request', () => {
  const values = (changes: Partial<ProvisioningRequest> = {}) => {
    const view = viewProvisioningRequest({ ...ada, ...changes }, 120);
    return {
      get(key: string): string[] | undefined {
        const [category, id] = key.split(' ') as [string, string];
        return view
          .get(category)
          ?.attributes.get(id)
          ?.flatMap((attribute) =>
            attribute.values.map(({ type, value: v }) => (typeof type === 'string' ? String(v) : type.print(v))),
          );
      },
    };
  };

  it('carries the attributes WSO2 names, in its categories', () => {
    const n = provisioningNames;
    const env = 'urn:oasis:names:tc:xacml:3.0:attribute-category:environment';
    const got = values();
    const expected: [string, string[]][] = [
      ['http://wso2.org/identity/user http://wso2.org/identity/user/user-tenant-domain', ['carbon.super']],
      ['http://wso2.org/identity/user http://wso2.org/identity/user/username', ['SALES/ada']],
      ['http://wso2.org/identity/sp http://wso2.org/identity/sp/sp-name', ['wso2carbon-local-sp']],
      ['http://wso2.org/identity/sp http://wso2.org/identity/auth/sp-tenant-domain', ['carbon.super']],
      ['http://wso2.org/identity/idp http://wso2.org/identity/idp/idp-name', ['Partner']],
      ['http://wso2.org/identity/idp http://wso2.org/identity/idp/connector-type', ['SCIM2']],
      [
        'http://wso2.org/identity/identity-action http://wso2.org/identity/identity-action/action-name',
        ['provisioning'],
      ],
      ['http://wso2.org/identity/provisioning http://wso2.org/identity/provisioning/provision-operation', ['POST']],
      [`${env} ${n.environmentId}`, ['carbon.super']],
      [`${env} urn:oasis:names:tc:xacml:1.0:environment:current-date`, ['2024-07-01+02:00']],
      [`${env} urn:oasis:names:tc:xacml:1.0:environment:current-time`, ['14:30:00+02:00']],
      [`${env} urn:oasis:names:tc:xacml:1.0:environment:current-dateTime`, ['2024-07-01T14:30:00+02:00']],
    ];
    for (const [key, texts] of expected) assert.deepEqual(got.get(key), texts, key);
    for (const category of [n.userCategory, n.spCategory, n.idpCategory, n.actionCategory, env, 'urn:other']) {
      assert.equal(got.get(`${category} urn:nothing`), undefined, category);
    }
  });

  it('keeps every value whole, and gives the roles with every operation', () => {
    for (const operation of ['POST', 'PUT', 'PATCH', 'DELETE'] as const) {
      const got = values({ operation });
      assert.deepEqual(got.get(`${provisioningNames.provisioningCategory} ${provisioningNames.claimGroup}`), ada.roles);
      assert.deepEqual(got.get(`${provisioningNames.userCategory} http://wso2.org/claims/roles`), ada.roles);
      assert.deepEqual(got.get(`${provisioningNames.userCategory} title`), ['Countess, of Lovelace']);
      assert.deepEqual(got.get(`${provisioningNames.userCategory} emails.value`)?.length, 2);
      assert.deepEqual(got.get(`${provisioningNames.userCategory} http://wso2.org/claims/emailaddress`)?.length, 2);
    }
  });
});

describe('decideProvisioning', () => {
  it('answers with what to do and why', () => {
    const open = policy(rule('Permit', { id: 'all' }), { id: 'urn:open' });
    const closed = policy(rule('Deny', { id: 'none' }), { id: 'urn:closed' });
    const named = { part: undefined, says: undefined };
    assert.deepEqual(decide(accept(document(open, 'evaluated', 'open to all'))), {
      decision: 'permit',
      action: 'let-through',
      reason: 'permitted by rule all of policy open to all',
      decidedBy: { policy: 'open to all', rule: 'all', ...named },
      readsClock: false,
      trace: undefined,
    });
    assert.deepEqual(decide(accept(document(closed, 'evaluated', 'closed'))), {
      decision: 'deny',
      action: 'withhold',
      reason: 'denied by rule none of policy closed',
      decidedBy: { policy: 'closed', rule: 'none', ...named },
      readsClock: false,
      trace: undefined,
    });
    const nothing = decide(accept());
    assert.deepEqual(
      [nothing.decision, nothing.action, nothing.reason],
      ['not-applicable', 'let-through', 'no rule applies'],
    );
    assert.equal(decide(accept(), {}, { whenNotApplicable: 'withhold' }).action, 'withhold');
  });

  it('parks what cannot be decided', () => {
    const condition = apply('string-is-in', value('string', 'x'), designator('missing', 'string', { must: true }));
    const broken = decide(accept(document(policy(rule('Permit', { condition, id: 'r' })), 'evaluated', 'p')));
    assert.deepEqual([broken.decision, broken.action], ['indeterminate', 'park']);
    assert.match(broken.reason, /^cannot be decided: the request has no attribute missing .* \(rule r of policy p\)$/);
  });

  it('parks a permit whose obligation nobody can fulfil, and minds no other', () => {
    const obligation = (on: string) =>
      `<ObligationExpressions><ObligationExpression ObligationId="urn:mail" FulfillOn="${on}"/></ObligationExpressions>`;
    const advice = '<AdviceExpressions><AdviceExpression AdviceId="urn:mail" AppliesTo="Permit"/></AdviceExpressions>';
    const parked = decide(policy(rule('Permit', { notices: obligation('Permit') })));
    assert.equal(parked.action, 'park');
    assert.match(parked.reason, /obligation urn:mail/);
    assert.equal(decide(policy(rule('Deny', { notices: obligation('Deny') }))).decision, 'deny');
    assert.equal(decide(policy(rule('Permit', { notices: advice }))).decision, 'permit');
  });

  it('explains itself on demand: which condition was false, with which values', () => {
    const condition = apply(
      'string-is-in',
      value('string', 'Finance'),
      designator(provisioningNames.claimGroup, 'string', { category: provisioningNames.provisioningCategory }),
    );
    const { trace } = decide(
      policy([rule('Permit', { id: 'finance', condition }), rule('Deny', { id: 'rest' })]),
      {},
      { trace: true },
    );
    const [finance, rest] = trace![0]!.children;
    assert.deepEqual(
      [finance?.id, finance?.decision, finance?.condition?.expression, finance?.condition?.value],
      ['finance', 'not-applicable', 'string-is-in', 'false'],
    );
    assert.deepEqual(
      finance?.condition?.parts.map((p) => p.value),
      ['Finance', '["Sales", "Research, Development"]'],
    );
    assert.equal(rest?.decision, 'deny');
  });
});

describe('the five templates', () => {
  const base = { policyId: 'urn:p', serviceProvider: ada.serviceProvider, identityProvider: 'Partner' };
  const forms: Record<TemplateForm['template'], TemplateForm> = {
    role: { ...base, template: 'role', roles: ['Research, Development', 'A & B <x>'] },
    claim: { ...base, template: 'claim', claim: 'emails.value', values: ['lovelace@example.com'] },
    time: { ...base, template: 'time', from: '09:00', to: '17:00:00' },
    'time-and-role': { ...base, template: 'time-and-role', from: '09:00', to: '17:00', roles: ['Sales'] },
    'time-and-claim': {
      ...base,
      template: 'time-and-claim',
      from: '22:00',
      to: '15:00',
      claim: 'http://wso2.org/claims/title',
      values: ['Countess, of Lovelace'],
    },
  };
  const lacks: Record<TemplateForm['template'], string> = {
    role: 'not in Research, Development or A & B <x>',
    claim: 'emails.value is not lovelace@example.com',
    time: 'not from 09:00 to 17:00:00',
    'time-and-role': 'not in Sales, or not from 09:00 to 17:00',
    'time-and-claim': 'title is not Countess, of Lovelace, or not from 22:00 to 15:00',
  };
  const outsider = { roles: ['Everyone'], attributes: new Map<string, readonly string[]>() };
  const night = { at: Date.UTC(2024, 6, 1, 18, 0) };

  it('are all there, with the fields they ask for', () => {
    assert.deepEqual(templates.map((t) => t.kind).sort(), Object.keys(forms).sort());
  });

  for (const { kind, fields } of templates) {
    const inForce = accept(document(fillTemplate(forms[kind]), 'evaluated', 'our template'));
    const about: readonly string[] = fields;

    it(`${kind}: creates, updates and changes passwords for those meant`, () => {
      for (const operation of ['POST', 'PUT', 'PATCH'] as const) {
        assert.equal(decide(inForce, { operation }).decision, 'permit', operation);
        if (about.includes('roles') || about.includes('claim')) {
          const denied = decide(inForce, { operation, ...outsider });
          assert.deepEqual(
            [denied.decision, denied.reason, denied.readsClock, denied.decidedBy?.rule],
            ['deny', `denied by policy our template: Withhold everybody else: ${lacks[kind]}.`, false, 'deny_others'],
          );
        }
        if (about.includes('from')) {
          const denied = decide(inForce, { operation, ...night });
          assert.deepEqual([denied.decision, denied.readsClock], ['deny', true]);
        }
      }
    });

    it(`${kind}: removes regardless, unless told otherwise`, () => {
      const removal = { operation: 'DELETE' as const, ...outsider, ...night };
      const { reason, decidedBy } = decide(inForce, removal);
      assert.equal(reason, 'permitted by policy our template: Let through every removal.');
      assert.equal(decidedBy?.rule, 'permit_removal');
      const strict = accept(fillTemplate({ ...forms[kind], removals: 'as-other-operations' }));
      assert.equal(decide(strict, removal).decision, 'deny');
      assert.equal(decide(strict, { operation: 'DELETE' }).decision, 'permit');
    });

    it(`${kind}: says nothing about other targets and service providers`, () => {
      assert.equal(decide(inForce, { identityProvider: 'Other', ...outsider }).decision, 'not-applicable');
      assert.equal(decide(inForce, { serviceProvider: 'other', ...outsider }).decision, 'not-applicable');
      const { serviceProvider: _, identityProvider: __, ...everywhere } = forms[kind];
      assert.equal(decide(accept(fillTemplate(everywhere)), { identityProvider: 'Other' }).decision, 'permit');
    });
  }

  it('follow the clock of the zone through its changes', () => {
    const inForce = accept(fillTemplate(forms.time));
    const at = (month: number, hour: number, minute: number) =>
      decide(inForce, { at: Date.UTC(2024, month, 1, hour, minute) }).decision;
    assert.deepEqual([at(6, 6, 59), at(6, 7, 0), at(6, 15, 0), at(6, 15, 1)], ['deny', 'permit', 'permit', 'deny']);
    assert.deepEqual([at(0, 7, 0), at(0, 8, 0), at(0, 16, 0), at(0, 16, 1)], ['deny', 'permit', 'permit', 'deny']);
  });

  it('refuse a form that says nothing or nonsense, naming the field', () => {
    const rows: [Partial<TemplateForm>, string][] = [
      [{ template: 'nonsense' as 'role' }, 'template'],
      [{ template: 'role', roles: [] }, 'roles'],
      [{ template: 'role', roles: [''] }, 'roles'],
      [{ template: 'claim', values: ['x'] }, 'claim'],
      [{ template: 'claim', claim: 'emails[type eq "work"].value', values: ['x'] }, 'claim'],
      [{ template: 'claim', claim: 'title', values: [] }, 'values'],
      [{ template: 'time', from: '9', to: '17:00' }, 'from'],
      [{ template: 'time', from: '09:00' }, 'to'],
      [{ template: 'time', from: '09:00', to: '25:00' }, 'to'],
      [{ template: 'role', roles: ['x'], policyId: ' ' }, 'policyId'],
      [{ template: 'role', roles: ['x'], policyId: 'a"b' }, 'policyId'],
      [{ template: 'role', roles: ['x'], version: 'v1' }, 'version'],
    ];
    for (const [form, field] of rows) {
      assert.throws(
        () => fillTemplate({ ...base, ...form } as TemplateForm),
        (error: unknown) => error instanceof Problem && error.code === 'invalidValue' && error.field === field,
        field,
      );
    }
  });

  it('cannot be led to write anything but values', () => {
    const evil = '"/><Rule RuleId="x" Effect="Permit"/><!-- ]]> &amp; \u0000';
    const text = fillTemplate({
      ...forms.role,
      description: evil,
      roles: [evil],
      serviceProvider: evil,
      identityProvider: evil,
    });
    assert.equal(
      decide(accept(text), {
        serviceProvider: evil.replace('\u0000', '\ufffd'),
        identityProvider: evil.replace('\u0000', '\ufffd'),
      }).decision,
      'deny',
    );
  });

  it('know only zones that exist', () => {
    assert.throws(() => openZone('Mars/Olympus'), Problem);
    assert.equal(openZone('Asia/Kathmandu').offsetAt(afternoon), 345);
    assert.equal(openZone('America/New_York').offsetAt(afternoon), -240);
    assert.equal(openZone('UTC').offsetAt(afternoon), 0);
  });
});
