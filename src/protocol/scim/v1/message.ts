import type { Problem } from '../../../base/problem.ts';
import type { JsonObject } from '../json.ts';
import { readSearchParameters, type SearchRequest } from '../message.ts';
import { coreUrn, readName, writeMessage } from './names.ts';

/** There is no media type of its own in SCIM 1.1. */
export const mediaType = 'application/json';

/** draft-scim-api-01 section 3.2.2. `Resources` is there even when empty. */
export type ListResponse = {
  schemas: [typeof coreUrn];
  totalResults: number;
  itemsPerPage: number;
  startIndex: number;
  Resources: JsonObject[];
};

export function makeListResponse(
  resources: JsonObject[],
  page: { totalResults: number; startIndex: number },
): ListResponse {
  return {
    schemas: [coreUrn],
    totalResults: page.totalResults,
    itemsPerPage: resources.length,
    startIndex: page.startIndex,
    Resources: resources,
  };
}

/** draft-scim-api-01 section 3.9. `code` is the HTTP status, as a string. */
export type ErrorResponse = { Errors: [{ description: string; code: string }] };

export function makeErrorResponse(status: number, description: string): ErrorResponse {
  return { Errors: [{ description: writeMessage(description), code: String(status) }] };
}

export function problemToErrorResponse(problem: Problem): ErrorResponse {
  return makeErrorResponse(problem.status, problem.message);
}

/**
 * The parameters of a query, with names of attributes as the model's. `excludedAttributes` is none of SCIM 1.1's, so it
 * is passed over. Throws `Problem('invalidValue')` naming the parameter.
 */
export function readQuery(query: Readonly<Record<string, unknown>>): SearchRequest {
  const { excludedAttributes: _, ...known } = query;
  const { attributes, sortBy, ...asked } = readSearchParameters(known);
  return {
    ...asked,
    ...(attributes === undefined ? {} : { attributes: attributes.map(readName) }),
    ...(sortBy === undefined ? {} : { sortBy: readName(sortBy) }),
  };
}
