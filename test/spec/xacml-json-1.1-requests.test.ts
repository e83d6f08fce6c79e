import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { types } from '../../src/rules/datatypes/table.ts';
import { readJsonRequest } from '../../src/rules/json/read-request.ts';
import { writeJsonResponse } from '../../src/rules/json/write-response.ts';
import { readRequest } from '../../src/rules/read-request.ts';
import type { RequestCategory, XacmlRequest } from '../../src/rules/request.ts';

// JSON Profile of XACML 3.0, version 1.1: named are its sections.

type Json = Record<string, unknown>;

const accessSubject = 'urn:oasis:names:tc:xacml:1.0:subject-category:access-subject';
const action = 'urn:oasis:names:tc:xacml:3.0:attribute-category:action';

function read(request: Json | string): XacmlRequest {
  const got = readJsonRequest(typeof request === 'string' ? request : JSON.stringify({ Request: request }));
  assert.ok(got.ok, got.ok ? '' : got.reason);
  return got.request;
}

function refuse(request: Json | string): string {
  const got = readJsonRequest(typeof request === 'string' ? request : JSON.stringify({ Request: request }));
  assert.ok(!got.ok, `it is taken: ${JSON.stringify(request)}`);
  return got.reason;
}

/** The values of one attribute, as type and text. */
function valuesOf(attribute: Json | string): [string, string][] {
  const text = typeof attribute === 'string' ? attribute : JSON.stringify({ AttributeId: 'a', ...attribute });
  const { values } = read(`{"Request":{"Action":[{"Attribute":[${text}]}]}}`).categories[0]!.attributes[0]!;
  return values.map(({ type, value }) =>
    typeof type === 'string' ? [type, String(value)] : [type.name, type.print(value)],
  );
}

const refuseAttribute = (attribute: Json) =>
  refuse({ Action: [{ Attribute: [{ AttributeId: 'a', ...attribute }] }] }).replace(
    'Request.Action[0].Attribute[0]',
    '…',
  );

describe('3.2 objects', () => {
  it('3.2.1: names are exact, and no other is known', () => {
    assert.match(refuse({ accessSubject: [] }), /^Request: has no "accessSubject"; known are .*AccessSubject/);
    assert.match(refuse({ Action: [{ CategoryId: action }] }), /^Request\.Action\[0\]: has no "CategoryId"/);
    assert.match(refuse('{"request":{}}'), /^the body: has no "request"; known are Request/);
    assert.match(refuse('{}'), /^Request: is missing/);
    assert.match(refuse({ Action: [{ Attribute: [{ AttributeId: 'a', Value: 1, ' Issuer': 'x' }] }] }), /" Issuer"/);
    assert.match(refuse('{"Request":{"Action":[{"__proto__":{"Id":"x"}}]}}'), /has no "__proto__"/);
  });

  it('3.2.3: what may occur more than once is a list, with something in it where it is needed; one object is taken for a list of one', () => {
    const one = { AttributeId: 'a', Value: 'x' };
    const listed = read({ Action: [{ Attribute: [one] }] });
    assert.deepEqual(read({ Action: { Attribute: one } }), listed);
    assert.deepEqual(read({ Category: { CategoryId: 'Action', Attribute: [one] } }), listed);
    assert.deepEqual(read({ Action: [{ Attribute: [] }] }), read({ Action: [{}] }));
    assert.match(refuseAttribute({ Value: [] }), /^…\.Value: is empty/);
    assert.match(refuse({ Action: [{}], MultiRequests: { RequestReference: [] } }), /RequestReference: is empty/);
    assert.match(refuse({}), /asks about nothing/);
    assert.match(refuse({ Action: [[{}]] }), /^Request\.Action\[0\]: must be an object/);
  });

  it('3.2.4: what has no value is left out', () => {
    assert.match(refuse({ Action: null }), /^Request\.Action: is null; what has no value is left out/);
    assert.match(refuseAttribute({ Value: 'x', Issuer: null }), /^…\.Issuer: is null/);
    assert.match(refuseAttribute({ Value: ['x', null] }), /^…\.Value\[1\]: must be a text/);
    assert.match(refuseAttribute({}), /^…\.Value: is missing/);
  });

  it('is read as JSON, and a name said twice is not chosen from', () => {
    assert.match(refuse('{"Request":'), /^it is not JSON: /);
    assert.match(refuse(''), /^it is not JSON: /);
    assert.match(refuse('[]'), /must be an object/);
    assert.match(refuse('{"Request":{"Action":[{}],"Action":[{}]}}'), /a name occurs twice/);
    assert.match(
      refuse('{"Request":{"Action":[{"Attribute":[{"AttributeId":"a","\\u0041ttributeId":"b"}]}]}}'),
      /twice/,
    );
    assert.equal(
      read('{"Request":{"Action":[{"Id":"a\\":{[,\\"Id\\": \\\\"}]}}').categories[0]!.xmlId,
      'a":{[,"Id": \\',
    );
    assert.match(refuse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`), /nested deeper/);
    // Quadratic work would take minutes.
    assert.match(refuse(`{"a":"${'\\"'.repeat(500_000)}`), /not JSON/);
  });
});

describe('3.3 data types', () => {
  it('3.3.1: are those of XACML, by URI or short name', () => {
    const samples: Partial<Record<keyof typeof types, string>> = {
      time: '09:30:00Z',
      date: '2026-01-31',
      dateTime: '2026-01-31T09:30:00Z',
      dayTimeDuration: 'P1DT2H',
      yearMonthDuration: 'P1Y2M',
      anyURI: 'http://example.org/a',
      hexBinary: '0AFF',
      base64Binary: 'AAEC',
      rfc822Name: 'ada@example.org',
      x500Name: 'cn=Ada,o=Example',
      ipAddress: '10.0.0.1',
      dnsName: 'example.org:80',
    };
    for (const [name, Value] of Object.entries(samples)) {
      const type = types[name as keyof typeof types];
      assert.deepEqual(valuesOf({ DataType: name, Value }), [[name, type.print(type.parse(Value))]]);
      assert.deepEqual(valuesOf({ DataType: type.id, Value }), valuesOf({ DataType: name, Value }));
      assert.match(refuseAttribute({ DataType: name, Value: 1 }), new RegExp(`must be a text to be ${name}`));
      if (name !== 'x500Name') assert.match(refuseAttribute({ DataType: name, Value: '? ?' }), /"\? \?" is no /);
    }
    assert.deepEqual(valuesOf({ DataType: 'urn:of:others', Value: 'x' }), [['urn:of:others', 'x']]);
    assert.match(refuseAttribute({ DataType: 'strnig', Value: 'x' }), /^…\.DataType: "strnig" is no data type/);
    assert.match(refuseAttribute({ DataType: 'toString', Value: 'x' }), /is no data type/);
    assert.match(refuseAttribute({ DataType: 7, Value: 'x' }), /^…\.DataType: must be a text/);
  });

  it('3.3.1: are inferred from texts, numbers and booleans where none is given', () => {
    const infer = (value: string) => valuesOf(`{"AttributeId":"a","Value":${value}}`);
    assert.deepEqual(infer('"2026-01-31"'), [['string', '2026-01-31']]);
    assert.deepEqual(infer('true'), [['boolean', 'true']]);
    assert.deepEqual(infer('-7'), [['integer', '-7']]);
    assert.deepEqual(infer('12345678901234567890'), [['integer', '12345678901234567890']]);
    assert.deepEqual(infer('1.5')[0]![0], 'double');
    assert.deepEqual(infer('1.0')[0]![0], 'double');
    assert.deepEqual(infer('1e3')[0]![0], 'double');
    assert.match(refuseAttribute({ Value: {} }), /^…\.DataType: must be xpathExpression/);
    assert.match(refuseAttribute({ Value: [['x']] }), /^…\.Value\[0\]: must be a text/);
  });

  it('3.3.1: and may be said of values that could be inferred', () => {
    assert.deepEqual(valuesOf({ DataType: 'double', Value: 5 }), [['double', types.double.print(5)]]);
    assert.deepEqual(valuesOf({ DataType: 'integer', Value: '5' }), [['integer', '5']]);
    assert.deepEqual(valuesOf({ DataType: 'boolean', Value: '1' }), [['boolean', 'true']]);
    assert.match(refuseAttribute({ DataType: 'string', Value: 5 }), /must be a text to be string/);
    assert.match(refuseAttribute({ DataType: 'integer', Value: 1.5 }), /"1\.5" is no integer/);
    assert.match(refuseAttribute({ DataType: 'boolean', Value: 1 }), /must be true or false or a text to be boolean/);
  });

  it('3.3.2: are one for all values of a list, whole numbers being doubles beside others', () => {
    assert.deepEqual(valuesOf({ Value: ['a', 'b'] }), [
      ['string', 'a'],
      ['string', 'b'],
    ]);
    assert.deepEqual(
      valuesOf({ Value: [1, 2.5] }).map(([type]) => type),
      ['double', 'double'],
    );
    assert.match(refuseAttribute({ Value: ['a', true] }), /^…\.Value: has values of several kinds/);
    assert.match(refuseAttribute({ DataType: 'date', Value: ['2026-01-31', 'x'] }), /^…\.Value\[1\]: "x" is no date/);
  });

  it('3.3.3: XPath expressions are objects, with their namespaces', () => {
    const Value = {
      XPathCategory: 'Resource',
      Namespaces: [{ Namespace: 'urn:default' }, { Prefix: 'md', Namespace: 'urn:md' }],
      XPath: '//md:record',
    };
    const { values } = read({ Action: [{ Attribute: [{ AttributeId: 'a', DataType: 'xpathExpression', Value }] }] })
      .categories[0]!.attributes[0]!;
    assert.deepEqual(values, [
      {
        type: types.xpathExpression,
        value: {
          path: '//md:record',
          namespaces: new Map([
            ['', 'urn:default'],
            ['md', 'urn:md'],
          ]),
          category: 'urn:oasis:names:tc:xacml:3.0:attribute-category:resource',
        },
      },
    ]);
    const DataType = 'xpathExpression';
    assert.match(refuseAttribute({ DataType, Value: '//a' }), /must be an object with XPathCategory and XPath/);
    assert.match(refuseAttribute({ DataType, Value: { XPath: '//a' } }), /^…\.Value\.XPathCategory: is missing/);
    assert.match(refuseAttribute({ DataType, Value: { ...Value, XPath: '//[' } }), /^…\.Value\.XPath: /);
    assert.match(refuseAttribute({ DataType, Value: { ...Value, XPath: '//x:a' } }), /^…\.Value\.XPath: /);
  });

  it('3.3.4: numbers that JSON has none for are texts', () => {
    for (const Value of ['NaN', 'INF', '-INF']) {
      assert.deepEqual(valuesOf({ DataType: 'double', Value }), [['double', Value]]);
      assert.deepEqual(valuesOf({ Value }), [['string', Value]]);
    }
  });
});

describe('4.2 the request', () => {
  it('4.2.1: has defaults, and flags that are true or false', () => {
    const plain = read({ Action: [{}] });
    assert.deepEqual([plain.returnPolicyIds, plain.combinedDecision, plain.references], [false, false, undefined]);
    const full = read({
      ReturnPolicyIdList: true,
      CombinedDecision: true,
      XPathVersion: 'http://www.w3.org/TR/1999/REC-xpath-19991116',
      Action: [{}],
    });
    assert.deepEqual([full.returnPolicyIds, full.combinedDecision], [true, true]);
    assert.match(refuse({ ReturnPolicyIdList: 'true', Action: [{}] }), /^Request\.ReturnPolicyIdList: must be true or/);
    assert.match(
      refuse({ XPathVersion: 'http://www.w3.org/TR/xpath20', Action: [{}] }),
      /^Request\.XPathVersion: must be/,
    );
  });

  it('4.2.2: names standard categories short, and all others by URI', () => {
    const shorts = {
      AccessSubject: accessSubject,
      RecipientSubject: 'urn:oasis:names:tc:xacml:1.0:subject-category:recipient-subject',
      IntermediarySubject: 'urn:oasis:names:tc:xacml:1.0:subject-category:intermediary-subject',
      Codebase: 'urn:oasis:names:tc:xacml:1.0:subject-category:codebase',
      RequestingMachine: 'urn:oasis:names:tc:xacml:1.0:subject-category:requesting-machine',
      Resource: 'urn:oasis:names:tc:xacml:3.0:attribute-category:resource',
      Action: action,
      Environment: 'urn:oasis:names:tc:xacml:3.0:attribute-category:environment',
    };
    for (const [name, category] of Object.entries(shorts)) {
      assert.equal(read({ [name]: [{ Id: 'x' }] }).categories[0]!.category, category);
      assert.deepEqual(read({ Category: [{ CategoryId: name, Id: 'x' }] }), read({ [name]: [{ Id: 'x' }] }));
      assert.deepEqual(read({ Category: [{ CategoryId: category, Id: 'x' }] }), read({ [name]: [{ Id: 'x' }] }));
    }
    assert.equal(read({ Category: [{ CategoryId: 'http://wso2.org/identity/user' }] }).categories.length, 1);
    assert.equal(read({ Action: [{}, {}], Resource: [{}] }).categories.length, 3, 'each asks for decisions');
    assert.match(refuse({ Category: [{}] }), /^Request\.Category\[0\]\.CategoryId: is missing/);
    assert.match(refuse({ Category: [{ CategoryId: '%zz' }] }), /CategoryId: "%zz" is not a URI/);
    assert.match(refuse({ Action: [{ Id: 'a' }, { Id: 'a' }] }), /has two categories with the Id a/);
  });

  it('4.2.3: content is XML, as it is or in Base64', () => {
    const xml = '<?xml version="1.0"?><r xmlns="urn:r"><é>&amp;</é></r>';
    const { content } = read({ Resource: [{ Content: xml }] }).categories[0]!;
    assert.match(content!.xml, /<é>&amp;<\/é>/);
    assert.deepEqual(
      read({ Resource: [{ Content: Buffer.from(xml).toString('base64') }] }).categories[0]!.content,
      content,
    );
    const refusals: [unknown, RegExp][] = [
      ['<r>', /Content: line 1: the XML is not well-formed/],
      ['<!DOCTYPE r [<!ENTITY a "b">]><r/>', /Content: line 1: .*DOCTYPE/],
      ['no content', /must be XML, or XML in Base64/],
      [Buffer.from([0xff, 0xfe]).toString('base64'), /Base64, of UTF-8/],
      [{ r: {} }, /Content: must be a text/],
    ];
    for (const [Content, why] of refusals) assert.match(refuse({ Resource: [{ Content }] }), why);
  });

  it('4.2.4: attributes have an id, and an issuer where it matters', () => {
    const [attribute] = read({
      Action: [{ Attribute: [{ AttributeId: 'urn:a', Issuer: 'acme', IncludeInResult: true, Value: 'x' }] }],
    }).categories[0]!.attributes;
    assert.deepEqual([attribute!.id, attribute!.issuer, attribute!.includeInResult], ['urn:a', 'acme', true]);
    assert.match(refuse({ Action: [{ Attribute: [{ Value: 'x' }] }] }), /AttributeId: is missing/);
    assert.match(
      refuse({ Action: [{ Attribute: [{ AttributeId: '', Value: 'x' }] }] }),
      /AttributeId: "" is not a URI/,
    );
    assert.match(refuseAttribute({ Value: 'x', IncludeInResult: 'yes' }), /IncludeInResult: must be true or false/);
  });

  it('4.2.5 and 4.2.6: several decisions by reference', () => {
    const categories = { AccessSubject: [{ Id: 's1' }, { Id: 's2' }], Action: [{ Id: 'a1' }] };
    const ask = (...lists: unknown[]) => ({
      ...categories,
      MultiRequests: { RequestReference: lists.map((ReferenceId) => ({ ReferenceId })) },
    });
    assert.deepEqual(read(ask(['s1', 'a1'], ['s2', 'a1'])).references, [
      ['s1', 'a1'],
      ['s2', 'a1'],
    ]);
    assert.match(refuse(ask(['s1', 'b1'])), /RequestReference\[0\]\.ReferenceId\[1\]: no category has the Id b1/);
    assert.match(refuse(ask([])), /ReferenceId: is empty/);
    assert.match(refuse({ Action: [{}], MultiRequests: [{}] }), /MultiRequests: must be an object/);
  });
});

describe('whatever comes', () => {
  const names = ['Request', 'Category', 'CategoryId', 'Action', 'Attribute', 'AttributeId', 'Value', 'DataType', 'Id'];
  const leaf = fc.oneof(
    fc.constantFrom<unknown>(null, true, 1, 1.5, '', 'Action', 'integer', 'xpathExpression', '//a', '<r/>', 'urn:a'),
    fc.string(),
  );
  const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 6, withCrossShrink: true },
      leaf,
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom(...names, 'Content', 'MultiRequests', 'XPath', '__proto__'), tie('tree'), {
        maxKeys: 4,
      }),
    ),
  }));

  it('is read or refused with a reason, and never breaks anything', () => {
    const check = (text: string) => {
      const got = readJsonRequest(text);
      assert.ok(got.ok || got.reason !== '');
    };
    fc.assert(
      fc.property(tree, (value) => check(JSON.stringify({ Request: value }))),
      { numRuns: 2_000 },
    );
    const attribute = fc.record({ AttributeId: leaf, Value: tree, DataType: leaf }, { requiredKeys: ['AttributeId'] });
    const asked = fc.record({ Action: fc.array(fc.record({ Attribute: fc.array(attribute) })) });
    fc.assert(
      fc.property(asked, (value) => check(JSON.stringify({ Request: value }))),
      { numRuns: 2_000 },
    );
    fc.assert(fc.property(fc.string(), check));
  });
});

const folder = join(import.meta.dirname, '../../../shared/conformance/xacml');
const absent = existsSync(folder) ? false : `there are no cases at ${folder}`;
if (absent) console.log(`skipped: ${absent}`);

describe('1 nothing is lost', { skip: absent }, () => {
  it('between XML and JSON, in the requests of the conformance cases', () => {
    const requests = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('Request.xml'))
      .flatMap((name) => {
        const got = readRequest(readFileSync(join(folder, name), 'utf8'));
        return got.ok ? [got.request] : [];
      });
    assert.ok(requests.length > 300, `only ${requests.length}`);
    for (const request of requests) {
      const again = read(toJson(request));
      assert.deepEqual(
        { ...again, categories: again.categories.map(plain) },
        {
          ...request,
          categories: request.categories.map(plain),
        },
      );
    }
  });
});

/** As the answer writes attributes that are to be included, with the rest of the request around them. */
function toJson({ categories, returnPolicyIds, combinedDecision, references }: XacmlRequest): Json {
  const written = JSON.parse(
    writeJsonResponse([
      {
        decision: 'Permit',
        extended: 'permit',
        failure: undefined,
        decider: undefined,
        obligations: [],
        advice: [],
        included: categories,
        policies: undefined,
        readsClock: false,
        trace: undefined,
      },
    ]),
  );
  const list: Json[] = written.Response[0].Category;
  return {
    ReturnPolicyIdList: returnPolicyIds,
    CombinedDecision: combinedDecision,
    Category: list.map((one, n) => ({
      ...one,
      ...(categories[n]!.content ? { Content: categories[n]!.content.xml } : {}),
    })),
    ...(references ? { MultiRequests: { RequestReference: references.map((ids) => ({ ReferenceId: ids })) } } : {}),
  };
}

/** Attributes value by value: XML may mix types in one. */
function plain({ attributes, ...category }: RequestCategory) {
  const flat = attributes.flatMap(({ values, ...attribute }) =>
    values.map(({ type, value }) => [
      JSON.stringify(attribute),
      typeof type === 'string' ? type : type.id,
      typeof type === 'string' ? value : String(type.key(value, 0)),
    ]),
  );
  return { ...category, attributes: flat.map((one) => one.join(' ')).sort() };
}
