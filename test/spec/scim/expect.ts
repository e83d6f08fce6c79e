import assert from 'node:assert/strict';
import type { Answer, Json } from './client.ts';
import { urn } from './client.ts';

export function expectStatus(answer: Answer, ...allowed: number[]): void {
  assert.ok(allowed.includes(answer.status), `answered ${answer.status} instead of ${allowed.join(' or ')}`);
}

/** An error as RFC 7644 section 3.12 draws it. */
export function expectError(answer: Answer, status: number | readonly number[], scimType?: string): void {
  expectStatus(answer, ...[status].flat());
  const { body } = answer;
  assert.ok(body && typeof body === 'object', 'the error has no JSON body');
  assert.deepEqual(body.schemas, [urn.error], 'the error does not name its schema');
  assert.equal(body.status, String(answer.status), 'the status in the body is not the answer’s, as a string');
  assert.ok(typeof body.detail === 'string' && body.detail.length > 8, 'the error has no detail to read');
  if (scimType !== undefined) assert.equal(body.scimType, scimType, `scimType is ${body.scimType}`);
}

/** The list of a query; throws unless the answer is a proper one. */
export function expectList(answer: Answer): Json {
  expectStatus(answer, 200);
  assert.deepEqual(answer.body?.schemas, [urn.list], 'the list does not name its schema');
  assert.ok(Number.isInteger(answer.body.totalResults), 'totalResults is no whole number');
  return answer.body;
}

/** Values of one attribute in the order of the list. */
export function pluck(list: Json, attribute: string): Json[] {
  return (list?.Resources ?? []).map((resource: Json) => resource[attribute]);
}

/** Attributes a resource shows, without what every resource has. */
export function shown(resource: Json): string[] {
  return Object.keys(resource)
    .filter((key) => !['schemas', 'id', 'meta'].includes(key))
    .sort();
}

export function expectSame(actual: unknown, expected: unknown, what: string): void {
  assert.deepEqual(actual, expected, `${what} is ${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`);
}

/** Without regard to the order of the values, nor of the keys in them. */
export function expectSet(actual: readonly Json[] | undefined, expected: readonly Json[], what: string): void {
  expectSame((actual ?? []).map(inOrder).sort(), expected.map(inOrder).sort(), what);
}

function inOrder(value: Json): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return JSON.stringify(value);
  return JSON.stringify(Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))));
}

export { ok as expect } from 'node:assert/strict';
