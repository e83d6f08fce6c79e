import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { answerIn } from '../../src/rules/answer.ts';
import type { PoliciesInForce } from '../../src/rules/in-force.ts';
import {
  accept,
  apply,
  designator,
  policy,
  policySet,
  requestXml,
  rule,
  settings,
  subjectCategory,
  type TypeName,
  value,
} from './xacml-case.ts';

// JSON Profile of XACML 3.0, version 1.1: named are its sections.

type Json = Record<string, unknown>;
const both = { request: 'json', answer: 'json' } as const;
const ok = { StatusCode: { Value: 'urn:oasis:names:tc:xacml:1.0:status:ok' } };
const ada = { Attribute: [{ AttributeId: 'name', Value: 'ada' }] };

function ask(policies: PoliciesInForce | string, Request: Json = { AccessSubject: [ada] }): Json[] {
  const inForce = typeof policies === 'string' ? accept(policies) : policies;
  const { Response, ...rest } = JSON.parse(answerIn(inForce, JSON.stringify({ Request }), settings, both));
  assert.deepEqual(rest, {});
  return Response;
}

const isCalled = (name: string) =>
  apply('string-is-in', value('string', name), designator('name', 'string', { must: true }));

describe('5.2 the response', () => {
  it('5.2.1 and 5.2.2: is a list of results, of which what is empty is left out', () => {
    assert.deepEqual(ask(policy(rule('Permit'))), [{ Decision: 'Permit', Status: ok }]);
    assert.deepEqual(ask(policy(rule('Deny'))), [{ Decision: 'Deny', Status: ok }]);
    assert.deepEqual(ask(accept()), [{ Decision: 'NotApplicable', Status: ok }]);
  });

  it('5.2.3 to 5.2.5: says why it cannot be decided, and which attribute is missing', () => {
    const one = policy(rule('Permit', { condition: isCalled('ada') }));
    const [result] = ask(one, { Action: [{}] });
    assert.equal(result!.Decision, 'Indeterminate');
    const { StatusMessage, ...status } = result!.Status as Json;
    assert.match(String(StatusMessage), /^the request has no attribute name/);
    assert.deepEqual(status, {
      StatusCode: { Value: 'urn:oasis:names:tc:xacml:1.0:status:missing-attribute' },
      StatusDetail: [
        { Category: subjectCategory, AttributeId: 'name', DataType: 'http://www.w3.org/2001/XMLSchema#string' },
      ],
    });
    assert.equal(ask(one)[0]!.Decision, 'Permit');
  });

  it('says of a request that cannot be read what is wrong, and where', () => {
    const [result] = ask(policy(rule('Permit')), { AccessSubject: [{ Attribute: [{ AttributeId: 'name' }] }] });
    assert.deepEqual(result, {
      Decision: 'Indeterminate',
      Status: {
        StatusMessage: 'Request.AccessSubject[0].Attribute[0].Value: is missing',
        StatusCode: { Value: 'urn:oasis:names:tc:xacml:1.0:status:syntax-error' },
      },
    });
  });

  it('5.2.6 to 5.2.9: has obligations and advice, each value with its type', () => {
    const samples: [TypeName, string, unknown][] = [
      ['string', 'a &lt; b', 'a < b'],
      ['boolean', '1', true],
      ['integer', '7', 7],
      ['integer', '12345678901234567890', '12345678901234567890'],
      ['double', '1.5', 1.5],
      ['double', '-INF', '-INF'],
      ['double', 'NaN', 'NaN'],
      ['date', '2026-01-31', '2026-01-31'],
    ];
    const assignments = samples
      .map(
        ([type, text], n) =>
          `<AttributeAssignmentExpression AttributeId="a${n}">${value(type, text)}</AttributeAssignmentExpression>`,
      )
      .join('');
    const notices =
      `<ObligationExpressions><ObligationExpression ObligationId="urn:o" FulfillOn="Permit">${assignments}</ObligationExpression></ObligationExpressions>` +
      '<AdviceExpressions><AdviceExpression AdviceId="urn:v" AppliesTo="Permit"><AttributeAssignmentExpression AttributeId="x" Category="urn:c" Issuer="acme">' +
      `${value('string', 'y')}</AttributeAssignmentExpression></AdviceExpression></AdviceExpressions>`;
    const [{ Obligations, AssociatedAdvice }] = ask(policy(rule('Permit', { notices }))) as [Json];
    const schema = 'http://www.w3.org/2001/XMLSchema#';
    assert.deepEqual(Obligations, [
      {
        Id: 'urn:o',
        AttributeAssignment: samples.map(([type, , Value], n) => ({
          AttributeId: `a${n}`,
          DataType: schema + type,
          Value,
        })),
      },
    ]);
    assert.deepEqual(AssociatedAdvice, [
      {
        Id: 'urn:v',
        AttributeAssignment: [
          { AttributeId: 'x', Category: 'urn:c', Issuer: 'acme', DataType: `${schema}string`, Value: 'y' },
        ],
      },
    ]);
  });

  it('5.2.10: gives back the attributes that are to be included, and only those', () => {
    const included = { AttributeId: 'n', Value: [1, 2], IncludeInResult: true, Issuer: 'acme' };
    const [{ Category }] = ask(policy(rule('Permit')), {
      AccessSubject: [{ Id: 'me', Attribute: [included, { AttributeId: 'name', Value: 'ada' }] }],
      Action: [ada],
    }) as [Json];
    const DataType = 'http://www.w3.org/2001/XMLSchema#integer';
    assert.deepEqual(Category, [{ CategoryId: subjectCategory, Id: 'me', Attribute: [{ ...included, DataType }] }]);
  });

  it('5.2.11 and 5.2.12: lists the policies that applied, when it is asked to', () => {
    const inner = policy(rule('Permit'), { id: 'urn:p', version: '1.2' }).replace(/ xmlns="[^"]*"/, '');
    const set = policySet(inner, { id: 'urn:s' });
    const [{ PolicyIdentifierList }] = ask(set, { ReturnPolicyIdList: true, AccessSubject: [ada] }) as [Json];
    assert.deepEqual(PolicyIdentifierList, {
      PolicyIdReference: [{ Id: 'urn:p', Version: '1.2' }],
      PolicySetIdReference: [{ Id: 'urn:s', Version: '1.0' }],
    });
    assert.equal(ask(set)[0]!.PolicyIdentifierList, undefined);
  });
});

describe('several decisions', () => {
  const one = policy([rule('Permit', { condition: isCalled('ada') }), rule('Deny', { condition: isCalled('eve') })]);
  const named = (Id: string) => ({ Id, Attribute: [{ AttributeId: 'name', Value: Id, IncludeInResult: true }] });
  const decisions = (request: Json) => ask(one, request).map((result) => result.Decision);

  it('come of a category that occurs more than once, and of MultiRequests, in their order', () => {
    assert.deepEqual(decisions({ AccessSubject: [named('ada'), named('eve')], Action: [{}] }), ['Permit', 'Deny']);
    const RequestReference = ['eve', 'ada', 'eve'].map((id) => ({ ReferenceId: [id, 'act'] }));
    const request = { AccessSubject: [named('ada'), named('eve')], Action: [{ Id: 'act' }] };
    assert.deepEqual(decisions({ ...request, MultiRequests: { RequestReference } }), ['Deny', 'Permit', 'Deny']);
  });

  it('are combined into one when they agree', () => {
    const ask2 = (...names: string[]) =>
      decisions({ CombinedDecision: true, AccessSubject: names.map((name, n) => ({ ...named(name), Id: `s${n}` })) });
    assert.deepEqual(ask2('ada', 'ada'), ['Permit']);
    assert.deepEqual(ask2('ada', 'eve'), ['Indeterminate']);
  });
});

describe('notations', () => {
  it('answer alike, and one asks and the other answers', () => {
    const inForce = accept(policy(rule('Permit', { condition: isCalled('ada') })));
    const json = JSON.stringify({ Request: { AccessSubject: [ada] } });
    const xml = requestXml(
      `<Attributes Category="${subjectCategory}"><Attribute AttributeId="name" IncludeInResult="false">${value('string', 'ada')}</Attribute></Attributes>`,
    );
    const texts = { json, xml };
    for (const request of ['json', 'xml'] as const) {
      assert.deepEqual(JSON.parse(answerIn(inForce, texts[request], settings, { request, answer: 'json' })), {
        Response: [{ Decision: 'Permit', Status: ok }],
      });
      assert.match(
        answerIn(inForce, texts[request], settings, { request, answer: 'xml' }),
        /<Response.*<Decision>Permit<\/Decision>/s,
      );
    }
  });
});
