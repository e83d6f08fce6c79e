import { isJsonObject, type JsonValue } from './json.ts';

/**
 * Where we understand more than RFC 7643 and 7644, or the drafts of SCIM 1.1, ask for, because a known client sends it. Each is always on, is
 * named here and nowhere else, and has its own test.
 */
export const quirks = {
  capitalisedOperations: {
    peer: 'Entra ID',
    what: 'PATCH operations written "Add", "Replace", "Remove" are read without regard to case.',
  },
  textBooleans: {
    peer: 'Entra ID',
    what: 'A boolean given as the string "True" or "False" (any case) is that boolean, in bodies and in filters.',
  },
  dottedKeys: {
    peer: 'Entra ID',
    what: 'In a PATCH without path, a key such as "name.givenName", "emails[type eq "work"].value" or "urn:…:User:department" is a path.',
  },
  commonKeysWithoutPath: {
    peer: 'Okta',
    what: 'In a PATCH without path, "id", "meta" and "schemas" are ignored instead of refused.',
  },
  removeByValue: {
    peer: 'Entra ID',
    what: 'A remove on a multi-valued attribute with a "value" removes the values that agree with it, not all of them.',
  },
  bareComplexValue: {
    peer: 'Entra ID',
    what: 'A complex attribute set to a string, as in "manager": "id", means its "value" sub-attribute; an empty string unassigns it; an array of one object is that object.',
  },
  addCreatesFilteredValue: {
    peer: 'Entra ID',
    what: 'An add to emails[type eq "work"].value without such a value creates one that meets the filter.',
  },
  valuePathComparison: {
    peer: 'Entra ID',
    what: 'A filter emails[type eq "work"].value eq "x" is read as emails[type eq "work" and value eq "x"].',
  },
  domainParameter: {
    peer: 'WSO2',
    what: 'The query parameter "domain" (in .search also a member of the body) keeps a list to one user store domain, and places a new user or group there.',
  },
  membersEitherWay: {
    peer: 'Entra ID, Okta',
    what: 'Members are removed by members[value eq "id"] and by path "members" with [{"value": "id"}] alike, without reading the others.',
  },
  plainJson: {
    peer: 'several',
    what: 'A body may come as application/json, with or without charset, and with a byte order mark; answers are application/scim+json.',
  },
  slashAtTheEnd: {
    peer: 'several',
    what: 'An address may end with a slash.',
  },
  spareSpace: {
    peer: 'several',
    what: 'White space in filters may be any run of spaces, tabs and line ends, and may be missing before a quotation mark.',
  },
  schemasLeftOut: {
    peer: 'WSO2',
    what: 'In SCIM 1.1: "schemas" may be empty or missing; what it names has to be there.',
  },
  bareFilterValues: {
    peer: 'WSO2',
    what: 'In SCIM 1.1: a value in a filter may stand without quotation marks, as in displayName Eq My Group; it is a text then.',
  },
  plainTextElements: {
    peer: 'WSO2',
    what: 'In SCIM 1.1: a text in a list of values that have a "value" is that: "emails": ["a@example.com"].',
  },
} as const satisfies Record<string, { peer: string; what: string }>;

export type QuirkName = keyof typeof quirks;

/** quirk textBooleans: the boolean a string stands for, else the value as it is. */
export function readTextBoolean(value: unknown): unknown {
  if (typeof value !== 'string' || value.length > 5) return value;
  const lower = value.toLowerCase();
  return lower === 'true' ? true : lower === 'false' ? false : value;
}

/** quirk bareComplexValue: the object meant for a singular complex attribute that has a `value` sub-attribute. */
export function readBareComplex(value: JsonValue): JsonValue {
  if (typeof value === 'string') return value === '' ? null : { value };
  if (Array.isArray(value) && value.length === 1 && isJsonObject(value[0])) return value[0];
  return value;
}
