import { type BulkRequest, type BulkResult, makeBulkResponse, readBulkRequest } from '../../protocol/scim/bulk.ts';
import { type Filter, parseFilter } from '../../protocol/scim/filter.ts';
import {
  makeListResponse,
  makeScimError,
  readSearchParameters,
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
  /** The parameters of a GET. */
  readQuery(query: Readonly<Record<string, unknown>>): SearchRequest;
  /** The body of a POST to `/.search`. */
  readSearch(body: unknown): SearchRequest;
  /** A filter over resources of these types, in the model's own names. */
  readFilter(types: readonly ResourceType[], text: string): Filter;
  readBulk(body: unknown, limits: { maxOperations: number }): BulkRequest;
  /** A resource of this type as the model has it, projected. */
  writeResource(type: ResourceType, resource: Resource): object;
  writeList(resources: readonly object[], page: ListPage): object;
  writeBulk(results: readonly BulkResult[]): object;
  writeError(status: number, detail: string, scimType?: string): object;
};

export const scim2Codec: Codec = {
  mediaTypes: [scimMediaType, 'application/json'],
  readResource,
  readPatch,
  readQuery: readSearchParameters,
  readSearch: readSearchRequest,
  readFilter: (_, text) => parseFilter(text),
  readBulk: readBulkRequest,
  writeResource: (_, resource) => resource,
  writeList: (resources, page) => makeListResponse([...resources], page),
  writeBulk: makeBulkResponse,
  writeError: makeScimError,
};
