import { Problem } from '../../base/problem.ts';
import { makeBulkResponse, readBulkRequest } from '../../protocol/scim/v1/bulk.ts';
import { describeSchema, describeServiceProvider } from '../../protocol/scim/v1/discovery.ts';
import { readFilter } from '../../protocol/scim/v1/filter.ts';
import {
  makeErrorResponse,
  makeListResponse,
  mediaType,
  readProjection,
  readQuery,
} from '../../protocol/scim/v1/message.ts';
import { readPatch } from '../../protocol/scim/v1/patch.ts';
import { readResource, writeResource } from '../../protocol/scim/v1/resource.ts';
import type { Codec } from './codec.ts';

/** SCIM 1.1 (draft-scim-api-01, draft-scim-core-schema-01), in JSON. */
export const scim1Codec: Codec = {
  version: '1.1',
  mediaTypes: [mediaType],
  readResource,
  readPatch,
  readQuery,
  readFilter,
  readProjection,
  searches: 'by GET',
  readSearch() {
    throw new Problem('notBuilt', 'SCIM 1.1 has no search by POST.');
  },
  readBulk: readBulkRequest,
  mePath: '/Users/me',
  overridesMethods: true,
  writeResource: (_, resource) => writeResource(resource),
  writeList: (resources, { totalResults, startIndex = 1 }) =>
    makeListResponse([...resources], { totalResults, startIndex }),
  writeBulk: makeBulkResponse,
  writeError: (status, detail) => makeErrorResponse(status, detail),
  config: { path: '/ServiceProviderConfigs', describe: describeServiceProvider },
  collections: [{ path: '/Schemas', what: 'schema', list: (types) => types.map(describeSchema) }],
};
