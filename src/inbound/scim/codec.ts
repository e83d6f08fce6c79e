import { type BulkRequest, type BulkResult, makeBulkResponse, readBulkRequest } from '../../protocol/scim/bulk.ts';
import {
  makeListResponse,
  makeScimError,
  readSearchRequest,
  type SearchRequest,
  scimMediaType,
} from '../../protocol/scim/message.ts';
import { type PatchOperation, readPatch } from '../../protocol/scim/patch.ts';
import { type Resource, readResource } from '../../protocol/scim/resource.ts';
import type { ResourceType } from '../../protocol/scim/schema.ts';

/** Which page of what a list is. */
export type ListPage = { totalResults: number; startIndex?: number; nextCursor?: string };

/** How one version of SCIM is read and written. What is between, the handlers do alike for all. */
export type Codec = {
  /** Media types of bodies, the first being that of answers. */
  mediaTypes: readonly [string, ...string[]];
  /** The body of a POST or PUT. Throws as `readResource` of protocol/scim. */
  readResource(type: ResourceType, body: unknown): Resource;
  /** The body of a PATCH. Throws as `readPatch` of protocol/scim. */
  readPatch(type: ResourceType, body: unknown): PatchOperation[];
  readSearch(body: unknown): SearchRequest;
  readBulk(body: unknown, limits: { maxOperations: number }): BulkRequest;
  writeResource(resource: Resource): object;
  writeList(resources: readonly object[], page: ListPage): object;
  writeBulk(results: readonly BulkResult[]): object;
  writeError(status: number, detail: string, scimType?: string): object;
};

export const scim2Codec: Codec = {
  mediaTypes: [scimMediaType, 'application/json'],
  readResource,
  readPatch,
  readSearch: readSearchRequest,
  readBulk: readBulkRequest,
  writeResource: (resource) => resource,
  writeList: (resources, page) => makeListResponse([...resources], page),
  writeBulk: makeBulkResponse,
  writeError: makeScimError,
};
