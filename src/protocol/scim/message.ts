import { Problem } from '../../base/problem.ts';
import { isJsonObject, type JsonValue } from './json.ts';
import { patchOpUrn } from './operation.ts';
import type { Projection } from './projection.ts';
import { checkJsonDepth } from './resource.ts';
import type { Resource } from './shape.ts';
import { describe } from './value.ts';

export { patchOpUrn };
export const listResponseUrn = 'urn:ietf:params:scim:api:messages:2.0:ListResponse';
export const errorUrn = 'urn:ietf:params:scim:api:messages:2.0:Error';
export const searchRequestUrn = 'urn:ietf:params:scim:api:messages:2.0:SearchRequest';

/** RFC 7644 section 3.8. */
export const scimMediaType = 'application/scim+json';

/** RFC 7644 section 3.4.2. `Resources` is there even when empty. */
export interface ListResponse<R = Resource> {
  schemas: [typeof listResponseUrn];
  /** How many there are in all; may be more than are given here. */
  totalResults: number;
  /** How many are given here. */
  itemsPerPage: number;
  /** Index of the first one given, from 1; absent in a walk by cursor. */
  startIndex?: number;
  /** Where the next page of a walk by cursor begins (RFC 9865); absent on the last. */
  nextCursor?: string;
  Resources: R[];
}

export function makeListResponse<R>(
  resources: R[],
  page: { totalResults: number; startIndex?: number; nextCursor?: string },
): ListResponse<R> {
  const { totalResults, startIndex, nextCursor } = page;
  return {
    schemas: [listResponseUrn],
    totalResults,
    itemsPerPage: resources.length,
    ...(startIndex === undefined ? {} : { startIndex }),
    ...(nextCursor === undefined ? {} : { nextCursor }),
    Resources: resources,
  };
}

/** RFC 7644 section 3.12. */
export interface ScimError {
  schemas: [typeof errorUrn];
  /** The HTTP status, as a string. */
  status: string;
  scimType?: string;
  detail: string;
}

export function makeScimError(status: number, detail: string, scimType?: string): ScimError {
  const error: ScimError = { schemas: [errorUrn], status: String(status), detail };
  if (scimType !== undefined) error.scimType = scimType;
  return error;
}

/** One operation as it goes over the wire. */
export type WireOperation = { op: 'add' | 'remove' | 'replace'; path?: string; value?: JsonValue };

export interface PatchRequest {
  schemas: [typeof patchOpUrn];
  Operations: WireOperation[];
}

export function makePatchRequest(operations: WireOperation[]): PatchRequest {
  return { schemas: [patchOpUrn], Operations: operations };
}

/** What a query asks for (RFC 7644 sections 3.4.2 and 3.4.3, RFC 9865), still as the client wrote it. */
export interface SearchRequest {
  filter?: string;
  attributes?: string[];
  excludedAttributes?: string[];
  sortBy?: string;
  sortOrder?: 'ascending' | 'descending';
  /** From 1; what is below counts as 1 (section 3.4.2.4). */
  startIndex?: number;
  /** What is below 0 counts as 0. */
  count?: number;
  /** Empty: the first page of a walk by cursor. Never together with `startIndex`. */
  cursor?: string;
  /** The user store domain it is about: a habit of WSO2, see `quirks`. */
  domain?: string;
}

const numberFields = ['startIndex', 'count'] as const;
const textFields = ['filter', 'sortBy', 'cursor', 'domain'] as const;
const listFields = ['attributes', 'excludedAttributes'] as const;

/**
 * Reads the body of a POST to `/.search`. Throws `Problem('invalidSyntax')` when it is no SearchRequest,
 * `Problem('invalidValue')` naming the parameter that is wrong.
 */
export function readSearchRequest(body: unknown): SearchRequest {
  if (!isJsonObject(body)) throw new Problem('invalidSyntax', `The body must be a JSON object, not ${describe(body)}.`);
  checkJsonDepth(body);
  const schemas = body.schemas;
  if (!Array.isArray(schemas) || !schemas.includes(searchRequestUrn)) {
    throw new Problem('invalidSyntax', `"schemas" must be an array with "${searchRequestUrn}".`);
  }
  return readSearchParameters(body);
}

/**
 * Reads the parameters of a query, from a SearchRequest or from the query string of a GET, where numbers are text and
 * lists are joined by commas. Other keys are ignored. Throws `Problem('invalidValue')` naming the parameter;
 * `invalidCount` for a count that is none beside a cursor.
 */
export function readSearchParameters(given: Readonly<Record<string, unknown>>): SearchRequest {
  const request: SearchRequest = {};
  for (const name of numberFields) {
    if (given[name] === undefined || given[name] === null) continue;
    const number = readCount(name, given[name]);
    if (number === undefined && name === 'count' && typeof given.cursor === 'string') {
      throw new Problem('invalidCount', '"count" must be a whole number.', { field: name });
    }
    request[name] = number ?? refuse(name, 'a whole number');
  }
  for (const name of textFields) {
    const value = given[name];
    if (value === undefined || value === null) continue;
    if (typeof value !== 'string') refuse(name, `one string, not ${describe(value)}`);
    request[name] = value;
  }
  for (const name of listFields) {
    if (given[name] !== undefined && given[name] !== null) request[name] = readNames(name, given[name]);
  }
  const order = given.sortOrder;
  if (order !== undefined && order !== null) {
    const lower = typeof order === 'string' ? order.toLowerCase() : '';
    if (lower !== 'ascending' && lower !== 'descending') refuse('sortOrder', '"ascending" or "descending"');
    request.sortOrder = lower;
  }
  if (request.cursor !== undefined && request.startIndex !== undefined) {
    throw new Problem('invalidValue', 'Give "cursor" or "startIndex", not both: they are two ways to page.', {
      field: 'cursor',
    });
  }
  return request;
}

/** The parameters of section 3.9 in a request for one resource. Throws `Problem('invalidValue')`. */
export function readProjection(query: Readonly<Record<string, unknown>>): Projection {
  const projection: Projection = {};
  for (const name of listFields) {
    const value = query[name];
    if (value === undefined) continue;
    if (typeof value !== 'string') {
      throw new Problem('invalidValue', `"${name}" is given twice; join the names with commas.`, { field: name });
    }
    projection[name] = value.split(',').map((one) => one.trim());
  }
  return projection;
}

function readCount(name: 'startIndex' | 'count', value: unknown): number | undefined {
  const number = typeof value === 'string' && /^-?[0-9]{1,15}$/.test(value) ? Number(value) : value;
  if (!Number.isSafeInteger(number)) return undefined;
  return Math.max(number as number, name === 'startIndex' ? 1 : 0);
}

function readNames(name: string, value: unknown): string[] {
  const list = typeof value === 'string' ? value.split(',') : value;
  if (!Array.isArray(list) || list.some((item) => typeof item !== 'string')) refuse(name, 'a list of attribute names');
  return (list as string[]).map((item) => item.trim()).filter((item) => item !== '');
}

function refuse(field: string, wanted: string): never {
  throw new Problem('invalidValue', `"${field}" must be ${wanted}.`, { field });
}
