import fc from 'fast-check';
import { commonAttributes } from '../../src/protocol/scim/core-schemas.ts';
import type { Attribute, ResourceType } from '../../src/protocol/scim/schema.ts';

/** Whatever a client may send, drawn from the schemas: mostly what could be meant, now and then what could not. */

/** Few texts, close to each other, so that filters hold often; and some that break things. */
const texts = [
  'a',
  'A',
  'ab',
  'É',
  'e\u0301',
  'ΣΊΣΥΦΟΣ',
  '😀',
  '\uffee',
  '100%',
  "o'hara",
  'quo"te',
  'back\\slash',
  ' ',
  '',
  'true',
  '12',
];
const odd = [
  '\u0000',
  'a\u0000b',
  '\ud83d',
  'x'.repeat(70_000),
  '__proto__',
  'constructor',
  'bulkId:x',
  'PRIMARY/',
  '/',
  'SALES/a',
  'NO/a',
];
const text = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(...texts) },
  { weight: 1, arbitrary: fc.constantFrom(...odd) },
);
export const anyJson = fc.oneof(fc.jsonValue({ maxDepth: 3 }), text, fc.constantFrom(null, true, 0, -1, 1e300, [], {}));

function drawValue(attribute: Attribute, ids: readonly string[]): fc.Arbitrary<unknown> {
  if (attribute.multiValued) {
    const one = drawValue({ ...attribute, multiValued: false }, ids);
    return fc.oneof({ weight: 6, arbitrary: fc.array(one, { maxLength: 3 }) }, { weight: 1, arbitrary: one });
  }
  switch (attribute.type) {
    case 'complex': {
      const subs = (attribute.subAttributes ?? []).map((sub) => [sub.name, drawValue(sub, ids)] as const);
      return fc.record(Object.fromEntries(subs), { requiredKeys: [], noNullPrototype: true });
    }
    case 'boolean':
      return fc.constantFrom<unknown>(true, false, 'True', 'false');
    case 'dateTime':
      return fc.constantFrom('2011-05-13T04:42:34Z', '2011-05-13T04:42:34.5+02:00', 'yesterday');
    case 'binary':
      return fc.constantFrom('QUJD', 'QUI', '§');
    case 'integer':
    case 'decimal':
      return fc.constantFrom<unknown>(0, 12, -1.5, '1');
    default:
      return ['value', 'id'].includes(attribute.name) && attribute.caseExact
        ? fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...ids) }, { weight: 1, arbitrary: text })
        : text;
  }
}

const now = <T>(often: fc.Arbitrary<T>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 25, arbitrary: often as fc.Arbitrary<unknown> }, { weight: 1, arbitrary: anyJson });

/** Names are many, so that not every creation is a conflict. */
const name = fc.oneof({ weight: 4, arbitrary: fc.stringMatching(/^[a-z]{3,8}$/) }, { weight: 1, arbitrary: text });

/** A body for a POST or PUT. */
export function resourceOf(type: ResourceType, ids: readonly string[]): fc.Arbitrary<Record<string, unknown>> {
  const fields: Record<string, fc.Arbitrary<unknown>> = {};
  for (const attribute of [...commonAttributes, ...type.schema.attributes]) {
    const value = attribute.name === 'password' ? fc.constant(undefined) : drawValue(attribute, ids);
    fields[attribute.name] = now(attribute.name === 'userName' || attribute.name === 'displayName' ? name : value);
  }
  for (const { id, attributes } of type.extensions) {
    const inner = attributes.map((attribute) => [attribute.name, now(drawValue(attribute, ids))] as const);
    fields[id] = fc.record(Object.fromEntries(inner), { requiredKeys: [], noNullPrototype: true });
  }
  const urns = [type.schema.id, ...type.extensions.map(({ id }) => id)];
  fields.schemas = now(fc.constantFrom(urns, urns.slice(0, 1)));
  const few = fc.subarray(Object.keys(fields), { maxLength: 6 });
  const named = type.name === 'User' ? 'userName' : 'displayName';
  return few.chain((chosen) => {
    const keys = new Set([...chosen, 'schemas', named]);
    const picked = Object.fromEntries(Object.entries(fields).filter(([key]) => keys.has(key)));
    return fc.record(picked, { noNullPrototype: true });
  });
}

/** The paths of every attribute and sub-attribute. */
export function pathsOf(type: ResourceType): string[] {
  const list = (attributes: readonly Attribute[], prefix: string) =>
    attributes.flatMap(({ name: path, subAttributes }) => [
      `${prefix}${path}`,
      ...(subAttributes ?? []).map((sub) => `${prefix}${path}.${sub.name}`),
    ]);
  return [
    ...list([...commonAttributes, ...type.schema.attributes], ''),
    ...type.extensions.flatMap(({ id, attributes }) => list(attributes, `${id}:`)),
  ];
}

const ops = ['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le', 'pr', 'eq', 'EQ', 'xx'];

/** A filter over the attributes of these types; without `PRIMARY/`, which a search reads as we write names. */
export function filterOf(types: readonly ResourceType[], ids: readonly string[]): fc.Arbitrary<string> {
  const literal = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...texts, ...ids, 'User', 'Group', 'work', 'direct', 'W/"1"') },
    { weight: 2, arbitrary: fc.constantFrom<unknown>(true, false, null, 12, 'True', '2011-05-13T04:42:34Z') },
    { weight: 1, arbitrary: fc.constantFrom(...odd.filter((one) => one.length < 100 && !one.startsWith('PRIMARY'))) },
  );
  const path = fc.oneof(
    { weight: 20, arbitrary: fc.constantFrom(...types.flatMap(pathsOf)) },
    { weight: 1, arbitrary: fc.constantFrom('nothing', 'a:b', 'emails[', '', '__proto__', 'toString') },
  );
  const compare = (left: fc.Arbitrary<string>) =>
    fc
      .tuple(left, fc.constantFrom(...ops), literal)
      .map(([attr, op, value]) => (op === 'pr' ? `${attr} pr` : `${attr} ${op} ${JSON.stringify(value)}`));
  const inner = fc.constantFrom('value', 'type', 'display', 'primary', '$ref', 'givenName', 'resourceType', 'nothing');
  const has = fc
    .tuple(
      fc.constantFrom('emails', 'members', 'groups', 'name', 'meta', 'roles', 'manager'),
      compare(inner),
      compare(inner),
    )
    .map(([attr, one, other]) => `${attr}[${one} and not (${other})]`);
  const leaf = fc.oneof({ weight: 5, arbitrary: compare(path) }, { weight: 1, arbitrary: has });
  return fc.oneof(
    { weight: 4, arbitrary: leaf },
    { weight: 1, arbitrary: leaf.map((one) => `not (${one})`) },
    { weight: 2, arbitrary: fc.tuple(leaf, leaf).map(([a, b]) => `${a} and ${b}`) },
    { weight: 2, arbitrary: fc.tuple(leaf, leaf, leaf).map(([a, b, c]) => `(${a} or ${b}) and not (${c})`) },
  );
}

/** A PATCH operation; the value is mostly of the attribute that the path names. */
export function operationOf(type: ResourceType, ids: readonly string[]): fc.Arbitrary<unknown> {
  const attributes = [...type.schema.attributes, ...commonAttributes].filter((one) => one.name !== 'password');
  const op = fc.oneof(
    { weight: 15, arbitrary: fc.constantFrom('add', 'remove', 'replace', 'Add', 'Replace') },
    { weight: 1, arbitrary: fc.constant('nonsense') },
  );
  const writable = attributes.filter((one) => one.mutability !== 'readOnly' && one.name !== 'schemas');
  const chosen = fc.oneof(
    { weight: 10, arbitrary: fc.constantFrom(...writable) },
    { weight: 1, arbitrary: fc.constantFrom(...attributes) },
  );
  const targeted = chosen.chain((attribute) => {
    const subs = attribute.subAttributes ?? [];
    const value = now(drawValue(attribute, ids));
    const whole = fc.record(
      { op, path: fc.constant(attribute.name), value },
      { requiredKeys: ['op', 'path'], noNullPrototype: true },
    );
    if (subs.length === 0) return whole;
    const deep = fc.constantFrom(...subs).chain((sub) => {
      const path = fc.constantFrom(
        `${attribute.name}.${sub.name}`,
        `${attribute.name}[type eq "a"].${sub.name}`,
        `${attribute.name}[${sub.name} pr]`,
      );
      const inside = fc.oneof(now(drawValue(sub, ids)), drawValue({ ...attribute, multiValued: false }, ids));
      return fc.record({ op, path, value: inside }, { requiredKeys: ['op', 'path'], noNullPrototype: true });
    });
    return fc.oneof(whole, deep);
  });
  const without = fc.record({ op, value: now(resourceOf(type, ids)) }, { noNullPrototype: true });
  const wild = fc.record({ op, path: text, value: anyJson }, { requiredKeys: ['op'], noNullPrototype: true });
  return fc.oneof(
    { weight: 6, arbitrary: targeted },
    { weight: 2, arbitrary: without },
    { weight: 1, arbitrary: wild },
  );
}
