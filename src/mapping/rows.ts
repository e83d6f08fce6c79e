export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/**
 * What a resource holds, flat: the path of an attribute to its value. Singular complex attributes are taken apart
 * (`name.familyName`), multi-valued ones stay whole (`emails`), extension attributes carry their URN
 * (`urn:…:User:department`). An unassigned attribute is absent, never null.
 */
export type Attributes = Record<string, Json>;

/**
 * One row of a mapping: `to` is the path at the target, `from` where its value comes from:
 * a path of the subject, `$name` (the subject's name as this target writes it) or `$id` (the subject's id).
 */
export type MappingRow = {
  kind: 'user' | 'group';
  to: string;
  from: string;
  /** Sent when the source is unassigned. Without it the target's attribute is then cleared. */
  otherwise?: Json;
  /** The value names another subject of the directory; the target gets that subject's remote id. */
  reference?: true;
};
