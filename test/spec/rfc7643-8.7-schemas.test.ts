import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { Attribute, Schema } from '../../src/protocol/scim/attribute.ts';
import { attributeOf, groupType, locateAttribute, userType } from '../../src/protocol/scim/schema.ts';

const text = new URL('../../../shared/reference/rfc/rfc7643.txt', import.meta.url);

/** Where we follow the text of the RFC against the example schemas of its section 8.7.1. */
const deviations: Record<string, string> = {
  'profileUrl.caseExact': 'section 2.3.7: a reference is case exact',
  'photos.value.caseExact': 'section 2.3.7',
  'groups.$ref.caseExact': 'section 2.3.7',
  'members.$ref.caseExact': 'section 2.3.7',
  'manager.$ref.caseExact': 'section 2.3.7',
  'x509Certificates.value.caseExact': 'section 2.3.6: a binary is case exact',
  'x509Certificates.caseExact': 'section 2.3.8: a complex attribute has no case sensitivity',
  'groups.value.caseExact': 'section 3.1: an id is case exact',
  'members.value.caseExact': 'section 3.1',
  'manager.value.caseExact': 'section 3.1',
  'displayName.required': 'section 4.2: the displayName of a group is required',
  'members.value.required': 'section 4.2: a server may require it',
  'addresses.primary': 'section 2.4, and the example of RFC 7644 section 3.5.2.3',
  'members.display': 'section 2.4, and the examples of RFC 7644 section 3.5.2',
};

/** The JSON of section 8.7.1, without page breaks and with its broken strings joined. */
function readExampleSchemas(): Schema[] {
  const all = readFileSync(text, 'utf8');
  const section = all.slice(
    all.lastIndexOf('8.7.1.  Resource Schema'),
    all.lastIndexOf('8.7.2.  Service Provider Schema'),
  );
  const lines = section.split('\n').filter((line) => !/^(Hunt, et al|RFC 7643 |\f)/.test(line));
  const joined = lines.map((line) => line.trim()).join(' ');
  return JSON.parse(joined.slice(joined.indexOf('[ {'), joined.lastIndexOf(']') + 1)) as Schema[];
}

function compareAttributes(
  ours: readonly Attribute[],
  theirs: readonly Attribute[],
  at: string,
  found: Set<string>,
): void {
  const names = new Set(theirs.map(({ name }) => name));
  for (const { name } of ours) if (!names.has(name)) found.add(`${at}${name}`);
  for (const their of theirs) {
    const our = ours.find(({ name }) => name === their.name);
    assert.ok(our, `${at}${their.name} is missing`);
    for (const key of [
      'type',
      'multiValued',
      'required',
      'caseExact',
      'mutability',
      'returned',
      'uniqueness',
    ] as const) {
      // What the example leaves out has its default (section 2.2).
      if (their[key] !== undefined && their[key] !== our[key]) found.add(`${at}${their.name}.${key}`);
    }
    const canonical = their.canonicalValues?.length ? their.canonicalValues : undefined;
    assert.deepEqual(our.canonicalValues, canonical, `${at}${their.name}.canonicalValues`);
    assert.deepEqual(our.referenceTypes, their.referenceTypes, `${at}${their.name}.referenceTypes`);
    compareAttributes(our.subAttributes ?? [], their.subAttributes ?? [], `${at}${their.name}.`, found);
  }
}

describe('RFC 7643 8.7.1: schemas', () => {
  it('are those of the RFC but for the named deviations', {
    skip: existsSync(text) ? false : 'the RFC text is not here',
  }, () => {
    const found = new Set<string>();
    for (const schema of [userType.schema, groupType.schema, ...userType.extensions]) {
      const example = readExampleSchemas().find(({ id }) => id === schema.id);
      assert.ok(example, schema.id);
      compareAttributes(schema.attributes, example.attributes, '', found);
    }
    // The displayName of a user is not required, in the RFC as here.
    assert.equal(attributeOf(userType, 'displayName')?.required, false);
    assert.deepEqual(
      [...found].sort(),
      Object.keys(deviations)
        .filter((name) => name !== 'x509Certificates.caseExact')
        .sort(),
    );
  });

  it('are found by name without case, alone or with their URN (RFC 7644 3.10)', () => {
    const core = userType.schema.id;
    const enterprise = userType.extensions[0]!.id;
    const names: [string, string | undefined][] = [
      ['userName', 'userName'],
      ['USERNAME', 'userName'],
      [`${core}:name.givenName`, 'givenName'],
      [`${core.toUpperCase()}:NAME.GIVENNAME`, 'givenName'],
      ['externalId', 'externalId'],
      ['meta.lastModified', 'lastModified'],
      [`${core}:id`, 'id'],
      [`${enterprise}:department`, 'department'],
      [`${enterprise}:manager.$ref`, '$ref'],
      [`${enterprise}.manager`, 'manager'],
      ['department', 'department'],
      [`${core}:department`, undefined],
      [`${enterprise}:userName`, undefined],
      ['userName.x', undefined],
      ['urn:example:x:userName', undefined],
      ['toString', undefined],
      ['__proto__', undefined],
      ['', undefined],
    ];
    for (const [name, expected] of names) assert.equal(attributeOf(userType, name)?.name, expected, name);
    assert.deepEqual(locateAttribute(userType, enterprise), { extension: enterprise });
    assert.equal(attributeOf(userType, enterprise), undefined);
    assert.equal(attributeOf(groupType, 'userName'), undefined);
  });
});
