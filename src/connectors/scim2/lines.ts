import type { Profile } from './profile.ts';

/** What one line of a profile means and what it may hold. `read` gives the value, or what is wrong as `must be …`. */
export type LineKind = {
  meaning: string;
  /** In words, for pages and errors. */
  holds: string;
  read(value: unknown): { value: unknown } | { fault: string };
};

const choice = (meaning: string, ...options: string[]): LineKind => {
  const holds = options.map((option) => `\`${option}\``).join(', ');
  return { meaning, holds, read: accept((value) => options.includes(value as string), `one of ${options.join(', ')}`) };
};

const flag = (meaning: string): LineKind => ({
  meaning,
  holds: '`true`, `false`',
  read: accept((value) => typeof value === 'boolean', 'true or false'),
});

const count = (meaning: string, least: number, most: number): LineKind => ({
  meaning,
  holds: `${least} to ${most}`,
  read: accept(
    (value) => Number.isInteger(value) && (value as number) >= least && (value as number) <= most,
    `a whole number from ${least} to ${most}`,
  ),
});

const attributes = (meaning: string, all: boolean): LineKind => ({
  meaning,
  holds: all ? '`all`, or a list of attributes' : 'a list of attributes',
  read: accept(
    (value) => (all && value === 'all') || isTexts(value, 200, isPath),
    `${all ? 'all, or ' : ''}a list of attributes, such as [title, emails.display]`,
  ),
});

const finders = (meaning: string, ...known: string[]): LineKind => ({
  meaning,
  holds: `a list of ${known.map((each) => `\`${each}\``).join(', ')}`,
  read: accept(
    (value) => isTexts(value, known.length, (each) => known.includes(each)) && new Set(value).size === value.length,
    `a list of ${known.join(' and ')}, each once at most`,
  ),
});

const values = (meaning: string): LineKind => ({
  meaning,
  holds: 'attributes, each with its rules',
  read: readRules,
});

/** Every line there is, in the order of the pages. */
export const lineKinds: { readonly [L in keyof Profile]: LineKind } = {
  updateUsers: choice(
    'how users are changed; `discovered`: as ServiceProviderConfig says',
    'discovered',
    'patch',
    'put',
  ),
  updateGroups: choice('the same for groups and their members', 'discovered', 'patch', 'put'),
  patchForm: choice(
    'a PATCH sets attributes by an operation each with its path, or by one `replace` without a path and an object of all',
    'paths',
    'object',
  ),
  memberValues: choice('members of one PATCH in one operation, or in one each', 'together', 'each'),
  memberRemoval: choice(
    'a member is removed by `members[value eq "…"]`, or by `members` with its value',
    'filter',
    'value',
  ),
  membersPerRequest: count('most members named in one request', 1, 10_000),
  membersAtCreation: flag('whether a group may be created with members; else they follow'),
  membersInAnswers: choice(
    'whether answers hold a group’s members: unless `excludedAttributes` leaves them out, whatever is asked, or never (they cannot be read back)',
    'excludable',
    'always',
    'never',
  ),
  groupsAsMembers: flag('whether a group may be a member of a group'),
  findUsersBy: finders('what users can be searched by with `eq`, in the order of asking', 'externalId', 'userName'),
  findGroupsBy: finders('the same for groups', 'externalId', 'displayName'),
  listWithoutFilter: flag('where none of these can be asked: whether the whole list is looked through instead'),
  paging: choice('how lists go on: `startIndex`, or `cursor` (RFC 9865)', 'index', 'cursor'),
  pageSize: count('resources asked for on one page', 1, 1_000),
  mostLookedThrough: count(
    'resources looked through in one search of a target that does not heed filters',
    1,
    1_000_000,
  ),
  userAttributes: attributes('what users are sent; nothing else leaves', true),
  groupAttributes: attributes('the same for groups', true),
  neverSent: attributes(
    'what is taken out of users and groups all the same, also inside of multi-valued attributes',
    false,
  ),
  userValues: values('what the values of users must be; others are refused before anything is sent'),
  groupValues: values('the same for groups'),
  passwords: flag('whether the target takes passwords at all'),
  deprovision: choice('the policy’s `deprovision` where it is not given', 'delete', 'disable', 'keep'),
  rate: {
    meaning: 'the policy’s `requestsPerSecond` where it is not given',
    holds: '`none`, or such as `25/s`, `600/min`, `1000/h`',
    read: accept(
      (value) => value === 'none' || readRate(value) !== undefined,
      'none, or such as 25/s, 600/min or 1000/h',
    ),
  },
  mediaType: choice('the content type of what is sent', 'application/scim+json', 'application/json'),
  headers: {
    meaning: 'request headers beside those of the sign-in',
    holds: 'names with texts',
    read: accept(
      isHeaders,
      'request headers with their texts, such as { user-agent: purvey }, none of them for signing in',
    ),
  },
};

export const lineNames = Object.keys(lineKinds) as (keyof Profile)[];

/** Requests per second of `25/s`, `600/min`, `1000/h`; undefined when it is none that a policy can hold. */
export function readRate(value: unknown): number | undefined {
  const [, number, unit] = /^(\d{1,7}(?:\.\d{1,3})?)\/(s|min|h)$/.exec(typeof value === 'string' ? value : '') ?? [];
  if (number === undefined) return undefined;
  const perSecond = Number(number) / { s: 1, min: 60, h: 3_600 }[unit as 's']!;
  return perSecond >= 0.01 && perSecond <= 100_000 ? perSecond : undefined;
}

function accept(fits: (value: unknown) => boolean, wanted: string): LineKind['read'] {
  return (value) => (fits(value) ? { value } : { fault: `must be ${wanted}, not ${show(value)}` });
}

export function show(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 100 ? `${text.slice(0, 100).toWellFormed()}…` : text;
}

function isTexts(value: unknown, most: number, fits: (text: string) => boolean): value is string[] {
  return Array.isArray(value) && value.length <= most && value.every((each) => typeof each === 'string' && fits(each));
}

function isPath(text: string): boolean {
  return (
    /^(?:urn:[^\s]{1,200}:)?[A-Za-z$][\w$-]*(?:\.[A-Za-z$][\w$-]*)?$/.test(text) || /^urn:[^\s]{1,200}$/.test(text)
  );
}

/** What belongs to the message or the sign-in is said elsewhere, and a secret here would be seen. */
const takenHeaders =
  /^(?:host|connection|content-.*|transfer-encoding|te|trailer|upgrade|expect|keep-alive|authorization|proxy-.*|cookie|prefer)$/;

function isHeaders(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.entries(value).every(
    ([name, text]) =>
      /^[!#$%&'*+.^_`|~0-9a-z-]{1,100}$/.test(name) &&
      !takenHeaders.test(name) &&
      typeof text === 'string' &&
      /^[\x20-\x7e]{1,500}$/.test(text),
  );
}

type Part = [fits: (value: unknown) => boolean, wanted: string];
const isFlag: Part = [(value) => typeof value === 'boolean', 'true or false'];
const isCount: Part = [(value) => Number.isInteger(value) && (value as number) >= 1, 'a whole number of 1 or more'];
const isList: Part = [(value) => isTexts(value, 1_000, (text) => text !== ''), 'a list of texts'];
const classes = ['letters', 'marks', 'symbols', 'digits', 'punctuation', 'spaces'];

const ruleParts: Record<string, Part> = {
  required: isFlag,
  longest: isCount,
  characters: [(value) => isTexts(value, 6, (text) => classes.includes(text)), `a list of ${classes.join(', ')}`],
  without: [(value) => typeof value === 'string' && value.length <= 100, 'a text of the characters that are not taken'],
  reserved: isList,
  most: isCount,
  primary: isFlag,
  parts: isList,
  distinctTypes: isFlag,
  oneOf: isList,
};

/** Rules for values, without sources: whoever writes them here is the source. `null`: no rule for this attribute. */
function readRules(value: unknown): { value: unknown } | { fault: string } {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { fault: `must be attributes with their rules, such as { userName: { longest: 64 } }, not ${show(value)}` };
  }
  for (const [path, rule] of Object.entries(value)) {
    if (!isPath(path)) return { fault: `holds ${show(path)}, which is not the path of an attribute` };
    if (rule === null) continue;
    if (typeof rule !== 'object' || Array.isArray(rule)) {
      return { fault: `needs rules for ${path}, such as { required: true }, or null for none; not ${show(rule)}` };
    }
    for (const [name, given] of Object.entries(rule)) {
      const part = Object.hasOwn(ruleParts, name) ? ruleParts[name] : undefined;
      if (!part) return { fault: `has no rule ${name} (for ${path}); there are ${Object.keys(ruleParts).join(', ')}` };
      if (!part[0](given)) return { fault: `needs ${part[1]} for ${path}.${name}, not ${show(given)}` };
    }
  }
  return { value };
}
