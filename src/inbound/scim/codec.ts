import { type BulkRequest, type BulkResult, makeBulkResponse, readBulkRequest } from '../../protocol/scim/bulk.ts';
import {
  describeResourceType,
  describeSchema,
  describeServiceProvider,
  listServedSchemas,
  type Served,
} from '../../protocol/scim/discovery.ts';
import { type Filter, parseFilter } from '../../protocol/scim/filter.ts';
import type { JsonObject } from '../../protocol/scim/json.ts';
import {
  makeListResponse,
  makeScimError,
  readProjection,
  readSearchParameters,
  readSearchRequest,
  type SearchRequest,
  scimMediaType,
} from '../../protocol/scim/message.ts';
import { type PatchOperation, readPatch } from '../../protocol/scim/patch.ts';
import { type Projection, type Resource, readResource } from '../../protocol/scim/resource.ts';
import type { ResourceType } from '../../protocol/scim/schema.ts';

/** Which page of what a list is. */
export type ListPage = { totalResults: number; startIndex?: number; nextCursor?: string };

type QueryString = Readonly<Record<string, unknown>>;

/** How one version of SCIM is read and written. What is between, the handlers do alike for all. */
export type Codec = {
  version: '2.0' | '1.1';
  /** Media types of bodies, the first being that of answers. */
  mediaTypes: readonly [string, ...string[]];
  /** The body of a POST or PUT. Throws as `readResource` of protocol/scim. */
  readResource(type: ResourceType, body: unknown): Resource;
  /** The body of a PATCH. Throws as `readPatch` of protocol/scim. */
  readPatch(type: ResourceType, body: unknown): PatchOperation[];
  /** The parameters of a GET. */
  readQuery(query: QueryString): SearchRequest;
  /** What the query string of one resource asks for. */
  readProjection(query: QueryString): Projection;
  /** Whether there is `/.search`, and a list of users and groups together. */
  searches: 'by GET' | 'by GET and POST';
  /** The body of a POST to `/.search`. */
  readSearch(body: unknown): SearchRequest;
  /** A filter over resources of these types, in the model's own names. */
  readFilter(types: readonly ResourceType[], text: string): Filter;
  readBulk(body: unknown, limits: { maxOperations: number }): BulkRequest;
  /** Where users who sign in find themselves. */
  mePath: string;
  /** Whether a POST to a resource may stand for another method, named by X-HTTP-Method-Override. */
  overridesMethods: boolean;
  /** A resource of this type as the model has it, projected. */
  writeResource(type: ResourceType, resource: Resource): object;
  writeList(resources: readonly object[], page: ListPage): object;
  writeBulk(results: readonly BulkResult[]): object;
  writeError(status: number, detail: string, scimType?: string): object;
  /** What it says about itself: one document, and lists of them. */
  config: { path: string; describe(served: Served): object };
  collections: readonly Collection[];
};

export type Collection = {
  path: string;
  what: string;
  list(types: readonly ResourceType[], baseUrl: string): JsonObject[];
};

export const scim2Codec: Codec = {
  version: '2.0',
  mediaTypes: [scimMediaType, 'application/json'],
  readResource,
  readPatch,
  readQuery: readSearchParameters,
  readProjection,
  searches: 'by GET and POST',
  readSearch: readSearchRequest,
  readFilter: (_, text) => parseFilter(text),
  readBulk: readBulkRequest,
  mePath: '/Me',
  overridesMethods: false,
  writeResource: (_, resource) => resource,
  writeList: (resources, page) => makeListResponse([...resources], page),
  writeBulk: makeBulkResponse,
  writeError: makeScimError,
  config: { path: '/ServiceProviderConfig', describe: describeServiceProvider },
  collections: [
    {
      path: '/ResourceTypes',
      what: 'resource type',
      list: (types, baseUrl) => types.map((type) => describeResourceType(type, baseUrl)),
    },
    {
      path: '/Schemas',
      what: 'schema',
      list: (types, baseUrl) => listServedSchemas(types).map((schema) => describeSchema(schema, baseUrl)),
    },
  ],
};
