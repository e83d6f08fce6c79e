import { type Json, urn } from './client.ts';
import { expect, expectSame } from './expect.ts';
import { fact, type Row, section } from './row.ts';

// name, type, then what differs from: single, readWrite, default, uniqueness none, caseExact false, required false.
type Line = readonly [name: string, type: string, ...differs: string[]];

const plural = (name: string, value = 'string'): Line[] => [
  [name, 'complex', 'multi'],
  [`${name}.value`, value],
  [`${name}.display`, 'string'],
  [`${name}.type`, 'string'],
  [`${name}.primary`, 'boolean'],
];
const strings = (...names: string[]): Line[] => names.map((name) => [name, 'string']);

const tables: Record<string, { id: string; lines: readonly Line[] }> = {
  User: {
    id: urn.user,
    lines: [
      ['userName', 'string', 'required', 'unique'],
      ['name', 'complex'],
      ...strings('name.formatted', 'name.familyName', 'name.givenName', 'name.middleName'),
      ...strings('name.honorificPrefix', 'name.honorificSuffix', 'displayName', 'nickName'),
      ['profileUrl', 'reference'],
      ...strings('title', 'userType', 'preferredLanguage', 'locale', 'timezone'),
      ['active', 'boolean'],
      ['password', 'string', 'writeOnly', 'never'],
      ...plural('emails'),
      ...plural('phoneNumbers'),
      ...plural('ims'),
      ...plural('photos', 'reference'),
      ['addresses', 'complex', 'multi'],
      ...strings('addresses.formatted', 'addresses.streetAddress', 'addresses.locality', 'addresses.region'),
      ...strings('addresses.postalCode', 'addresses.country', 'addresses.type'),
      ['groups', 'complex', 'multi', 'readOnly'],
      ['groups.value', 'string', 'readOnly'],
      ['groups.$ref', 'reference', 'readOnly'],
      ['groups.display', 'string', 'readOnly'],
      ['groups.type', 'string', 'readOnly'],
      ...plural('entitlements'),
      ...plural('roles'),
      ...plural('x509Certificates', 'binary'),
    ],
  },
  Group: {
    id: urn.group,
    lines: [
      // REQUIRED in section 4.2, which the figure contradicts.
      ['displayName', 'string', 'required'],
      ['members', 'complex', 'multi'],
      ['members.value', 'string', 'immutable'],
      ['members.$ref', 'reference', 'immutable'],
      ['members.type', 'string', 'immutable'],
    ],
  },
  EnterpriseUser: {
    id: urn.enterprise,
    lines: [
      ...strings('employeeNumber', 'costCenter', 'organization', 'division', 'department'),
      ['manager', 'complex'],
      ['manager.value', 'string'],
      ['manager.$ref', 'reference'],
      ['manager.displayName', 'string', 'readOnly'],
    ],
  },
};

const canonical: readonly [attribute: string, values: readonly string[]][] = [
  ['emails', ['work', 'home', 'other']],
  ['phoneNumbers', ['work', 'home', 'mobile', 'fax', 'pager', 'other']],
  ['ims', ['aim', 'gtalk', 'icq', 'xmpp', 'msn', 'skype', 'qq', 'yahoo']],
  ['photos', ['photo', 'thumbnail']],
  ['addresses', ['work', 'home', 'other']],
  ['groups', ['direct', 'indirect']],
];

function findAttribute(schema: Json, path: string): Json {
  const [name, sub] = path.split('.');
  const attribute = schema?.attributes?.find((one: Json) => one.name === name);
  return sub === undefined ? attribute : attribute?.subAttributes?.find((one: Json) => one.name === sub);
}

export const rows: Row[] = [
  ...Object.entries(tables).flatMap(([name, { id, lines }]) =>
    section(
      'rfc7643',
      '8.7.1',
      lines.map(([path, type, ...differs]) =>
        fact(`${name}: ${path} is ${[type, ...differs].join(', ')}`, async (scim) => {
          const schema = await scim.shared(`schema ${id}`, async () => (await scim.get(`/Schemas/${id}`)).body);
          const found = findAttribute(schema, path);
          expect(found, `${path} is not described`);
          const mutability =
            differs.find((word) => ['readOnly', 'writeOnly', 'immutable'].includes(word)) ?? 'readWrite';
          expectSame(
            [found.type, found.multiValued, found.mutability, found.returned],
            [type, differs.includes('multi'), mutability, differs.includes('never') ? 'never' : 'default'],
            'type, multiValued, mutability and returned',
          );
          if (differs.includes('unique')) expectSame(found.uniqueness, 'server', 'uniqueness');
          if (!path.includes('.')) expectSame(found.required, differs.includes('required'), 'required');
        }),
      ),
    ),
  ),
  ...section(
    'rfc7643',
    '8.7.1',
    canonical.map(([attribute, values]) =>
      fact(`${attribute}.type has the canonical values ${values.join(', ')}`, async (scim) => {
        const schema = await scim.shared(
          `schema ${urn.user}`,
          async () => (await scim.get(`/Schemas/${urn.user}`)).body,
        );
        expectSame(findAttribute(schema, `${attribute}.type`)?.canonicalValues, values, 'canonicalValues');
      }),
    ),
  ),
];
