import assert from 'node:assert/strict';
import { before, it } from 'node:test';
import { createUser } from '../../src/directory/users.ts';
import { readResource } from '../../src/protocol/scim/resource.ts';
import { coreUserUrn, userType } from '../../src/protocol/scim/schema.ts';
import { fillTemplate } from '../../src/rules/templates/fill.ts';
import { eachDatabase } from '../database.ts';
import { type AdminBed, openAdminBed, settings } from './admin-bed.ts';

const sales = (policyId = 'sales') => fillTemplate({ template: 'claim', policyId, claim: 'title', values: ['Sales'] });

eachDatabase('policies', (bed) => {
  let api: AdminBed;
  before(async () => {
    api = await openAdminBed(bed);
    await api.call('POST', '/identity-providers', { name: 'partner' });
    await api.call('POST', '/identity-providers/partner/targets', { type: 'SCIM2', settings: settings() });
    const origin = { spId: api.residentId, door: 'api', actor: 'test' } as const;
    const ada = readResource(userType, { schemas: [coreUserUrn], userName: 'ada', title: 'Sales' });
    await api.store.write((tx) => createUser(tx, ada, { origin }));
  });

  it('are kept with their versions, and by whom', async () => {
    const made = await api.call('POST', '/policies', { name: 'sales only', document: sales() });
    assert.equal(made.status, 201, made.text);
    assert.deepEqual(
      [made.body.version, made.body.position, made.body.enabled, made.body.use],
      [1, 1, true, 'evaluated'],
    );
    const again = await api.call('PATCH', `/policies/${made.body.id}`, { document: sales() });
    assert.deepEqual([again.change, again.body.version], ['unchanged', 1]);
    const off = await api.call('PATCH', '/policies/SALES%20ONLY', { enabled: false });
    assert.deepEqual([off.change, off.body.version, off.body.enabled], ['updated', 2, false]);
    await api.call('PATCH', `/policies/${made.body.id}`, { enabled: true });
    assert.equal((await api.call('POST', '/policies', { name: 'Sales Only', document: sales('x') })).status, 409);
    const { items } = (await api.call('GET', `/policies/${made.body.id}/versions`)).body;
    assert.deepEqual(
      items.map((one: { version: number; enabled: boolean }) => [one.version, one.enabled]),
      [
        [3, true],
        [2, false],
        [1, true],
      ],
    );
    assert.ok(items.every((one: { actor: string; document: string }) => one.actor !== '' && one.document === sales()));
  });

  it('are refused with line and reason, and what is in force stays', async () => {
    const broken = sales('other').replace('string-equal', 'string-equals').replace(':string-bag', ':string-sack');
    const refusals: [Record<string, unknown>, string, RegExp][] = [
      [{ name: 'x', document: broken }, 'document', /line \d+: .*string-sack/],
      [{ name: 'x', document: '<Policy' }, 'document', /line 1/],
      [{ name: 'x', document: '<!DOCTYPE a [<!ENTITY b "c">]><Policy/>' }, 'document', /DOCTYPE/],
      [{ name: 'x', document: sales() }, 'document', /already defined by sales only/],
      [{ name: 'x', document: broken, enabled: false }, 'document', /line \d+/],
      [{ name: 'x' }, 'document', /must be a policy/],
      [{ name: 'a:b', document: sales('y') }, 'name', /colons/],
      [{ name: 'x', document: sales('y'), use: 'sometimes' }, 'use', /evaluated or referenced/],
      [{ name: 'x', document: sales('y'), position: 0 }, 'position', /whole number/],
    ];
    for (const [input, field, why] of refusals) {
      const answer = await api.call('POST', '/policies', input);
      assert.deepEqual([answer.status, answer.body.field], [400, field], answer.text);
      assert.match(answer.body.detail, why);
      if (why.source.startsWith('line')) assert.ok(answer.body.line >= 1, answer.text);
    }
    assert.equal((await api.call('GET', '/policies')).body.items.length, 1);
  });

  it('stay while others refer to them', async () => {
    const refers = `<PolicySet xmlns="urn:oasis:names:tc:xacml:3.0:core:schema:wd-17" PolicySetId="set" Version="1.0"
      PolicyCombiningAlgId="urn:oasis:names:tc:xacml:3.0:policy-combining-algorithm:deny-overrides">
      <Target/><PolicyIdReference>part</PolicyIdReference></PolicySet>`;
    const early = await api.call('POST', '/policies', { name: 'set', document: refers });
    assert.match(early.body.detail, /there is no policy part/);
    await api.call('POST', '/policies', { name: 'part', document: sales('part'), use: 'referenced' });
    assert.equal((await api.call('POST', '/policies', { name: 'set', document: refers })).status, 201);
    const held = await api.call('DELETE', '/policies/part');
    assert.deepEqual([held.status, held.body.code], [409, 'conflict']);
    assert.match(held.body.detail, /part is still needed: set, line 3/);
    assert.equal((await api.call('DELETE', '/policies/set')).status, 204);
    assert.equal((await api.call('DELETE', '/policies/part')).status, 204);
  });

  it('can be tried without sending anything, also before they are saved', async () => {
    const ask = { subject: 'ada', target: 'partner:SCIM2' };
    const now = (await api.call('POST', '/policies/try', ask)).body;
    assert.deepEqual([now.operation, now.decision, now.action], ['POST', 'permit', 'let-through']);
    assert.ok(now.trace.length > 0);
    const draft = { name: 'sales only', document: sales().replaceAll('>Sales<', '>Board<') };
    const tried = (await api.call('POST', '/policies/try', { ...ask, draft, operation: 'PUT' })).body;
    assert.deepEqual([tried.decision, tried.action], ['deny', 'withhold']);
    const fault = await api.call('POST', '/policies/try', { ...ask, draft: { name: 'n', document: '<x/>' } });
    assert.deepEqual([fault.status, fault.body.line], [400, 1], fault.text);
    for (const [more, field] of [
      [{ operation: 'GET' }, 'operation'],
      [{ at: 'soon' }, 'at'],
      [{ subject: 7.5 }, 'subject'],
    ] as const) {
      assert.equal((await api.call('POST', '/policies/try', { ...ask, ...more })).body.field, field);
    }
    assert.equal((await api.call('POST', '/policies/try', { ...ask, subject: 'nobody' })).status, 404);
  });

  it('decide for others, in XACML', async () => {
    const n = 'http://wso2.org/identity/';
    const request = `<Request xmlns="urn:oasis:names:tc:xacml:3.0:core:schema:wd-17" CombinedDecision="false" ReturnPolicyIdList="true">
      <Attributes Category="${n}user"><Attribute AttributeId="title" IncludeInResult="false">
        <AttributeValue DataType="http://www.w3.org/2001/XMLSchema#string">Sales</AttributeValue></Attribute></Attributes>
      <Attributes Category="${n}identity-action"><Attribute AttributeId="${n}identity-action/action-name" IncludeInResult="false">
        <AttributeValue DataType="http://www.w3.org/2001/XMLSchema#string">provisioning</AttributeValue></Attribute></Attributes>
      <Attributes Category="${n}provisioning"><Attribute AttributeId="${n}provisioning/provision-operation" IncludeInResult="false">
        <AttributeValue DataType="http://www.w3.org/2001/XMLSchema#string">PUT</AttributeValue></Attribute></Attributes></Request>`;
    const ask = (body: string, media?: string) => api.call('POST', '/pdp', body, undefined, media);
    const answer = await ask(request, 'application/xml');
    assert.equal(answer.status, 200, answer.text);
    assert.match(answer.text, /<Decision>Permit<\/Decision>/);
    assert.match((await ask(request.replace('Sales', 'Board'), 'text/xml')).text, /<Decision>Deny<\/Decision>/);
    assert.match((await ask('<Request', 'application/xacml+xml')).text, /Indeterminate[\s\S]*syntax-error/);
    const other = await ask('{}');
    assert.equal(other.status, 415);
    assert.match(other.body.detail, /sent as application\/xacml\+xml or application\/xacml\+json/);
    assert.equal((await api.call('POST', '/pdp', request, null, 'application/xml')).status, 401);
  });

  it('decide for others in JSON too, and answer in what is asked for', async () => {
    const n = 'http://wso2.org/identity/';
    const category = (CategoryId: string, AttributeId: string, Value: string) => ({
      CategoryId,
      Attribute: [{ AttributeId, Value }],
    });
    const asked = (title: string) => ({
      Request: {
        ReturnPolicyIdList: true,
        Category: [
          category(`${n}user`, 'title', title),
          category(`${n}identity-action`, `${n}identity-action/action-name`, 'provisioning'),
          category(`${n}provisioning`, `${n}provisioning/provision-operation`, 'PUT'),
        ],
      },
    });
    const ask = async (body: unknown, accept?: string, type = 'application/xacml+json') => {
      const response = await fetch(`${api.url}/api/pdp`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${api.token}`,
          'content-type': type,
          ...(accept === undefined ? {} : { accept }),
        },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      });
      return [response.status, response.headers.get('content-type')?.split(';')[0], await response.text()] as const;
    };
    const [status, type, text] = await ask(asked('Sales'));
    assert.deepEqual([status, type], [200, 'application/xacml+json'], text);
    const [result] = JSON.parse(text).Response;
    assert.deepEqual([result.Decision, result.PolicyIdentifierList.PolicyIdReference[0].Id], ['Permit', 'sales']);
    assert.equal(JSON.parse((await ask(asked('Board')))[2]).Response[0].Decision, 'Deny');
    const broken = JSON.parse((await ask('{"Request":'))[2]).Response[0];
    assert.match(broken.Status.StatusCode.Value, /syntax-error/);

    const xml = ['application/xacml+xml', /^<\?xml.*<Decision>Permit</s] as const;
    const json = ['application/xacml+json', /^\{"Response":/] as const;
    for (const [accept, [media, body]] of [
      ['application/xacml+xml', xml],
      ['text/xml, application/xacml+json;q=0.5', xml],
      ['application/xacml+json, application/xml;q=0.9', json],
      ['*/*', json],
      ['text/html', json],
      ['application/xacml+json, application/xacml+xml', json],
      ['application/xacml+xml;q=0', json],
    ] as const) {
      const answer = await ask(asked('Sales'), accept);
      assert.equal(answer[1], media, accept);
      assert.match(answer[2], body);
    }
    const asXml = '<Request xmlns="urn:oasis:names:tc:xacml:3.0:core:schema:wd-17"/>';
    assert.equal((await ask(asXml, 'application/xacml+json', 'application/xml'))[1], 'application/xacml+json');
    assert.equal((await ask(asXml, '*/*', 'application/xml'))[1], 'application/xacml+xml');
  });
});
