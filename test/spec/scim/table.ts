import { rows as attributes } from './rfc7643-2-attributes.ts';
import { rows as resources } from './rfc7643-3-resources.ts';
import { rows as people } from './rfc7643-4-people.ts';
import { rows as schemas } from './rfc7643-5-discovery.ts';
import { rows as characteristics } from './rfc7643-8.7-characteristics.ts';
import { rows as authentication } from './rfc7644-2-authentication.ts';
import { rows as create } from './rfc7644-3.3-create.ts';
import { rows as filter } from './rfc7644-3.4.2.2-filter.ts';
import { rows as query } from './rfc7644-3.4.2-query.ts';
import { rows as search } from './rfc7644-3.4.3-search.ts';
import { rows as replace } from './rfc7644-3.5.1-replace.ts';
import { rows as patchAdd } from './rfc7644-3.5.2.1-add.ts';
import { rows as patchRemove } from './rfc7644-3.5.2.2-remove.ts';
import { rows as patchReplace } from './rfc7644-3.5.2.3-replace.ts';
import { rows as patch } from './rfc7644-3.5.2-patch.ts';
import { rows as remove } from './rfc7644-3.6-delete.ts';
import { rows as bulkIds } from './rfc7644-3.7.2-bulk-ids.ts';
import { rows as bulk } from './rfc7644-3.7-bulk.ts';
import { rows as formats } from './rfc7644-3.8-formats.ts';
import { rows as projection } from './rfc7644-3.9-attributes.ts';
import { rows as me } from './rfc7644-3.11-me.ts';
import { rows as discovery } from './rfc7644-4-discovery.ts';
import { rows as cursors } from './rfc9865-cursors.ts';
import type { Row } from './row.ts';
import { rows as oneQueries } from './scim11-query-patch.ts';
import { rows as oneResources } from './scim11-resources.ts';

/** Every requirement of SCIM that a server can be asked about, by document and section. */
export const table: readonly Row[] = [
  ...attributes,
  ...resources,
  ...people,
  ...schemas,
  ...characteristics,
  ...authentication,
  ...create,
  ...query,
  ...filter,
  ...projection,
  ...search,
  ...replace,
  ...patch,
  ...patchAdd,
  ...patchRemove,
  ...patchReplace,
  ...remove,
  ...bulk,
  ...bulkIds,
  ...formats,
  ...me,
  ...discovery,
  ...cursors,
  ...oneResources,
  ...oneQueries,
].sort(bySection);

function bySection(a: Row, b: Row): number {
  if (a.document !== b.document) return a.document < b.document ? -1 : 1;
  const [left, right] = [a.section, b.section].map((section) => section.split('.').map(Number));
  for (let i = 0; i < 5; i++) {
    const difference = (left?.[i] ?? -1) - (right?.[i] ?? -1);
    if (difference !== 0) return difference;
  }
  return 0;
}
