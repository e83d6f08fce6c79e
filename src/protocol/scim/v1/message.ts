import { readProjection as readModelProjection, readSearchParameters, type SearchRequest } from '../message.ts';
import type { Projection } from '../projection.ts';
import { coreUrn, readName, writeMessage } from './names.ts';

/** There is no media type of its own in SCIM 1.1. */
export const mediaType = 'application/json';

/** draft-scim-api-01 section 3.2.2. `Resources` is there even when empty. */
export type ListResponse = {
  schemas: [typeof coreUrn];
  totalResults: number;
  itemsPerPage: number;
  startIndex: number;
  Resources: object[];
};

export function makeListResponse(
  resources: object[],
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

/**
 * The parameters of a query, with names of attributes as the model's. What SCIM 2.0 alone has (`excludedAttributes`,
 * cursors) is passed over. Throws `Problem('invalidValue')` naming the parameter.
 */
export function readQuery(query: Readonly<Record<string, unknown>>): SearchRequest {
  const { excludedAttributes: _, cursor: __, ...known } = query;
  const { attributes, sortBy, ...asked } = readSearchParameters(known);
  return {
    ...asked,
    ...(attributes === undefined ? {} : { attributes: attributes.map(readName) }),
    ...(sortBy === undefined ? {} : { sortBy: readName(sortBy) }),
  };
}

/** `attributes` in a request for one resource. Throws `Problem('invalidValue')`. */
export function readProjection(query: Readonly<Record<string, unknown>>): Projection {
  const { attributes } = readModelProjection({ attributes: query.attributes });
  return attributes ? { attributes: attributes.map(readName) } : {};
}
