import { Problem } from '../base/problem.ts';
import { Secret } from '../base/secret.ts';
import { locateAttribute, type ResourceType } from '../protocol/scim/schema.ts';
import { readCertificate } from './identity-providers.ts';
import { readFields, readFlag, readOptionalText } from './names.ts';
import { noOwnKey, type OwnKey, readOwnKey } from './own-key.ts';

/** How people sign in through an identity provider, and what is made of what it says of them. */
export type FederationSettings = {
  /** Null: nobody does. */
  authenticator: Authenticator | null;
  /** E-mail domains, in lower case: whoever types such an address as user name is sent there. */
  domains: string[];
  /** Whether somebody who is here already is found by an address that the identity provider has verified. */
  linkBy: 'none' | 'verifiedEmail';
  /** Empty: the standard claims (`standardClaims`). */
  claims: ClaimRow[];
  /** The claim that holds roles; null: none does. */
  roleClaim: string | null;
  /** Roles there and groups here. Empty: a role is the group of its name. */
  roles: { remote: string; local: string }[];
  jit: JitSettings;
};

/** Who is made and kept up to date at sign-in (*just-in-time provisioning*). */
export type JitSettings = {
  enabled: boolean;
  /** The user store domain that new users are in. */
  domain: string;
  /** Whether what it says of somebody is written at each sign-in, or only when they are made. */
  updateAttributes: 'always' | 'first';
  /** What becomes of groups: `sync` also takes somebody out of groups that signing in put them into. */
  groups: 'off' | 'add' | 'sync';
  prompt: JitPrompt;
};

/** What somebody new is asked for before they are made; each also for what the one before it asks for. */
export const jitPrompts = ['silent', 'consent', 'password', 'userName'] as const;
export type JitPrompt = (typeof jitPrompts)[number];

/** OpenID Connect 1.0 with the code flow. */
export type OidcAuthenticator = {
  type: 'oidc';
  enabled: boolean;
  /** As it says itself, to the letter. */
  issuer: string;
  clientId: string;
  clientSecret: Secret | null;
  scopes: string[];
};

/** SAML 2.0, begun by us; assertions have to be signed. What is encrypted for our key is read wherever there is one. */
export type SamlAuthenticator = OwnKey & {
  type: 'saml';
  enabled: boolean;
  /** What it calls itself, to the letter. */
  entityId: string;
  /** Where people are sent to. */
  signOnUrl: string;
  /** PEM: that of what it signs with; several while it changes over. */
  certificate: string;
  /** Whether requests are signed with our key. */
  signRequests: boolean;
  /** Whether an assertion that is not encrypted is refused. */
  requireEncryption: boolean;
};

export type Authenticator = OidcAuthenticator | SamlAuthenticator;

/** Who gives people their names there: with another issuer the same name is somebody else. */
export function issuerOf(authenticator: Authenticator): string {
  return authenticator.type === 'saml' ? authenticator.entityId : authenticator.issuer;
}

/** `default`: what is written where the claim is missing. */
export type ClaimRow = { remote: string; local: string; default: string | null };

/** What the standard claims of OpenID Connect (Core section 5.1) are here. */
export const standardClaims: readonly ClaimRow[] = [
  { remote: 'preferred_username', local: 'userName', default: null },
  { remote: 'name', local: 'displayName', default: null },
  { remote: 'given_name', local: 'name.givenName', default: null },
  { remote: 'family_name', local: 'name.familyName', default: null },
  { remote: 'email', local: 'emails', default: null },
  { remote: 'locale', local: 'locale', default: null },
  { remote: 'zoneinfo', local: 'timezone', default: null },
];

const fields = ['authenticator', 'domains', 'linkBy', 'claims', 'roleClaim', 'roles', 'jit'] as const;
const mostRows = 200;
const longestText = 256;
const longestDefault = 1_000;

export const noFederation: FederationSettings = {
  authenticator: null,
  domains: [],
  linkBy: 'none',
  claims: [],
  roleClaim: null,
  roles: [],
  jit: { enabled: false, domain: 'PRIMARY', updateAttributes: 'always', groups: 'off', prompt: 'silent' },
};

/** The name of what each kind of authenticator keeps secret. */
export const secretNames = { oidc: 'clientSecret', saml: 'ownKey' } as const;

/**
 * What was given, what is left out as in `noFederation`. A client secret or key that is left out (or comes
 * back as `{ set: true }`) stays `before`, null removes it. Throws Problem `invalidValue` with the `field` at fault.
 */
export function readFederationSettings(
  input: unknown,
  { type, before }: { type: ResourceType; before: Authenticator | null },
): FederationSettings {
  const given = readFields(input, 'body', fields);
  return {
    authenticator: readAuthenticator(given.authenticator, before),
    domains: readDomains(given.domains),
    linkBy: readWord(given.linkBy, 'linkBy', ['none', 'verifiedEmail']),
    claims: readClaims(given.claims, type),
    roleClaim: readOptionalText(given.roleClaim, 'roleClaim', longestText),
    roles: readRoles(given.roles),
    jit: readJit(given.jit),
  };
}

function refuse(field: string, why: string): never {
  throw new Problem('invalidValue', `${field} ${why}`, { field });
}

/** The first word is meant where none is said. */
function readWord<W extends string>(value: unknown, field: string, words: readonly [W, ...W[]]): W {
  if (value === undefined || value === null) return words[0];
  return words.find((word) => word === value) ?? refuse(field, `must be one of ${words.join(', ')}`);
}

function readText(value: unknown, field: string, longest = longestText): string {
  const text = readOptionalText(value, field, longest)?.trim();
  return text === undefined || text === '' ? refuse(field, 'is required') : text;
}

function readRows<T>(value: unknown, field: string, read: (row: unknown, field: string) => T): T[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || value.length > mostRows) return refuse(field, `must be a list of at most ${mostRows}`);
  return value.map((row, n) => read(row, `${field}[${n}]`));
}

function readAuthenticator(value: unknown, before: Authenticator | null): Authenticator | null {
  if (value === undefined || value === null) return null;
  switch ((value as { type?: unknown }).type) {
    case 'oidc':
      return readOidc(value, before?.type === 'oidc' ? before : null);
    case 'saml':
      return readSaml(value, before?.type === 'saml' ? before : null);
    default:
      return refuse('authenticator.type', 'must be oidc or saml');
  }
}

const samlFields = [
  'type',
  'enabled',
  'entityId',
  'signOnUrl',
  'certificate',
  'signRequests',
  'requireEncryption',
  'ownCertificate',
  'ownKey',
];

function readSaml(value: unknown, before: SamlAuthenticator | null): SamlAuthenticator {
  const given = readFields(value, 'authenticator', samlFields);
  const certificate = readCertificate(given.certificate, 'authenticator.certificate');
  const signRequests = readFlag(given.signRequests, 'authenticator.signRequests', false);
  const requireEncryption = readFlag(given.requireEncryption, 'authenticator.requireEncryption', false);
  const own = readOwnKey(given, before ?? noOwnKey);
  if (own.ownKey === null) {
    const why = 'needs a key of ours: give ownCertificate and ownKey';
    if (signRequests) refuse('authenticator.signRequests', why);
    if (requireEncryption) refuse('authenticator.requireEncryption', why);
  }
  return {
    type: 'saml',
    enabled: readFlag(given.enabled, 'authenticator.enabled', true),
    entityId: readText(given.entityId, 'authenticator.entityId', 1_000),
    signOnUrl: readAddress(given.signOnUrl, 'authenticator.signOnUrl', /#/),
    certificate: certificate ?? refuse('authenticator.certificate', 'is required: that of what it signs with'),
    signRequests,
    requireEncryption,
    ...own,
  };
}

function readOidc(value: unknown, before: OidcAuthenticator | null): OidcAuthenticator {
  const known = ['type', 'enabled', 'issuer', 'clientId', 'clientSecret', 'scopes'];
  const given = readFields(value, 'authenticator', known);
  const scopes = readRows(given.scopes, 'authenticator.scopes', readText);
  const issuer = readAddress(given.issuer, 'authenticator.issuer', /[?#]/);
  return {
    type: 'oidc',
    enabled: readFlag(given.enabled, 'authenticator.enabled', true),
    issuer,
    clientId: readText(given.clientId, 'authenticator.clientId', 1_000),
    clientSecret: readSecret(given.clientSecret, issuer, before),
    scopes: [...new Set(['openid', ...(scopes.length === 0 ? ['profile', 'email'] : scopes)])],
  };
}

function readAddress(value: unknown, field: string, without: RegExp): string {
  const text = readText(value, field, 2_000);
  const url = URL.parse(text);
  const isLocal = url !== null && /^(localhost|127\.0\.0\.1|\[::1\])$/.test(url.hostname);
  if (url?.protocol !== 'https:' && !(url?.protocol === 'http:' && isLocal)) {
    return refuse(field, 'must be an https address, such as https://login.partner.example');
  }
  if (url.username !== '' || url.password !== '' || without.test(text)) {
    return refuse(field, `must not hold a user name, a password, ${without.test('?') ? '? or #' : 'or #'}`);
  }
  return text;
}

function readSecret(value: unknown, issuer: string, before: OidcAuthenticator | null): Secret | null {
  const field = 'authenticator.clientSecret';
  if (value === null || value === '') return null;
  const isLeft = value === undefined || (typeof value === 'object' && (value as { set?: unknown }).set === true);
  if (!isLeft) return new Secret(readText(value, field, 2_000));
  if (!before?.clientSecret) return null;
  // Nobody may have it sent to another server without knowing it.
  if (before.issuer !== issuer) refuse(field, 'must be given again: it is that of another issuer');
  return before.clientSecret;
}

function readDomains(value: unknown): string[] {
  const domains = readRows(value, 'domains', (one, field) => {
    const text = readText(one, field).toLowerCase().replace(/^@/, '');
    return /^[^\s@/]+\.[^\s@/]+$/.test(text) ? text : refuse(field, 'must be a domain such as partner.example');
  });
  return [...new Set(domains)];
}

function readClaims(value: unknown, type: ResourceType): ClaimRow[] {
  const seen = new Set<string>();
  return readRows(value, 'claims', (row, field) => {
    const given = readFields(row, field, ['remote', 'local', 'default']);
    const local = readLocal(given.local, `${field}.local`, type);
    if (seen.has(local.toLowerCase())) refuse(`${field}.local`, `${local} is written by another row already`);
    seen.add(local.toLowerCase());
    const fallback = readOptionalText(given.default, `${field}.default`, longestDefault);
    return { remote: readText(given.remote, `${field}.remote`), local, default: fallback };
  });
}

/** Who somebody is allowed to be is not for others to say: their password, what is only read, and who they report to by id. */
function readLocal(value: unknown, field: string, type: ResourceType): string {
  const local = readText(value, field);
  const place = locateAttribute(type, local);
  if (!place?.attribute) return refuse(field, `is no attribute of users: ${local.slice(0, 100)}`);
  const leaf = place.sub ?? place.attribute;
  if (leaf.mutability === 'readOnly' || ['password', 'active', 'groups', 'manager'].includes(place.attribute.name)) {
    return refuse(field, `cannot be set at sign-in: ${local}`);
  }
  if (leaf.type === 'complex' && !leaf.multiValued) {
    const parts = (leaf.subAttributes ?? []).map((sub) => `${local}.${sub.name}`).join(', ');
    return refuse(field, `must name a part of ${local}: ${parts}`);
  }
  return local;
}

function readRoles(value: unknown): FederationSettings['roles'] {
  return readRows(value, 'roles', (row, field) => {
    const given = readFields(row, field, ['remote', 'local']);
    return { remote: readText(given.remote, `${field}.remote`), local: readText(given.local, `${field}.local`) };
  });
}

function readJit(value: unknown): JitSettings {
  if (value === undefined || value === null) return noFederation.jit;
  const given = readFields(value, 'jit', ['enabled', 'domain', 'updateAttributes', 'groups', 'prompt']);
  return {
    enabled: readFlag(given.enabled, 'jit.enabled', false),
    domain: readOptionalText(given.domain, 'jit.domain', 64) ?? noFederation.jit.domain,
    updateAttributes: readWord(given.updateAttributes, 'jit.updateAttributes', ['always', 'first']),
    groups: readWord(given.groups, 'jit.groups', ['off', 'add', 'sync']),
    prompt: readWord(given.prompt, 'jit.prompt', jitPrompts),
  };
}
