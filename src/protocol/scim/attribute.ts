/** The data types of RFC 7643 section 2.3. */
export type AttributeType =
  | 'string'
  | 'boolean'
  | 'decimal'
  | 'integer'
  | 'dateTime'
  | 'binary'
  | 'reference'
  | 'complex';

/** One attribute and its characteristics (RFC 7643 sections 2.2 and 7), every one of them spelled out. */
export interface Attribute {
  name: string;
  type: AttributeType;
  multiValued: boolean;
  description: string;
  required: boolean;
  caseExact: boolean;
  mutability: 'readWrite' | 'readOnly' | 'immutable' | 'writeOnly';
  returned: 'default' | 'always' | 'never' | 'request';
  uniqueness: 'none' | 'server' | 'global';
  /** Suggestions: other values are accepted (RFC 7643 section 7). */
  canonicalValues?: readonly string[];
  /** Only with type `reference`. */
  referenceTypes?: readonly string[];
  /** Present exactly when the type is `complex`; never complex themselves (RFC 7643 section 2.3.8). */
  subAttributes?: readonly Attribute[];
}

export interface Schema {
  /** The URN. */
  id: string;
  name: string;
  description: string;
  attributes: readonly Attribute[];
}

/**
 * An attribute from what differs from the defaults of RFC 7643 section 2.2. References and binaries are case exact
 * by sections 2.3.6 and 2.3.7.
 */
export function defineAttribute(
  name: string,
  description: string,
  differences: Partial<Omit<Attribute, 'name' | 'description'>> = {},
): Attribute {
  const type = differences.type ?? (differences.subAttributes ? 'complex' : 'string');
  return {
    name,
    type,
    multiValued: false,
    description,
    required: false,
    caseExact: type === 'reference' || type === 'binary',
    mutability: 'readWrite',
    returned: 'default',
    uniqueness: 'none',
    ...differences,
  };
}
