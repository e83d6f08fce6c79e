/**
 * What one kind of target takes, as data: how it is spoken to, what it is sent, what it refuses. A file of `profiles/`
 * gives the lines in which its vendor differs from RFC 7644; an operator may override any of them for one target
 * (`overrides.ts`). What each line means is said in `lines.ts`.
 */
export type Profile = {
  updateUsers: UpdateVerb;
  updateGroups: UpdateVerb;
  patchForm: 'paths' | 'object';
  memberValues: 'together' | 'each';
  memberRemoval: 'filter' | 'value';
  membersPerRequest: number;
  membersAtCreation: boolean;
  membersInAnswers: 'excludable' | 'always' | 'never';
  groupsAsMembers: boolean;
  findUsersBy: readonly ('externalId' | 'userName')[];
  findGroupsBy: readonly ('externalId' | 'displayName')[];
  listWithoutFilter: boolean;
  paging: 'index' | 'cursor';
  pageSize: number;
  mostLookedThrough: number;
  userAttributes: 'all' | readonly string[];
  groupAttributes: 'all' | readonly string[];
  neverSent: readonly string[];
  userValues: ValueRules;
  groupValues: ValueRules;
  passwords: boolean;
  deprovision: 'delete' | 'disable' | 'keep';
  rate: string;
  mediaType: 'application/scim+json' | 'application/json';
  headers: Readonly<Record<string, string>>;
};

export type UpdateVerb = 'discovered' | 'patch' | 'put';

/** By the path of the attribute, as a mapping writes it: `userName`, `name.givenName`, `emails`. */
export type ValueRules = Readonly<Record<string, ValueRule>>;

export type ValueRule = {
  /** It must have a value, and may not be cleared. */
  required?: boolean;
  /** Most characters (Unicode code points) of a text. */
  longest?: number;
  /** A text holds these alone. */
  characters?: readonly CharacterClass[];
  /** A text holds none of these characters. */
  without?: string;
  /** Texts it may never be, compared without case. */
  reserved?: readonly string[];
  /** Most values of a multi-valued attribute. */
  most?: number;
  /** One of the values is marked `primary`. */
  primary?: boolean;
  /** Sub-attributes that each value has. */
  parts?: readonly string[];
  /** No two values have the same `type`. */
  distinctTypes?: boolean;
  /** The `value` of each is one of these. */
  oneOf?: readonly string[];
  /** Where it is published. */
  source: string;
};

/** `spaces` are line breaks and tabs too. */
export type CharacterClass = 'letters' | 'marks' | 'symbols' | 'digits' | 'punctuation' | 'spaces';

/** A profile as its file writes it. Lines that are left out are those of the strict RFC profile. */
export type ProfileFile<Lines = Partial<SourcedLines>> = {
  /** What the setting *Target profile* is called in API and files. */
  name: string;
  label: string;
  lines: Lines;
};

export type SourcedLines = { [L in keyof Profile]: { value: Profile[L]; source: string } };
