import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import fc from 'fast-check';
import { Problem } from '../../src/base/problem.ts';
import { parseFilter } from '../../src/protocol/scim/filter.ts';
import { checkFilter, matchesFilter } from '../../src/protocol/scim/match.ts';
import { type JsonObject, type Resource, readResource } from '../../src/protocol/scim/resource.ts';
import { groupType, type ResourceType, userType } from '../../src/protocol/scim/schema.ts';
import { eachDatabase } from '../database.ts';
import { anyJson, filterOf, operationOf, pathsOf, resourceOf } from './scim-anything.ts';
import { type Answer, groupSchemas, openScimBed, patchSchemas, type ScimBed, userSchemas } from './scim-bed.ts';

const errorUrn = 'urn:ietf:params:scim:api:messages:2.0:Error';
const searchUrn = 'urn:ietf:params:scim:api:messages:2.0:SearchRequest';
const bulkUrn = 'urn:ietf:params:scim:api:messages:2.0:BulkRequest';
const types = [userType, groupType] as const;
const seed = Number(process.env.PURVEY_TEST_SEED ?? 20261125);

eachDatabase('the SCIM door and anything at all', (database) => {
  let bed: ScimBed;
  const ids: string[] = [];
  /** SQLite is asked more: what differs between the databases is tried in test/directory. */
  const runs = (many: number) => ({ numRuns: database.kind === 'sqlite' ? many : Math.ceil(many / 5), seed });

  before(async () => {
    bed = await openScimBed(await database.open());
    for (const [n, one] of fc.sample(resourceOf(userType, ['x']), { numRuns: 25, seed }).entries()) {
      const made = await bed.call('POST', '/Users', { ...one, userName: `user${n}`, schemas: undefined });
      assert.equal(made.status, 400);
      const again = await bed.call('POST', '/Users', { ...one, userName: `user${n}`, schemas: userSchemas });
      const plain = { schemas: userSchemas, userName: `user${n}`, title: 'a' };
      const kept = again.status === 201 ? again : await bed.call('POST', '/Users', plain);
      ids.push(kept.body.id);
    }
    for (let n = 0; n < 6; n++) {
      const members = ids.filter((_, i) => i % (n + 2) === 0).map((value) => ({ value }));
      const body = { schemas: groupSchemas, displayName: `group${n}`, members, ...(n % 2 ? { externalId: 'a' } : {}) };
      ids.push((await bed.call('POST', '/Groups', body)).body.id);
    }
  });
  after(() => bed[Symbol.asyncDispose]());

  /** Never our fault, and always in the form of SCIM. */
  function check(answer: Answer, what: unknown): Answer {
    const said = `${answer.status} ${JSON.stringify(answer.body)?.slice(0, 400)} to ${JSON.stringify(what)?.slice(0, 2_000)}`;
    assert.ok(answer.status < 500 || answer.status === 501, said);
    if (answer.status >= 400) {
      assert.deepEqual(answer.body?.schemas, [errorUrn], said);
      assert.equal(answer.body.status, String(answer.status), said);
      assert.equal(typeof answer.body.detail, 'string', said);
    }
    assert.deepEqual(bed.logged, [], said);
    return answer;
  }

  /** What the schema's rules say of a resource that a client is shown. */
  function checkSound(type: ResourceType, shown: Resource): void {
    const { id, meta, groups: _, ...rest } = shown;
    assert.ok(typeof id === 'string' && meta?.resourceType === type.name);
    const members = rest.members as JsonObject[] | undefined;
    assert.deepEqual(readResource(type, structuredClone(shown)), { ...rest, ...(members ? { members } : {}) });
    for (const [name, values] of Object.entries(shown)) {
      if (!Array.isArray(values)) continue;
      assert.ok(values.length > 0, name);
      assert.ok(values.filter((value) => (value as JsonObject)?.primary === true).length <= 1, name);
    }
    assert.equal(rest.password, undefined);
  }

  it('random resources are stored as the schema says, or refused', async () => {
    let stored = 0;
    for (const type of types) {
      await fc.assert(
        fc.asyncProperty(resourceOf(type, ids), resourceOf(type, ids), async (body, other) => {
          const made = check(await bed.call('POST', type.endpoint, body), body);
          if (made.status !== 201) return;
          stored++;
          checkSound(type, made.body);
          const place = `${type.endpoint}/${made.body.id}`;
          assert.deepEqual((await bed.call('GET', place)).body, made.body);
          const put = check(await bed.call('PUT', place, other), other);
          const read = (await bed.call('GET', place)).body;
          if (put.status === 200) assert.deepEqual(put.body, read);
          else assert.deepEqual(read, made.body);
          checkSound(type, read);
          assert.equal((await bed.call('DELETE', place)).status, 204);
        }),
        runs(100),
      );
    }
    assert.ok(stored > (database.kind === 'sqlite' ? 60 : 10), `${stored} were stored`);
  });

  it('random sequences of PATCHes leave a sound resource, and one that fails leaves it as it was', async () => {
    let applied = 0;
    for (const type of types) {
      const sequence = fc.array(fc.array(operationOf(type, ids), { minLength: 1, maxLength: 3 }), {
        minLength: 1,
        maxLength: 4,
      });
      await fc.assert(
        fc.asyncProperty(resourceOf(type, ids), sequence, async (body, patches) => {
          const made = check(await bed.call('POST', type.endpoint, body), body);
          if (made.status !== 201) return;
          const place = `${type.endpoint}/${made.body.id}`;
          let before = made.body;
          for (const Operations of patches) {
            const patched = check(await bed.call('PATCH', place, { schemas: patchSchemas, Operations }), Operations);
            const after = (await bed.call('GET', place)).body;
            if (patched.status >= 400) assert.deepEqual(after, before, JSON.stringify(Operations));
            else applied++;
            if (patched.status === 200) assert.deepEqual(patched.body, after);
            checkSound(type, after);
            before = after;
          }
          assert.equal((await bed.call('DELETE', place)).status, 204);
        }),
        runs(100),
      );
    }
    assert.ok(applied > (database.kind === 'sqlite' ? 60 : 10), `${applied} were applied`);
  });

  it('random filters find what looking at every resource finds', async () => {
    let held = 0;
    const all = new Map<ResourceType, Resource[]>();
    for (const type of types) {
      all.set(type, (await bed.call('GET', `${type.endpoint}?count=200`)).body.Resources);
    }
    for (const [endpoint, asked] of [
      ['/Users', [userType]],
      ['/Groups', [groupType]],
      ['/', types],
    ] as const) {
      await fc.assert(
        fc.asyncProperty(filterOf(asked, ids), async (text) => {
          const answer = check(
            await bed.call('GET', `${endpoint}?count=200&filter=${encodeURIComponent(text.toWellFormed())}`),
            text,
          );
          const expected = evaluate(text.toWellFormed(), asked, all);
          if (!expected) {
            const isSecret = answer.status === 403 && /\bpassword\b/i.test(text);
            const refused = isSecret ? [403, 'sensitive'] : [400, 'invalidFilter'];
            assert.deepEqual([answer.status, answer.body.scimType], refused, text);
            return;
          }
          assert.equal(answer.status, 200, `${text}: ${JSON.stringify(answer.body)}`);
          const found = answer.body.Resources.map((one: Resource) => one.id).sort();
          assert.deepEqual(found, expected, text);
          assert.equal(answer.body.totalResults, expected.length, text);
          if (expected.length > 0) held++;
        }),
        runs(250),
      );
    }
    assert.ok(held > (database.kind === 'sqlite' ? 100 : 15), `${held} found somebody`);
  });

  it('random parameters of a search, in an address or in a body, with a cursor or without', async () => {
    const paths = types.flatMap(pathsOf);
    const mostly = <T>(often: fc.Arbitrary<T>, seldom: fc.Arbitrary<unknown>) =>
      fc.oneof({ weight: 12, arbitrary: often as fc.Arbitrary<unknown> }, { weight: 1, arbitrary: seldom });
    const name = mostly(fc.constantFrom(...paths), fc.string({ maxLength: 12 }));
    const number = mostly(fc.integer({ min: -5, max: 300 }), fc.constantFrom<unknown>('x', 1.5, 1e99, '', null, '7'));
    const sortable = ['userName', 'displayName', 'externalId', 'meta.created', 'id', 'meta.resourceType'];
    const parameters = fc.record(
      {
        filter: mostly(
          fc.constantFrom('externalId pr', 'not (id eq "x")', 'meta.resourceType eq "User"'),
          fc.oneof(filterOf(types, ids), fc.string({ maxLength: 30 })),
        ),
        sortBy: mostly(fc.constantFrom(...sortable), name),
        sortOrder: mostly(fc.constantFrom('ascending', 'Descending'), fc.constantFrom<unknown>('up', 3)),
        startIndex: number,
        count: number,
        cursor: mostly(fc.constant(''), fc.string({ maxLength: 80 })),
        attributes: mostly(fc.array(fc.constantFrom(...paths), { maxLength: 3 }), anyJson),
        excludedAttributes: mostly(fc.array(fc.constantFrom(...paths), { maxLength: 2 }), anyJson),
        domain: mostly(fc.constantFrom('PRIMARY', 'primary'), fc.constantFrom('X', '\u0000', 'x'.repeat(3_000))),
      },
      { requiredKeys: [], noNullPrototype: true },
    );
    let fine = 0;
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('/Users', '/Groups', ''), parameters, async (endpoint, given) => {
        const posted = check(await bed.call('POST', `${endpoint}/.search`, { schemas: [searchUrn], ...given }), given);
        assert.ok(posted.status === 200 || posted.status === 400);
        if (posted.status === 200) {
          fine++;
          assert.ok(posted.body.Resources.length <= 200);
          const { nextCursor } = posted.body;
          if (nextCursor !== undefined) {
            const next = await bed.call('POST', `${endpoint}/.search`, {
              schemas: [searchUrn],
              ...given,
              cursor: nextCursor,
            });
            assert.equal(check(next, given).status, 200);
          }
        } else assert.equal(typeof posted.body.scimType, 'string');
        const query = new URLSearchParams();
        for (const [key, value] of Object.entries(given))
          query.set(key, typeof value === 'string' ? value.toWellFormed() : String(value));
        check(await bed.call('GET', `${endpoint}/?${query}`), given);
      }),
      runs(250),
    );
    assert.ok(fine > (database.kind === 'sqlite' ? 30 : 3), `${fine} were answered`);
  });

  it('random JSON everywhere', async () => {
    const place = fc.constantFrom(
      '/Users',
      '/Groups',
      '/Bulk',
      '/Me',
      '/.search',
      '/Users/.search',
      '/Users/{ID}',
      '/Groups/{ID}',
      '/',
      '/x',
    );
    const method = fc.constantFrom('POST', 'PUT', 'PATCH', 'DELETE');
    const urn = fc.constantFrom(searchUrn, bulkUrn, patchSchemas[0], userSchemas[0], groupSchemas[0]);
    const fields = fc.dictionary(
      fc.constantFrom(
        'Operations',
        'userName',
        'displayName',
        'members',
        'filter',
        'count',
        'failOnErrors',
        '__proto__',
        'emails',
      ),
      anyJson,
    );
    const body = fc.oneof(
      anyJson,
      fc.tuple(urn, fields).map(([one, rest]) => ({ ...rest, schemas: [one] })),
    );
    await fc.assert(
      fc.asyncProperty(method, place, body, async (verb, path, given) => {
        // A user and a group that nobody else needs: some of these succeed.
        const spare = await bed.call('POST', '/Users', { schemas: userSchemas, userName: 'spare' });
        const answer = await bed.call(verb, path.replace('{ID}', spare.body.id), JSON.stringify(given));
        check(answer, [verb, path, given]);
        await bed.call('DELETE', `/Users/${spare.body.id}`);
        if (verb === 'POST' && answer.status === 201) await bed.call('DELETE', answer.body.meta.location);
      }),
      runs(300),
    );
  });

  it('random bulk requests: every operation has its answer', async () => {
    const bulkId = fc.constantFrom('a', 'b', 'c', 'd', '');
    const references = ids.concat('bulkId:a', 'bulkId:b', 'bulkId:c', 'bulkId:d', 'bulkId:e');
    const target = fc.tuple(fc.constantFrom('/Users/', '/Groups/'), fc.constantFrom('bulkId:a', 'bulkId:b', 'none'));
    const operation = fc.oneof(
      ...types.map((type) =>
        fc.record({
          method: fc.constant('POST'),
          path: fc.constant(type.endpoint),
          bulkId,
          data: resourceOf(type, references),
        }),
      ),
      fc.record({
        method: fc.constantFrom('PUT', 'PATCH', 'DELETE', 'GET'),
        path: target.map(([folder, id]) => folder + id),
        version: fc.option(fc.constantFrom('W/"1"', 'x', ''), { nil: undefined }),
        data: fc.oneof(
          resourceOf(userType, references),
          fc
            .array(operationOf(groupType, references), { maxLength: 2 })
            .map((Operations) => ({ schemas: patchSchemas, Operations })),
        ),
      }),
      anyJson,
    );
    let done = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(operation, { maxLength: 8 }),
        fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
        async (Operations, failOnErrors) => {
          const answer = check(
            await bed.call('POST', '/Bulk', { schemas: [bulkUrn], Operations, failOnErrors }),
            Operations,
          );
          if (answer.status !== 200) {
            assert.equal(answer.body.scimType, 'invalidSyntax');
            return;
          }
          const results: { status: string; location?: string; method: string; response?: { detail: string } }[] =
            answer.body.Operations;
          const errors = results.filter((one) => Number(one.status) >= 400);
          if (failOnErrors === undefined) assert.equal(results.length, Operations.length);
          for (const one of errors) assert.equal(typeof one.response!.detail, 'string');
          assert.ok(
            results.every((one) => Number(one.status) < 500),
            JSON.stringify(results),
          );
          for (const one of results) {
            if (one.status !== '201') continue;
            done++;
            const read = await bed.call('GET', one.location!);
            if (read.status === 200)
              checkSound(read.body.meta.resourceType === 'User' ? userType : groupType, read.body);
            await bed.call('DELETE', one.location!);
          }
        },
      ),
      runs(150),
    );
    assert.ok(done > (database.kind === 'sqlite' ? 30 : 5), `${done} were done`);
  });
});

/** The ids that looking at every resource finds; undefined where the filter means nothing. */
function evaluate(
  text: string,
  asked: readonly ResourceType[],
  all: ReadonlyMap<ResourceType, Resource[]>,
): string[] | undefined {
  try {
    const filter = parseFilter(text);
    checkFilter(filter, asked);
    const found = asked.flatMap((type) => all.get(type)!.filter((resource) => matchesFilter(filter, resource, type)));
    return found.map((resource) => resource.id!).sort();
  } catch (error) {
    if (error instanceof Problem) return undefined;
    throw error;
  }
}
