import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { answerRequest } from '../../src/rules/answer.ts';
import { types } from '../../src/rules/datatypes/table.ts';
import { evaluateRequest } from '../../src/rules/evaluate.ts';
import { clockAttributes, environmentCategory, statusCodes } from '../../src/rules/identifiers.ts';
import { readRequest } from '../../src/rules/read-request.ts';
import { writeResponse } from '../../src/rules/write-response.ts';
import {
  accept,
  anyOf,
  apply,
  ask,
  askXml,
  designator,
  evaluate,
  f3,
  match,
  policy,
  refuse,
  requestXml,
  rule,
  settings,
  subject,
  subjectCategory,
  target,
  value,
  xacmlNamespace,
} from './xacml-case.ts';

const attributes = (inner: string, category = subjectCategory, more = '') =>
  `<Attributes Category="${category}"${more}>${inner}</Attributes>`;
const attribute = (id: string, text: string, more = 'IncludeInResult="false"') =>
  `<Attribute AttributeId="${id}" ${more}>${value('string', text)}</Attribute>`;

describe('XACML 3.0 7.3.5 attribute retrieval', () => {
  it('gathers all values of an attribute, by category, id, type and issuer', () => {
    const xml = requestXml(
      attributes(attribute('a', '1') + attribute('a', '2', 'IncludeInResult="false" Issuer="hr"')) +
        attributes(attribute('a', '3'), 'urn:other'),
    );
    const count = (expression: string, expected: number) => {
      const condition = apply(
        'integer-equal',
        apply('string-bag-size', expression),
        value('integer', String(expected)),
      );
      assert.equal(askXml(policy(rule('Permit', { condition })), xml)[0]?.decision, 'Permit', expression);
    };
    count(designator('a'), 2);
    count(designator('a', 'string', { issuer: 'hr' }), 1);
    count(designator('a', 'string', { issuer: 'it' }), 0);
    count(designator('a', 'string', { category: 'urn:other' }), 1);
    count(designator('a', 'string', { category: 'urn:none' }), 0);
  });

  it('says which attribute is missing', () => {
    const one = policy(
      rule('Permit', {
        condition: apply('string-is-in', value('string', 'x'), designator('a', 'string', { must: true, issuer: 'hr' })),
      }),
    );
    const result = ask(one);
    assert.equal(result.failure?.code, statusCodes.missingAttribute);
    assert.deepEqual(result.failure?.missing, {
      category: subjectCategory,
      attributeId: 'a',
      dataType: types.string.id,
      issuer: 'hr',
    });
    assert.match(
      writeResponse([result]),
      /<MissingAttributeDetail Category="[^"]+" AttributeId="a" DataType="[^"]+#string" Issuer="hr"\/>/,
    );
  });

  it('gives the clock itself, in its zone, unless the request does', () => {
    const now = (id: keyof typeof clockAttributes) =>
      evaluate(apply(`${id}-one-and-only`, designator(clockAttributes[id], id, { category: environmentCategory })));
    assert.equal(now('time'), '14:30:00+02:00');
    assert.equal(now('date'), '2024-07-01+02:00');
    assert.equal(now('dateTime'), '2024-07-01T14:30:00+02:00');
    const given = requestXml(
      attributes(
        `<Attribute AttributeId="${clockAttributes.time}" IncludeInResult="false">${value('time', '08:00:00Z')}</Attribute>`,
        environmentCategory,
      ),
    );
    const condition = apply(
      'time-equal',
      apply('time-one-and-only', designator(clockAttributes.time, 'time', { category: environmentCategory })),
      value('time', '08:00:00Z'),
    );
    assert.equal(askXml(policy(rule('Permit', { condition })), given)[0]?.decision, 'Permit');
  });

  it('notes when a decision looked at the clock', () => {
    const clock = apply(
      'integer-equal',
      value('integer', '1'),
      apply('time-bag-size', designator(clockAttributes.time, 'time', { category: environmentCategory })),
    );
    const one = policy(
      rule('Permit', { condition: apply('and', apply('string-is-in', value('string', 'x'), designator('a')), clock) }),
    );
    assert.equal(ask(one, { a: ['x'] }).readsClock, true);
    assert.equal(ask(one, { a: ['y'] }).readsClock, false, 'the condition was false before it came to the clock');
  });

  it('falls back on what the context handler supplies', () => {
    const one = policy(rule('Permit'), { target: target(anyOf(match('role', 'doctor', true))) });
    assert.equal(ask(one, {}, { supplied: [subject({ role: ['doctor'] })] }).decision, 'Permit');
    assert.equal(
      ask(one, { role: ['nurse'] }, { supplied: [subject({ role: ['doctor'] })] }).decision,
      'NotApplicable',
    );
  });
});

describe('XACML 3.0 7.3.7 attribute selectors and A.3.15 XPath', () => {
  const content = (xml: string) => requestXml(attributes(`<Content>${xml}</Content>${attribute('a', '1')}`));
  const record = content(
    '<r:record xmlns:r="urn:r"><r:name>Ann</r:name><r:name>Bob</r:name><r:age>40</r:age><x xmlns="" id="7"/></r:record>',
  );
  const selector = (path: string, type: 'string' | 'integer' = 'string', more = 'MustBePresent="false"') =>
    `<AttributeSelector xmlns:q="urn:r" Category="${subjectCategory}" Path="${path}" DataType="${types[type].id}" ${more}/>`;
  const xpath = (path: string) =>
    `<AttributeValue xmlns:q="urn:r" DataType="${types.xpathExpression.id}" XPathCategory="${subjectCategory}">${path}</AttributeValue>`;
  const decide = (condition: string, xml = record) => askXml(policy(rule('Permit', { condition })), xml)[0]!;

  it('select the text of nodes as values of a type', () => {
    assert.equal(
      decide(
        apply(
          'string-set-equals',
          selector('//q:name/text()'),
          apply('string-bag', value('string', 'Ann'), value('string', 'Bob')),
        ),
      ).decision,
      'Permit',
    );
    assert.equal(
      decide(apply('integer-is-in', value('integer', '40'), selector('q:record/q:age', 'integer'))).decision,
      'Permit',
    );
    assert.equal(
      decide(apply('integer-is-in', value('integer', '7'), selector('/q:record/x/@id', 'integer'))).decision,
      'Permit',
    );
    assert.match(
      decide(apply('integer-is-in', value('integer', '7'), selector('//q:name', 'integer'))).failure!.message,
      /no integer/,
    );
    assert.match(
      decide(apply('string-is-in', value('string', '2'), selector('count(//q:name)'))).failure!.message,
      /does not select nodes/,
    );
  });

  it('have an empty bag without content or nodes, or fail when there must be one', () => {
    const size = (s: string, n: string) => apply('integer-equal', apply('string-bag-size', s), value('integer', n));
    assert.equal(decide(size(selector('//nothing'), '0')).decision, 'Permit');
    assert.equal(decide(size(selector('//q:name'), '0'), requestXml(attributes(''))).decision, 'Permit');
    const must = decide(size(selector('//nothing', 'string', 'MustBePresent="true"'), '0'));
    assert.equal(must.failure?.code, statusCodes.missingAttribute);
  });

  it('start where the context selector says', () => {
    const path = `<Attribute AttributeId="where" IncludeInResult="false"><AttributeValue xmlns:w="urn:r" DataType="${types.xpathExpression.id}" XPathCategory="${subjectCategory}">//w:inner</AttributeValue></Attribute>`;
    const xml = requestXml(
      attributes(
        `<Content><r:record xmlns:r="urn:r"><r:name>no</r:name><r:inner><r:name>yes</r:name></r:inner></r:record></Content>${path}`,
      ),
    );
    const condition = apply(
      'string-is-in',
      value('string', 'yes'),
      selector('q:name', 'string', 'ContextSelectorId="where" MustBePresent="true"'),
    );
    assert.equal(decide(condition, xml).decision, 'Permit');
  });

  it('count and compare nodes', () => {
    const count = (path: string, n: string) =>
      decide(apply('integer-equal', apply(`${f3}xpath-node-count`, xpath(path)), value('integer', n))).decision;
    assert.equal(count('//q:name', '2'), 'Permit');
    assert.equal(decide(apply(`${f3}xpath-node-match`, xpath('/q:record'), xpath('//@id'))).decision, 'Permit');
    assert.equal(decide(apply(`${f3}xpath-node-equal`, xpath('/q:record'), xpath('//@id'))).decision, 'NotApplicable');
    assert.equal(decide(apply(`${f3}xpath-node-equal`, xpath('//q:name[1]'), xpath('//q:name'))).decision, 'Permit');
  });

  it('are refused when they are no XPath 1.0', () => {
    const wrong = (s: string) =>
      refuse(policy(rule('Permit', { condition: apply('string-is-in', value('string', 'x'), s) })))[0]!.reason;
    assert.match(wrong(selector('//a[')), /not an XPath/);
    assert.match(wrong(selector('//nobody:a')), /prefix nobody is not declared/);
    assert.match(
      wrong('<AttributeSelector Category="a" Path="/a" DataType="urn:x" MustBePresent="true"/>'),
      /data type urn:x/,
    );
  });
});

describe('XACML 3.0 5.42 requests', () => {
  const permit = policy(rule('Permit'), { target: target(anyOf(match('a', '1'))) });

  it('are refused with line and reason when they are not as the schema says', () => {
    const wrong = (xml: string) => {
      const read = readRequest(xml);
      assert.ok(!read.ok, xml);
      return `${read.line}: ${read.reason}`;
    };
    assert.match(wrong('<Request/>'), /1: the document must be a <Request>/);
    assert.match(
      wrong(`<Request xmlns="${xacmlNamespace}" ReturnPolicyIdList="false"/>`),
      /lacks the attribute CombinedDecision/,
    );
    assert.match(wrong(requestXml('')), /<Attributes> must come/);
    assert.match(
      wrong(requestXml(`\n${attributes('\n<Attribute AttributeId="a"/>')}`)),
      /3: <Attribute> lacks the attribute IncludeInResult/,
    );
    assert.match(
      wrong(
        requestXml(attributes(`<Attribute AttributeId="a" IncludeInResult="no">${value('string', 'x')}</Attribute>`)),
      ),
      /is not true or false/,
    );
    assert.match(
      wrong(
        requestXml(
          attributes(`<Attribute AttributeId="a" IncludeInResult="false">${value('integer', 'x')}</Attribute>`),
        ),
      ),
      /"x" is no integer/,
    );
    assert.match(wrong(requestXml(attributes('<Content><a/><b/></Content>'))), /exactly one element/);
    assert.match(
      wrong(
        requestXml(
          attributes('') +
            attributes('') +
            '<MultiRequests><RequestReference><AttributesReference ReferenceId="x"/></RequestReference></MultiRequests>',
        ),
      ),
      /xml:id x/,
    );
    assert.match(wrong('<!DOCTYPE Request><Request/>'), /DOCTYPE/);
  });

  it('are answered with a response document in any case', () => {
    const inForce = accept(permit);
    const good = answerRequest(inForce, requestXml(attributes(attribute('a', '1'))), settings);
    assert.match(good.response, /<Decision>Permit<\/Decision><Status><StatusCode Value="[^"]+status:ok"\/>/);
    const bad = answerRequest(inForce, '<Request>\n<x>', settings);
    assert.match(
      bad.response,
      /<Decision>Indeterminate<\/Decision><Status><StatusCode Value="[^"]+status:syntax-error"\/>/,
    );
    assert.match(bad.response, /<StatusMessage>line 2: /);
  });

  it('may hold values of types nobody knows', () => {
    const xml = requestXml(
      attributes(
        `<Attribute AttributeId="b" IncludeInResult="true"><AttributeValue DataType="urn:mine">x</AttributeValue></Attribute>${attribute('a', '1')}`,
      ),
    );
    const results = askXml(permit, xml);
    assert.equal(results[0]?.decision, 'Permit');
    assert.match(writeResponse(results), /<AttributeValue DataType="urn:mine">x<\/AttributeValue>/);
  });

  it('get back the attributes they asked to be included', () => {
    const xml = requestXml(
      attributes(
        attribute('a', '1', 'IncludeInResult="true" Issuer="&lt;me&gt;"') + attribute('b', '2'),
        subjectCategory,
        ' xml:id="x"',
      ),
    );
    const response = writeResponse(askXml(permit, xml));
    assert.match(
      response,
      /<Attributes Category="[^"]+" xml:id="x"><Attribute AttributeId="a" Issuer="&lt;me>" IncludeInResult="true">/,
    );
    assert.ok(!response.includes('AttributeId="b"'));
  });
});

describe('multiple decision profile 2.3, 2.4 and 4', () => {
  const permit = accept(
    policy(rule('Permit'), {
      target: target(
        anyOf(
          match('a', '1') +
            `<Match MatchId="urn:oasis:names:tc:xacml:1.0:function:string-equal">${value('string', 'x')}${designator('b', 'string', { category: 'urn:other' })}</Match>`,
        ),
      ),
    }),
  );
  const repeated =
    attributes(attribute('a', '1')) +
    attributes(attribute('a', '2')) +
    attributes(attribute('b', 'x'), 'urn:other') +
    attributes(attribute('b', 'y'), 'urn:other');
  const decisions = (xml: string) => askXml(permit, xml).map((result) => result.decision);

  it('a category given twice asks for each combination', () => {
    assert.deepEqual(decisions(requestXml(repeated)), ['Permit', 'NotApplicable', 'NotApplicable', 'NotApplicable']);
  });

  it('references choose which', () => {
    const xml = requestXml(
      attributes(attribute('a', '1'), subjectCategory, ' xml:id="s1"') +
        attributes(attribute('a', '2'), subjectCategory, ' xml:id="s2"') +
        attributes(attribute('b', 'x'), 'urn:other', ' xml:id="o"') +
        '<MultiRequests><RequestReference><AttributesReference ReferenceId="s2"/><AttributesReference ReferenceId="o"/></RequestReference><RequestReference><AttributesReference ReferenceId="s1"/><AttributesReference ReferenceId="o"/></RequestReference></MultiRequests>',
    );
    assert.deepEqual(decisions(xml), ['NotApplicable', 'Permit']);
  });

  it('are combined when asked to: all alike, or indeterminate', () => {
    const combined = 'ReturnPolicyIdList="false" CombinedDecision="true"';
    assert.deepEqual(decisions(requestXml(repeated, combined)), ['Indeterminate']);
    const alike =
      attributes(attribute('a', '1')) + attributes(attribute('a', '1')) + attributes(attribute('b', 'x'), 'urn:other');
    assert.deepEqual(decisions(requestXml(alike, combined)), ['Permit']);
  });

  it('are bounded in number', () => {
    const many =
      Array.from({ length: 40 }, () => attributes('')).join('') +
      Array.from({ length: 40 }, () => attributes('', 'urn:other')).join('');
    const results = askXml(permit, requestXml(many));
    assert.deepEqual(
      results.map((r) => [r.decision, r.failure?.code]),
      [['Indeterminate', statusCodes.syntaxError]],
    );
  });

  it('evaluates a request without categories of its own', () => {
    const empty = { returnPolicyIds: false, combinedDecision: false, categories: [], references: undefined };
    assert.equal(evaluateRequest(permit, empty, settings)[0]?.decision, 'NotApplicable');
  });
});
