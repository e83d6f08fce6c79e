import { type Json, type Scim, urn } from './client.ts';
import { expect, expectSame, expectSet, expectStatus } from './expect.ts';
import { fact, must, type Row, section, should } from './row.ts';

const config = (scim: Scim) =>
  scim.shared('ServiceProviderConfig', async () => {
    const answer = await scim.get('/ServiceProviderConfig');
    expectStatus(answer, 200);
    return answer.body;
  });

const types = async (scim: Scim): Promise<Json[]> => (await scim.list('/ResourceTypes')).Resources ?? [];
const schemas = async (scim: Scim): Promise<Json[]> => (await scim.list('/Schemas')).Resources ?? [];

type Attribute = { name: string; type: string; subAttributes?: Attribute[]; [key: string]: unknown };
const flat = (attributes: Attribute[] = []): Attribute[] =>
  attributes.flatMap((one) => [one, ...flat(one.subAttributes)]);

async function everyAttribute(scim: Scim): Promise<Attribute[]> {
  const all = (await schemas(scim)).flatMap((schema) => flat(schema.attributes));
  expect(all.length > 50, `only ${all.length} attributes are described`);
  return all;
}

const words: Record<string, readonly string[]> = {
  type: ['string', 'boolean', 'decimal', 'integer', 'dateTime', 'reference', 'binary', 'complex'],
  mutability: ['readOnly', 'readWrite', 'immutable', 'writeOnly'],
  returned: ['always', 'never', 'default', 'request'],
  uniqueness: ['none', 'server', 'global'],
};

export const rows: Row[] = [
  ...section('rfc7643', '5', [
    ...['patch', 'bulk', 'filter', 'changePassword', 'sort', 'etag'].map((name) =>
      must(`${name}.supported is said, as a boolean`, async (scim) => {
        expectSame(typeof (await config(scim))[name]?.supported, 'boolean', `the kind of ${name}.supported`);
      }),
    ),
    ...(
      [
        ['bulk', 'maxOperations'],
        ['bulk', 'maxPayloadSize'],
        ['filter', 'maxResults'],
      ] as const
    ).map(([name, limit]) =>
      must(`${name}.${limit} is said, as a whole number`, async (scim) => {
        expect(Number.isInteger((await config(scim))[name]?.[limit]), `${name}.${limit} is no whole number`);
      }),
    ),
    must('each authentication scheme has a known type, a name and a description', async (scim) => {
      const { authenticationSchemes } = await config(scim);
      expect(Array.isArray(authenticationSchemes) && authenticationSchemes.length > 0, 'there is no scheme');
      for (const { type, name, description } of authenticationSchemes) {
        expect(['oauth', 'oauth2', 'oauthbearertoken', 'httpbasic', 'httpdigest'].includes(type), `type is ${type}`);
        expect(name && description, 'name or description is missing');
      }
    }),
    should('how to authenticate can be read without being authenticated', async (scim) => {
      const answer = await scim.get('/ServiceProviderConfig', { authorization: undefined });
      expectStatus(answer, 200);
      expect(answer.body?.authenticationSchemes?.length > 0, 'there is no scheme');
    }),
    must('what is called supported is there: patch, filter, sort, etag, changePassword', async (scim) => {
      const said = await config(scim);
      expectSame(
        ['patch', 'filter', 'sort', 'etag', 'changePassword'].map((name) => said[name]?.supported),
        [true, true, true, true, true],
        'what is supported',
      );
      const made = await scim.user({ title: 'a' });
      expectSame(
        (await scim.patched(made, { op: 'replace', path: 'title', value: 'b' })).title,
        'b',
        'title after a PATCH',
      );
      expectSame(
        (await scim.list('/Users', { filter: `id eq "${made.id}"`, sortBy: 'userName' })).totalResults,
        1,
        'found',
      );
      expect((await scim.get(scim.at(made))).headers['etag'], 'there is no ETag');
    }),
  ]),
  ...section('rfc7643', '6', [
    must('User and Group are resource types with their endpoints', async (scim) => {
      const known = (await types(scim)).map(({ name, endpoint, schema }) => [name, endpoint, schema]);
      for (const wanted of [
        ['User', '/Users', urn.user],
        ['Group', '/Groups', urn.group],
      ]) {
        expect(
          known.some((one) => JSON.stringify(one) === JSON.stringify(wanted)),
          `${wanted[0]} is not among ${JSON.stringify(known)}`,
        );
      }
    }),
    must('each resource type has a name, a description and its schema URN', async (scim) => {
      const all = await types(scim);
      expect(all.length >= 2, `there are ${all.length} types`);
      for (const type of all) {
        expect(
          type.name && type.description && type.endpoint && type.schema,
          `${JSON.stringify(type)} lacks something`,
        );
        expectSame(type.schemas, ['urn:ietf:params:scim:schemas:core:2.0:ResourceType'], 'schemas');
      }
    }),
    must('schema and extensions of a type are ids of served schemas', async (scim) => {
      const served = new Set((await schemas(scim)).map((schema) => schema.id));
      const named = (await types(scim)).flatMap((type) => [
        type.schema,
        ...(type.schemaExtensions ?? []).map((one: Json) => one.schema),
      ]);
      expect(named.length >= 3, `only ${named.length} schemas are named`);
      expectSame(
        named.filter((id) => !served.has(id)),
        [],
        'schemas that are not served',
      );
    }),
    must('each extension says whether it is required', async (scim) => {
      const extensions = (await types(scim)).flatMap((type) => type.schemaExtensions ?? []);
      expect(
        extensions.some((one: Json) => one.schema === urn.enterprise),
        'the enterprise extension is not named',
      );
      for (const one of extensions) expectSame(typeof one.required, 'boolean', `the kind of required of ${one.schema}`);
    }),
    must('meta.resourceType of a resource is the name of its type', async (scim) => {
      const names = (await types(scim)).map((type) => type.name);
      for (const made of [await scim.user(), await scim.group()]) {
        expect(names.includes(made.meta.resourceType), `${made.meta.resourceType} is not among ${names}`);
      }
    }),
    must('resource types cannot be written', async (scim) => {
      const answer = await scim.call('PUT', '/ResourceTypes/User', { name: 'Mine' });
      expect([400, 403, 404, 405, 501].includes(answer.status), `answered ${answer.status}`);
      expectSame((await scim.get('/ResourceTypes/User')).body?.name, 'User', 'the name');
    }),
  ]),
  ...section('rfc7643', '7', [
    must('each schema has its URN as id, a name, a description and attributes', async (scim) => {
      const all = await schemas(scim);
      expectSame(
        all.filter(
          ({ id, name, description, attributes }) => !(/^urn:/.test(id) && name && description && attributes?.length),
        ),
        [],
        'schemas that lack something',
      );
      for (const id of [urn.user, urn.group, urn.enterprise])
        expect(
          all.some((one) => one.id === id),
          `${id} is missing`,
        );
    }),
    ...Object.entries(words).map(([characteristic, allowed]) =>
      must(`${characteristic} of each attribute is one of ${allowed.join(', ')}`, async (scim) => {
        const wrong = (await everyAttribute(scim)).filter((one) => !allowed.includes(one[characteristic] as string));
        expectSame(
          wrong.map((one) => one.name),
          [],
          `attributes with another ${characteristic}`,
        );
      }),
    ),
    ...['multiValued', 'required', 'caseExact'].map((characteristic) =>
      must(`${characteristic} of each attribute is a boolean`, async (scim) => {
        const wrong = (await everyAttribute(scim)).filter((one) => typeof one[characteristic] !== 'boolean');
        expectSame(
          wrong.map((one) => one.name),
          [],
          `attributes without ${characteristic}`,
        );
      }),
    ),
    must('a complex attribute names its sub-attributes, and no other has any', async (scim) => {
      const wrong = (await everyAttribute(scim)).filter(
        (one) => (one.type === 'complex') !== (one.subAttributes ?? []).length > 0,
      );
      expectSame(
        wrong.map((one) => one.name),
        [],
        'attributes with the wrong sub-attributes',
      );
    }),
    must('a reference names what it may refer to', async (scim) => {
      const references = (await everyAttribute(scim)).filter((one) => one.type === 'reference');
      expect(references.length > 3, `only ${references.length} references are described`);
      expectSame(
        references.filter((one) => !(one.referenceTypes as string[])?.length).map((one) => one.name),
        [],
        'references to nothing',
      );
    }),
    must('each attribute has a description', async (scim) => {
      expectSame(
        (await everyAttribute(scim)).filter((one) => !one.description).map((one) => one.name),
        [],
        'attributes without',
      );
    }),
    should('what comes back has no attribute that the schemas do not describe', async (scim) => {
      const made = await scim.user({
        displayName: 'Ada',
        emails: [{ value: 'a@x.example' }],
        name: { familyName: 'King' },
      });
      const { body } = await scim.get(`/Schemas/${urn.user}`);
      const described = (body?.attributes ?? []).map((one: Json) => one.name);
      const common = ['schemas', 'id', 'externalId', 'meta'];
      expectSame(
        Object.keys(made).filter((key) => !common.includes(key) && !described.includes(key)),
        [],
        'attributes nobody described',
      );
      expect(described.includes('userName'), 'userName is not described');
    }),
    fact('messages are no schemas and are not discoverable', async (scim) => {
      const ids = (await schemas(scim)).map((schema) => schema.id);
      expect(ids.includes(urn.user), 'the user schema is missing');
      expectSet(
        ids.filter((id) => id.startsWith('urn:ietf:params:scim:api:')),
        [],
        'messages among the schemas',
      );
    }),
  ]),
];
