import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Problem } from '../../src/base/problem.ts';
import { applyPatch, splitMembership } from '../../src/protocol/scim/patch.ts';
import type { Resource } from '../../src/protocol/scim/resource.ts';
import { coreGroupUrn, coreUserUrn, enterpriseUserUrn, groupType, userType } from '../../src/protocol/scim/schema.ts';
import { coreUrn, enterpriseUrn } from '../../src/protocol/scim/v1/names.ts';
import { readPatch } from '../../src/protocol/scim/v1/patch.ts';

const work = { value: 'b@example.com', type: 'work', primary: true };
const home = { value: 'babs@jensen.org', type: 'home' };
const babs: Resource = {
  schemas: [coreUserUrn, enterpriseUserUrn],
  id: '1',
  userName: 'bjensen',
  title: 'Guide',
  name: { familyName: 'Jensen', givenName: 'Barbara', formatted: 'Ms. Barbara Jensen' },
  emails: [work, home],
  addresses: [
    { type: 'work', locality: 'Hollywood' },
    { type: 'home', locality: 'Anaheim' },
  ],
  [enterpriseUserUrn]: { department: 'Tours', manager: { value: 'm1' } },
};

/** The user afterwards, without what stayed as it was. */
function patch(body: object, resource = babs): Record<string, unknown> {
  const after = applyPatch(userType, resource, readPatch(userType, { schemas: [coreUrn], ...body }));
  const changed: Record<string, unknown> = {};
  for (const key of new Set([...Object.keys(resource), ...Object.keys(after)])) {
    if (JSON.stringify(after[key]) !== JSON.stringify(resource[key])) changed[key] = after[key];
  }
  return changed;
}

describe('draft-scim-api-01 section 3.3.2: PATCH of single values', () => {
  it('a single value replaces what is there; nothing else changes', () => {
    assert.deepEqual(patch({ title: 'Lead' }), { title: 'Lead' });
    assert.deepEqual(patch({ nickName: 'Babs' }), { nickName: 'Babs' });
    assert.deepEqual(patch({ title: 'Guide' }), {});
    assert.deepEqual(patch({}), {});
  });

  it('sub-attributes that are not given stay', () => {
    assert.deepEqual(patch({ name: { givenName: 'Babs' } }), {
      name: { familyName: 'Jensen', givenName: 'Babs', formatted: 'Ms. Barbara Jensen' },
    });
  });

  it('meta.attributes removes attributes and, dotted, sub-attributes, before the rest is done', () => {
    assert.deepEqual(patch({ meta: { attributes: ['title'] } }), { title: undefined });
    assert.deepEqual(patch({ name: { formatted: 'B' }, meta: { attributes: ['name.formatted', 'NAME.givenName'] } }), {
      name: { familyName: 'Jensen', formatted: 'B' },
    });
    assert.deepEqual(patch({ title: 'Lead', meta: { attributes: ['title'] } }), { title: 'Lead' });
    assert.deepEqual(patch({ emails: [home], meta: { attributes: ['emails'] } }), { emails: [home] });
    assert.deepEqual(patch({ meta: { attributes: ['urn:scim:schemas:core:1.0:addresses'] } }), {
      addresses: undefined,
    });
  });

  it('the extension is said under its URN, and removed by dotted names with it', () => {
    const department = { [enterpriseUserUrn]: { department: 'Rides', manager: { value: 'm1' } } };
    assert.deepEqual(patch({ [enterpriseUrn]: { department: 'Rides' } }), department);
    assert.deepEqual(patch({ [enterpriseUrn]: { manager: { managerId: 'm2' } } }), {
      [enterpriseUserUrn]: { department: 'Tours', manager: { value: 'm2' } },
    });
    const gone = { [enterpriseUserUrn]: { department: 'Tours' } };
    for (const name of [':manager', ':manager.managerId', '.manager', '.manager.managerId']) {
      assert.deepEqual(patch({ meta: { attributes: [`${enterpriseUrn}${name}`] } }), gone, name);
    }
    assert.deepEqual(patch({ [enterpriseUrn]: { manager: { managerId: '' } } }), gone);
    const without = { [enterpriseUserUrn]: undefined, schemas: [coreUserUrn] };
    assert.deepEqual(patch({ meta: { attributes: [enterpriseUrn] } }), without);
  });

  it('what only the server says, and what no schema has, is passed over', () => {
    const body = { id: '2', groups: [{ value: 'g' }], meta: { version: 'W/"9"' }, favourite: 'x', title: 'Lead' };
    assert.deepEqual(patch(body), { title: 'Lead' });
  });
});

describe('draft-scim-api-01 section 3.3.2: PATCH of many values', () => {
  it('a value that is not there is added; one that is there by its value is completed', () => {
    const other = { value: 'c@example.com', type: 'other' };
    assert.deepEqual(patch({ emails: [other] }), { emails: [work, home, other] });
    assert.deepEqual(patch({ emails: [{ ...home, type: 'other' }] }), { emails: [work, { ...home, type: 'other' }] });
    assert.deepEqual(patch({ emails: [home] }), {});
    assert.deepEqual(patch({ emails: ['c@example.com'] }), { emails: [work, home, { value: 'c@example.com' }] });
  });

  it('a new primary value turns the old one off', () => {
    assert.deepEqual(patch({ emails: [{ value: home.value, primary: true }] }), {
      emails: [
        { ...work, primary: false },
        { ...home, primary: true },
      ],
    });
  });

  it('operation delete removes by value, and by type where values are alike', () => {
    assert.deepEqual(patch({ emails: [{ value: home.value, operation: 'delete' }] }), { emails: [work] });
    const stale = { ...work, display: 'as it was once', primary: false, operation: 'Delete' };
    assert.deepEqual(patch({ emails: [stale] }), { emails: [home] });
    const twice = { ...babs, emails: [work, { value: work.value, type: 'home' }] };
    const one = { value: work.value, type: 'home', operation: 'delete' };
    assert.deepEqual(patch({ emails: [one] }, twice), { emails: [work] });
    assert.deepEqual(patch({ emails: [{ value: 'nobody@example.com', operation: 'delete' }] }), {});
  });

  it('values without a value, such as addresses, agree in everything that is said', () => {
    assert.deepEqual(patch({ addresses: [{ type: 'home', locality: 'Anaheim', operation: 'delete' }] }), {
      addresses: [{ type: 'work', locality: 'Hollywood' }],
    });
    assert.deepEqual(patch({ addresses: [{ type: 'work', locality: 'Hollywood' }] }), {});
  });

  it('deletions come before additions, whatever their order in the list', () => {
    const swapped = { value: work.value, type: 'other' };
    const body = { emails: [swapped, { value: work.value, operation: 'delete' }] };
    assert.deepEqual(patch(body), { emails: [home, swapped] });
  });

  it('a deletion of an attribute that meta.attributes names does nothing more', () => {
    const body = { emails: [{ value: work.value, operation: 'delete' }], meta: { attributes: ['emails'] } };
    assert.deepEqual(patch(body), { emails: undefined });
  });

  it('a value longer than a path can be is added once', () => {
    const certificate = { value: 'QUJD'.repeat(4000) };
    const body = { x509Certificates: [certificate] };
    assert.deepEqual(patch(body), { x509Certificates: [certificate] });
    assert.deepEqual(patch(body, { ...babs, x509Certificates: [certificate] }), {});
  });
});

describe('draft-scim-api-01 section 3.3.2: PATCH of a group', () => {
  const group: Resource = {
    schemas: [coreGroupUrn],
    id: 'g',
    displayName: 'Guides',
    members: [{ value: 'a' }, { value: 'b' }],
  };
  const read = (body: object) => readPatch(groupType, { schemas: [coreUrn], ...body });

  it('members come and leave by id, so the directory need not look at the others', () => {
    const operations = read({
      displayName: 'Leads',
      members: [
        { value: 'c', display: 'Cyd' },
        { value: 'a', display: 'Al', operation: 'delete' },
      ],
    });
    assert.deepEqual(splitMembership(operations)?.members, [
      { op: 'remove', ids: [{ value: 'a' }] },
      { op: 'add', ids: [{ value: 'c', display: 'Cyd' }] },
    ]);
    assert.deepEqual(applyPatch(groupType, group, operations).members, [
      { value: 'b' },
      { value: 'c', display: 'Cyd' },
    ]);
    const many = read({ members: Array.from({ length: 1000 }, (_, n) => ({ value: `m${n}` })) });
    assert.equal(many.length, 1);
  });

  it('all members go by meta.attributes, and others may come in the same request', () => {
    const operations = read({ members: [{ value: 'c' }], meta: { attributes: ['members'] } });
    assert.deepEqual(splitMembership(operations)?.members, [{ op: 'clear' }, { op: 'add', ids: [{ value: 'c' }] }]);
  });
});

describe('draft-scim-api-01 section 3.3.2: what a PATCH is refused for', () => {
  for (const [body, code] of [
    [[], 'invalidSyntax'],
    [{ schemas: ['urn:x'] }, 'invalidSyntax'],
    [{ meta: { attributes: 'title' } }, 'invalidValue'],
    [{ meta: { attributes: [7] } }, 'invalidValue'],
    [{ meta: { attributes: ['nothing'] } }, 'noTarget'],
    [{ meta: { attributes: ['id'] } }, 'mutability'],
    [{ meta: { attributes: ['a b'] } }, 'invalidPath'],
    [{ title: 7 }, 'invalidValue'],
    [{ emails: [{ value: 7 }] }, 'invalidValue'],
    [{ emails: [7] }, 'invalidValue'],
    [
      {
        emails: [
          { value: 'a', primary: true },
          { value: 'b', primary: true },
        ],
      },
      'invalidValue',
    ],
    [{ [enterpriseUrn]: 'x' }, 'invalidValue'],
  ] as const) {
    it(`${JSON.stringify(body)}: ${code}`, () => {
      assert.throws(
        () => readPatch(userType, body),
        (error) => error instanceof Problem && error.code === code,
      );
    });
  }

  it('a required attribute cannot be removed', () => {
    const operations = readPatch(userType, { meta: { attributes: ['userName'] } });
    assert.throws(
      () => applyPatch(userType, babs, operations),
      (error) => error instanceof Problem && error.code === 'mutability',
    );
  });
});
