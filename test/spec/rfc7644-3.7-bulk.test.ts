import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Problem } from '../../src/base/problem.ts';
import {
  type BulkOperation,
  bulkRequestUrn,
  listBulkIds,
  orderBulk,
  readBulkRequest,
  resolveBulkIds,
} from '../../src/protocol/scim/bulk.ts';

const post = (bulkId: string, ...names: string[]): BulkOperation => ({
  method: 'POST',
  path: '/Groups',
  bulkId,
  data: { members: names.map((name) => ({ value: `bulkId:${name}` })) },
});
const patch = (path: string, ...names: string[]): BulkOperation => ({
  method: 'PATCH',
  path,
  data: { Operations: names.map((name) => ({ op: 'remove', path: `members[value eq "bulkId:${name}"]` })) },
});
const order = (...operations: BulkOperation[]) => orderBulk(operations, operations.map(listBulkIds));

describe('RFC 7644 section 3.7.1: the order of a bulk request', () => {
  it('is that of the request where nobody names a later one', () => {
    assert.deepEqual(order(post('a'), post('b', 'a'), patch('/Groups/bulkId:b', 'a')), [[0], [1], [2]]);
  });

  it('lets an operation wait for whom it names, and moves nothing else', () => {
    assert.deepEqual(order(post('a', 'c'), post('b'), post('c'), post('d')), [[1], [2], [0], [3]]);
    assert.deepEqual(order(post('a', 'b'), post('b', 'c'), post('c')), [[2], [1], [0]]);
    assert.deepEqual(order(patch('/Groups/bulkId:a'), post('a')), [[1], [0]]);
  });

  it('keeps what is asked of one resource in its order', () => {
    assert.deepEqual(order(patch('/Groups/1', 'a'), patch('/Groups/1'), post('a')), [[2], [0], [1]]);
  });

  it('joins those that name each other in a circle', () => {
    assert.deepEqual(order(post('a', 'b'), post('x'), post('b', 'a')), [[1], [0, 2]]);
    assert.deepEqual(order(post('x', 'b'), post('a', 'b'), post('b', 'c'), post('c', 'a')), [[1, 2, 3], [0]]);
    assert.deepEqual(order(post('a', 'a')), [[0]]);
    assert.deepEqual(order(post('a', 'nobody')), [[0]]);
  });

  it('of any request: each once, nobody before whom it names but in a circle, long chains too', () => {
    const operations = fc.array(fc.array(fc.nat(14), { maxLength: 3 }), { maxLength: 15 });
    fc.assert(
      fc.property(operations, (named) => {
        const units = order(...named.map((names, n) => post(String(n), ...names.map(String))));
        assert.deepEqual(
          units.flat().sort((a, b) => a - b),
          named.map((_, n) => n),
        );
        const place = new Map(units.flatMap((unit, n) => unit.map((index) => [index, n] as const)));
        for (const [n, names] of named.entries()) {
          for (const name of names) if (name < named.length) assert.ok(place.get(name)! <= place.get(n)!);
        }
        const reaches = (from: number, to: number, seen = new Set<number>()): boolean =>
          named[from]!.some((next) => {
            if (next === to) return true;
            if (next >= named.length || seen.has(next)) return false;
            seen.add(next);
            return reaches(next, to, seen);
          });
        for (const unit of units) for (const a of unit) for (const b of unit) assert.ok(a === b || reaches(a, b));
      }),
    );
    const chain = Array.from({ length: 20_000 }, (_, n) => post(String(n), String(n + 1)));
    assert.deepEqual(order(...chain).slice(0, 2), [[19_999], [19_998]]);
    const ring = Array.from({ length: 20_000 }, (_, n) => post(String(n), String((n + 1) % 20_000)));
    assert.equal(order(...ring).length, 1);
  });
});

describe('RFC 7644 section 3.7.2: bulkId references', () => {
  it('are resolved wherever a value is one, in PATCH paths and addresses, and never in a password', () => {
    const data = {
      members: [{ value: 'bulkId:a', $ref: '../Users/bulkId:a' }],
      manager: 'bulkId:b',
      password: 'bulkId:c',
      title: 'about bulkId:a',
      Operations: [{ op: 'remove', path: 'members[value eq "bulkId:a" or value eq "bulkId:b"]' }],
    };
    assert.deepEqual(
      resolveBulkIds(data, (bulkId) => `<${bulkId}>`),
      {
        members: [{ value: '<a>', $ref: '../Users/<a>' }],
        manager: '<b>',
        password: 'bulkId:c',
        title: 'about bulkId:a',
        Operations: [{ op: 'remove', path: 'members[value eq "<a>" or value eq "<b>"]' }],
      },
    );
    assert.deepEqual(listBulkIds({ path: '/Users/bulkId:z', data }).sort(), ['a', 'b', 'z']);
  });
});

describe('RFC 7644 section 3.7: reading a bulk request', () => {
  const read = (more: object) => readBulkRequest({ schemas: [bulkRequestUrn], ...more }, { maxOperations: 3 });
  const refuses = (more: object, code: string) =>
    assert.throws(
      () => read(more),
      (error) => error instanceof Problem && error.code === code,
      JSON.stringify(more),
    );

  it('refuses what is none', () => {
    refuses({ schemas: [] }, 'invalidSyntax');
    refuses({}, 'invalidSyntax');
    refuses({ Operations: {} }, 'invalidSyntax');
    refuses({ Operations: [1, 2, 3, 4] }, 'tooLarge');
    refuses({ Operations: [post('a'), post('a')] }, 'invalidSyntax');
    for (const failOnErrors of [0, -1, 1.5, 'one']) refuses({ Operations: [], failOnErrors }, 'invalidValue');
  });

  it('says of each operation what is wrong with it, and leaves the others', () => {
    const bads = [
      7,
      { method: 'GET', path: '/Users' },
      { method: 'POST', path: '/Users', data: {} },
      { method: 'POST', path: '/Users', bulkId: 'a' },
      { method: 'PUT', data: {} },
      { method: 'DELETE', path: '/Users/1', version: 1 },
      { method: 'PATCH', path: '/Users/1', data: JSON.parse(`${'['.repeat(3000)}${']'.repeat(3000)}`) },
      { method: 'PATCH', path: '/Users/1', data: { a: JSON.parse(`${'['.repeat(3000)}${']'.repeat(3000)}`) } },
    ];
    for (const bad of bads) {
      const [first, second] = read({ Operations: [bad, post('b')] }).operations;
      assert.ok('problem' in first! && first.problem.code === 'invalidSyntax', JSON.stringify(bad).slice(0, 80));
      assert.ok(!('problem' in second!));
    }
    const [known] = read({ Operations: [{ method: 'delete', path: 'Users/1/', version: 'W/"1"' }] }).operations;
    assert.deepEqual(known, { method: 'DELETE', path: '/Users/1', version: 'W/"1"' });
  });
});
