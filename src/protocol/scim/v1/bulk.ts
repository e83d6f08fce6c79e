import { type BulkRequest, type BulkResult, bulkRequestUrn, readBulkRequest as readModelRequest } from '../bulk.ts';
import { isJsonObject, type JsonObject } from '../json.ts';
import type { ErrorResponse } from './message.ts';
import { coreUrn } from './names.ts';

/**
 * Reads a bulk request of SCIM 1.1 (draft-scim-api-01 section 3.5), which has no schema of its own: `schemas` is not
 * looked at. Throws what the model's throws.
 */
export function readBulkRequest(body: unknown, limits: { maxOperations: number }): BulkRequest {
  return readModelRequest(isJsonObject(body) ? { ...body, schemas: [bulkRequestUrn] } : body, limits);
}

/** `status` is an object there, in which an error is told by its description. */
export function makeBulkResponse(results: readonly BulkResult[]): object {
  return {
    schemas: [coreUrn],
    Operations: results.map(({ status, response, ...rest }): JsonObject => {
      const description = (response as ErrorResponse | undefined)?.Errors[0].description;
      return { ...rest, status: { code: String(status), ...(description === undefined ? {} : { description }) } };
    }),
  };
}
