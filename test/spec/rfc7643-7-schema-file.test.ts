import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { attributeOf, locateAttribute, openResourceTypes } from '../../src/protocol/scim/schema.ts';
import { readSchemaFile } from '../../src/protocol/scim/schema-file.ts';

const whole = `
schemas:
  - id: urn:scim:wso2:schema
    name: WSO2
    description: What WSO2 keeps of users
    resource: User
    attributes:
      - name: country
      - name: risk
        type: decimal
        multiValued: false
        description: From 0 to 1
        required: false
        caseExact: false
        mutability: immutable
        returned: request
        uniqueness: none
      - name: tier
        canonicalValues: [gold, silver]
      - name: site
        type: reference
        referenceTypes: [external]
      - name: pin
        mutability: writeOnly
      - name: devices
        type: complex
        multiValued: true
        subAttributes:
          - { name: serial, uniqueness: server, caseExact: true, required: true }
          - { name: seen, type: dateTime }
          - { name: tags, multiValued: true }
      - name: links
        type: complex
        multiValued: true
  - id: urn:scim:schemas:extension:custom:Group
    name: Custom
    resource: Group
    required: true
    attributes: [{ name: purpose, required: true }]
`;

describe('schema extensions in a file (RFC 7643 section 7)', () => {
  it('have every characteristic, and the defaults of section 2.2 for what is left out', () => {
    const { extensions, faults } = readSchemaFile('schemas.yaml', whole);
    assert.deepEqual(faults, []);
    const types = openResourceTypes(extensions);
    assert.deepEqual(attributeOf(types.user, 'urn:scim:wso2:schema:country'), {
      name: 'country',
      type: 'string',
      multiValued: false,
      description: '',
      required: false,
      caseExact: false,
      mutability: 'readWrite',
      returned: 'default',
      uniqueness: 'none',
    });
    assert.equal(attributeOf(types.user, 'risk')?.returned, 'request');
    assert.equal(attributeOf(types.user, 'pin')?.returned, 'never', 'what is writeOnly is never returned');
    assert.equal(attributeOf(types.user, 'site')?.caseExact, true, 'references are case exact (section 2.3.7)');
    assert.deepEqual(attributeOf(types.user, 'tier')?.canonicalValues, ['gold', 'silver']);
    assert.equal(attributeOf(types.user, 'URN:SCIM:WSO2:SCHEMA:devices.SERIAL')?.name, 'serial');
    assert.deepEqual(
      types.user.unique.map(({ path }) => path),
      ['urn:scim:wso2:schema:devices.serial'],
    );
    const links = locateAttribute(types.user, 'links');
    assert.ok(links?.attribute);
    const subs = [...links.subs.values()].map(({ name }) => name);
    assert.deepEqual(subs, ['value', 'display', 'type', 'primary', '$ref'], 'as section 2.4 has them');
    assert.equal(locateAttribute(types.group, 'country'), undefined);
    assert.deepEqual(types.group.requiredExtensions, ['urn:scim:schemas:extension:custom:Group']);
    assert.deepEqual(readSchemaFile('x.json', '{"schemas": []}'), { extensions: [], faults: [] });
  });

  const schema = (attributes: string, more = 'id: urn:a:b, name: n, resource: User') =>
    `schemas:\n  - { ${more}, attributes: [${attributes}] }`;
  const bad: [what: string, text: string, says: RegExp][] = [
    ['no YAML', 'schemas: [', /^f:1:\d+: this is no YAML or JSON: /],
    ['no schemas', '[]', /^f:1:1: the file must have the key "schemas"/],
    ['another key', 'schemas: []\nshemas: []', /^f:2:1: shemas has no meaning here: known are schemas$/],
    ['schemas that are no list', 'schemas: {}', /^f:1:1: schemas must be a list.*\[\]/],
    [
      'no URN',
      schema('{name: a}', 'id: custom, name: n, resource: User'),
      /^f:2:7: schemas\[0\]\.id is "custom", .*urn:scim:/,
    ],
    ['no id', schema('{name: a}', 'name: n, resource: User'), /schemas\[0\]\.id is missing/],
    ['a URN with a space', schema('{name: a}', 'id: "urn:a:b c", name: n, resource: User'), /letters, digits/],
    [
      'a URN of the standard',
      schema('{name: a}', 'id: "urn:ietf:params:scim:schemas:core:2.0:Device", name: n, resource: User'),
      /belongs to the standard/,
    ],
    [
      'the enterprise extension again',
      schema('{name: a}', 'id: "urn:ietf:params:scim:schemas:extension:enterprise:2.0:USER", name: n, resource: User'),
      /served already/,
    ],
    ['no resource', schema('{name: a}', 'id: urn:a:b, name: n'), /resource is missing: it must be one of User, Group/],
    ['another resource', schema('{name: a}', 'id: urn:a:b, name: n, resource: Device'), /is "Device": .* User, Group/],
    ['no name', schema('{name: a}', 'id: urn:a:b, resource: User'), /schemas\[0\]\.name is missing/],
    ['no attributes', schema(''), /attributes must be a list of at least one attribute/],
    ['an unknown type', schema('{name: a, type: text}'), /attributes\[0\]\.type is "text": .*string, boolean/],
    ['a name that is none', schema('{name: 1a}'), /attributes\[0\]\.name is "1a": it must be a letter/],
    ['a name every object has', schema('{name: constructor}'), /is constructor, which no attribute can be called/],
    ['a name twice', schema('{name: a}, {name: A}'), /attributes\[1\]\.name is there twice/],
    [
      'a mistyped key',
      schema('{name: a, multivalued: true}'),
      /multivalued has no meaning here: known are .*multiValued/,
    ],
    ['a flag that is a text', schema('{name: a, required: "yes"}'), /required is "yes": it must be true or false/],
    ['a mutability', schema('{name: a, mutability: fixed}'), /mutability is "fixed": .*immutable/],
    ['writeOnly and returned', schema('{name: a, mutability: writeOnly, returned: default}'), /returned must be never/],
    ['a reference to nothing', schema('{name: a, type: reference}'), /referenceTypes is missing/],
    ['reference types of a text', schema('{name: a, referenceTypes: [uri]}'), /are for the type reference, not string/],
    ['canonical values of a boolean', schema('{name: a, type: boolean, canonicalValues: ["true"]}'), /not boolean/],
    ['canonical values that are no texts', schema('{name: a, canonicalValues: [1]}'), /must be a list of texts; quote/],
    ['a unique boolean', schema('{name: a, type: boolean, uniqueness: server}'), /uniqueness has no meaning/],
    [
      'a unique complex attribute',
      schema('{name: a, type: complex, uniqueness: server, subAttributes: [{name: b}]}'),
      /give the uniqueness to one of its subAttributes/,
    ],
    [
      'complex and empty',
      schema('{name: a, type: complex}'),
      /subAttributes must be a list of at least one sub-attribute/,
    ],
    [
      'sub-attributes of a text',
      schema('{name: a, subAttributes: [{name: b}]}'),
      /are for the type complex, not string/,
    ],
    [
      'complex within complex',
      schema('{name: a, type: complex, subAttributes: [{name: b, type: complex}]}'),
      /subAttributes\[0\]\.type is complex, and sub-attributes cannot be/,
    ],
    [
      'a URN that is also a path',
      'schemas:\n  - { id: urn:a:b, name: n, resource: User, attributes: [{name: c}] }\n  - { id: urn:a:b:C, name: n, resource: Group, attributes: [{name: d}] }',
      /^f:3:7: schemas\[1\]\.id is urn:a:b:C, which is also the path of an attribute/,
    ],
    [
      'an alias bomb',
      `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [${'*a,'.repeat(90)}]\nschemas: [${'*b,'.repeat(90)}]`,
      /cannot be read/,
    ],
  ];
  for (const [what, text, says] of bad) {
    it(`tells of ${what}`, () => {
      const { faults } = readSchemaFile('f', text);
      assert.equal(faults.filter((fault) => says.test(fault)).length, 1, faults.join('\n'));
      assert.ok(
        faults.every((fault) => /^f:\d+:\d+: /.test(fault)),
        faults.join('\n'),
      );
    });
  }

  it('tell of all their faults at once', () => {
    const { faults } = readSchemaFile('f', schema('{name: 1}, {name: b, type: x}, {name: c, returned: often}'));
    assert.equal(faults.length, 3, faults.join('\n'));
  });
});
