import { type Attribute, defineAttribute, type Schema } from './attribute.ts';

export const coreUserUrn = 'urn:ietf:params:scim:schemas:core:2.0:User';
export const coreGroupUrn = 'urn:ietf:params:scim:schemas:core:2.0:Group';
export const enterpriseUserUrn = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';

/**
 * The attributes every resource has whatever its schema (RFC 7643 sections 3 and 3.1). They belong to no schema of
 * their own.
 */
export const commonAttributes: readonly Attribute[] = [
  defineAttribute('schemas', 'URNs of the schemas whose attributes this resource carries.', {
    type: 'reference',
    multiValued: true,
    required: true,
    caseExact: false,
    returned: 'always',
    referenceTypes: ['uri'],
  }),
  defineAttribute('id', 'Identifier given by this server; never changes, never given again.', {
    caseExact: true,
    mutability: 'readOnly',
    returned: 'always',
    uniqueness: 'server',
  }),
  defineAttribute('externalId', 'Identifier given by the client.', { caseExact: true }),
  defineAttribute('meta', 'What the server knows about the resource itself.', {
    mutability: 'readOnly',
    subAttributes: [
      defineAttribute('resourceType', 'Name of the resource type.', { caseExact: true, mutability: 'readOnly' }),
      defineAttribute('created', 'When the resource was added.', { type: 'dateTime', mutability: 'readOnly' }),
      defineAttribute('lastModified', 'When the resource last changed.', { type: 'dateTime', mutability: 'readOnly' }),
      defineAttribute('location', 'Address of the resource.', {
        type: 'reference',
        mutability: 'readOnly',
        referenceTypes: ['uri'],
      }),
      defineAttribute('version', 'Entity tag of the resource.', { caseExact: true, mutability: 'readOnly' }),
    ],
  }),
];

/** The default sub-attributes of a multi-valued attribute (RFC 7643 section 2.4), without `$ref`. */
export function pluralSubAttributes(value: Attribute, canonicalTypes: readonly string[] = []): Attribute[] {
  const types = canonicalTypes.length === 0 ? {} : { canonicalValues: canonicalTypes };
  return [
    value,
    defineAttribute('display', 'Text to show for the value.'),
    defineAttribute('type', 'What the value is for.', types),
    defineAttribute('primary', 'True on at most one value: the preferred one.', { type: 'boolean' }),
  ];
}

/** RFC 7643 sections 4.1 and 8.7.1. */
export const coreUserSchema: Schema = {
  id: coreUserUrn,
  name: 'User',
  description: 'User Account',
  attributes: [
    defineAttribute('userName', 'The name the user signs in with; unique without regard to case.', {
      required: true,
      uniqueness: 'server',
    }),
    defineAttribute('name', "The parts of the user's name.", {
      subAttributes: [
        defineAttribute('formatted', 'The whole name, ready to show.'),
        defineAttribute('familyName', 'Family name, or last name.'),
        defineAttribute('givenName', 'Given name, or first name.'),
        defineAttribute('middleName', 'Middle names.'),
        defineAttribute('honorificPrefix', 'Title before the name.'),
        defineAttribute('honorificSuffix', 'Suffix after the name.'),
      ],
    }),
    defineAttribute('displayName', 'The name to show for the user.'),
    defineAttribute('nickName', 'The casual name of the user.'),
    defineAttribute('profileUrl', "Address of the user's profile page.", {
      type: 'reference',
      referenceTypes: ['external'],
    }),
    defineAttribute('title', 'Job title.'),
    defineAttribute('userType', 'Relation to the organization, such as Employee or Contractor.'),
    defineAttribute('preferredLanguage', 'Preferred languages, as in the HTTP Accept-Language field.'),
    defineAttribute('locale', 'Language tag used to format dates, numbers and currency.'),
    defineAttribute('timezone', 'Time zone, by its IANA name.'),
    defineAttribute('active', 'Whether the account may be used.', { type: 'boolean' }),
    defineAttribute('password', 'Clear text password, to set or change it; never given out.', {
      mutability: 'writeOnly',
      returned: 'never',
    }),
    defineAttribute('emails', 'E-mail addresses.', {
      multiValued: true,
      subAttributes: pluralSubAttributes(defineAttribute('value', 'An e-mail address.'), ['work', 'home', 'other']),
    }),
    defineAttribute('phoneNumbers', 'Telephone numbers.', {
      multiValued: true,
      subAttributes: pluralSubAttributes(defineAttribute('value', 'A telephone number.'), [
        'work',
        'home',
        'mobile',
        'fax',
        'pager',
        'other',
      ]),
    }),
    defineAttribute('ims', 'Instant messaging addresses.', {
      multiValued: true,
      subAttributes: pluralSubAttributes(defineAttribute('value', 'An instant messaging address.'), [
        'aim',
        'gtalk',
        'icq',
        'xmpp',
        'msn',
        'skype',
        'qq',
        'yahoo',
      ]),
    }),
    defineAttribute('photos', 'Addresses of pictures of the user.', {
      multiValued: true,
      subAttributes: pluralSubAttributes(
        defineAttribute('value', 'Address of a picture.', { type: 'reference', referenceTypes: ['external'] }),
        ['photo', 'thumbnail'],
      ),
    }),
    defineAttribute('addresses', 'Postal addresses.', {
      multiValued: true,
      subAttributes: [
        defineAttribute('formatted', 'The whole address, ready to print; may have several lines.'),
        defineAttribute('streetAddress', 'House number, street and the like; may have several lines.'),
        defineAttribute('locality', 'City.'),
        defineAttribute('region', 'State or region.'),
        defineAttribute('postalCode', 'Postal code.'),
        defineAttribute('country', 'Country, as an ISO 3166-1 alpha-2 code.'),
        defineAttribute('type', 'What the address is for.', { canonicalValues: ['work', 'home', 'other'] }),
        defineAttribute('primary', 'True on at most one address: the preferred one.', { type: 'boolean' }),
      ],
    }),
    defineAttribute('groups', 'Groups the user belongs to, directly or through other groups.', {
      multiValued: true,
      mutability: 'readOnly',
      subAttributes: [
        // An id, and ids are case exact (RFC 7643 section 3.1); the example schema of section 8.7.1 says otherwise.
        defineAttribute('value', 'The id of the group.', { mutability: 'readOnly', caseExact: true }),
        defineAttribute('$ref', 'Address of the group.', {
          type: 'reference',
          mutability: 'readOnly',
          referenceTypes: ['User', 'Group'],
        }),
        defineAttribute('display', 'Text to show for the group.', { mutability: 'readOnly' }),
        defineAttribute('type', 'How the membership came about.', {
          mutability: 'readOnly',
          canonicalValues: ['direct', 'indirect'],
        }),
      ],
    }),
    defineAttribute('entitlements', 'Things the user is entitled to.', {
      multiValued: true,
      subAttributes: pluralSubAttributes(defineAttribute('value', 'An entitlement.')),
    }),
    defineAttribute('roles', 'Roles of the user.', {
      multiValued: true,
      subAttributes: pluralSubAttributes(defineAttribute('value', 'A role.')),
    }),
    defineAttribute('x509Certificates', 'Certificates issued to the user.', {
      multiValued: true,
      subAttributes: pluralSubAttributes(
        defineAttribute('value', 'One DER certificate in base64.', { type: 'binary' }),
      ),
    }),
  ],
};

/** RFC 7643 sections 4.2 and 8.7.1. */
export const coreGroupSchema: Schema = {
  id: coreGroupUrn,
  name: 'Group',
  description: 'Group',
  attributes: [
    // Section 4.2 says REQUIRED; the example schema of section 8.7.1 does not.
    defineAttribute('displayName', 'The name of the group.', { required: true }),
    defineAttribute('members', 'The users and groups that belong to this group.', {
      multiValued: true,
      subAttributes: [
        defineAttribute('value', 'The id of the member.', { required: true, mutability: 'immutable', caseExact: true }),
        defineAttribute('$ref', 'Address of the member.', {
          type: 'reference',
          mutability: 'immutable',
          referenceTypes: ['User', 'Group'],
        }),
        defineAttribute('type', 'Whether the member is a user or a group.', {
          mutability: 'immutable',
          canonicalValues: ['User', 'Group'],
        }),
        defineAttribute('display', 'Text to show for the member.', { mutability: 'immutable' }),
      ],
    }),
  ],
};

/** RFC 7643 sections 4.3 and 8.7.1. */
export const enterpriseUserSchema: Schema = {
  id: enterpriseUserUrn,
  name: 'EnterpriseUser',
  description: 'Enterprise user',
  attributes: [
    defineAttribute('employeeNumber', 'Identifier given by the organization.'),
    defineAttribute('costCenter', 'Name of a cost center.'),
    defineAttribute('organization', 'Name of an organization.'),
    defineAttribute('division', 'Name of a division.'),
    defineAttribute('department', 'Name of a department.'),
    defineAttribute('manager', "The user's manager.", {
      subAttributes: [
        defineAttribute('value', 'The id of the manager.', { caseExact: true }),
        defineAttribute('$ref', 'Address of the manager.', { type: 'reference', referenceTypes: ['User'] }),
        defineAttribute('displayName', 'The displayName of the manager.', { mutability: 'readOnly' }),
      ],
    }),
  ],
};
