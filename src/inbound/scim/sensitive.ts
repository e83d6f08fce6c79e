import { Problem } from '../../base/problem.ts';
import type { Filter } from '../../protocol/scim/filter.ts';
import { locateAttribute, type ResourceType } from '../../protocol/scim/schema.ts';

/**
 * Refuses a filter of an address that names what is never returned, such as a password: addresses are written into
 * logs and histories (RFC 7644 section 7.5.2). Throws `Problem('sensitive')`.
 */
export function refuseSensitive(type: ResourceType, filter: Filter): void {
  switch (filter.op) {
    case 'and':
    case 'or':
      for (const part of filter.parts) refuseSensitive(type, part);
      return;
    case 'not':
      refuseSensitive(type, filter.part);
      return;
    default: {
      const location = locateAttribute(type, filter.path);
      const named = location?.attribute && (location.sub ?? location.attribute);
      if (named?.returned !== 'never') return;
      const { name } = named;
      const detail = `A filter by "${name}" may not be part of an address; addresses are kept in logs.`;
      throw new Problem('sensitive', detail, { field: name });
    }
  }
}
