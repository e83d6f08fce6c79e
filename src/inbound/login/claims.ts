import { Problem } from '../../base/problem.ts';
import { longestRemoteSubject } from '../../directory/sign-in-links.ts';
import { locateAttribute, type ResourceType } from '../../protocol/scim/schema.ts';
import { type FederationSettings, standardClaims } from '../../provisioning/federation-settings.ts';
import { isStorable } from '../door.ts';

/**
 * What an identity provider says of somebody, as attributes of a user here. Everything it says is judged before anything
 * is written: what is too long, of another type or no text throws `Problem('invalidValue')` for the page.
 */
export type Claims = Record<string, unknown>;

export type Mapped = {
  /** The name that a new user gets. */
  userName: string;
  /** The other attributes, as in a SCIM resource. */
  attributes: Record<string, unknown>;
  /** Names of groups here; undefined where groups are nobody's business. */
  groups: string[] | undefined;
  /** Of an address that it says it has verified. */
  verifiedEmail: string | undefined;
};

/** Characters of everything that is said of one person, as JSON. */
const mostSaid = 65_536;
const longestValue = 2_000;
const mostValues = 100;
const mostRoles = 500;

/** The `sub` of the claims, which is all that tells who it is. */
export function subjectOf(claims: Claims): string {
  const { sub } = claims;
  if (typeof sub === 'string' && sub.length > 0 && sub.length <= longestRemoteSubject && isStorable(sub)) return sub;
  return refuse('sub', `must be a text of 1 to ${longestRemoteSubject} characters`);
}

export function mapClaims(claims: Claims, settings: FederationSettings, type: ResourceType): Mapped {
  if (JSON.stringify(claims).length > mostSaid) {
    throw new Problem('invalidValue', `more is said of the person than the ${mostSaid} characters that are read`);
  }
  const attributes: Record<string, unknown> = {};
  let userName: string | undefined;
  for (const { remote, local, default: fallback } of settings.claims.length > 0 ? settings.claims : standardClaims) {
    const value = readClaim(claims, remote) ?? fallback ?? undefined;
    if (value === undefined) continue;
    if (local.toLowerCase() === 'username') userName = readText(value, remote);
    else put(attributes, type, local, value, remote);
  }
  const email = claims.email;
  return {
    userName: userName ?? firstText(claims, ['preferred_username', 'email']) ?? subjectOf(claims),
    attributes,
    groups: mapRoles(claims, settings),
    verifiedEmail: claims.email_verified === true && typeof email === 'string' ? readText(email, 'email') : undefined,
  };
}

function firstText(claims: Claims, names: readonly string[]): string | undefined {
  const found = names.find((name) => typeof claims[name] === 'string' && claims[name] !== '');
  return found === undefined ? undefined : readText(claims[found], found);
}

/** By its whole name, since names of claims may hold dots; else by steps into objects, `address.locality`. */
function readClaim(claims: Claims, name: string): unknown {
  if (Object.hasOwn(claims, name)) return isSaid(claims[name]) ? claims[name] : undefined;
  let at: unknown = claims;
  for (const step of name.split('.')) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, step)) return undefined;
    at = (at as Claims)[step];
  }
  return isSaid(at) ? at : undefined;
}

const isSaid = (value: unknown) => value !== undefined && value !== null && value !== '';

function put(into: Record<string, unknown>, type: ResourceType, local: string, value: unknown, remote: string): void {
  const place = locateAttribute(type, local);
  // A schema extension that is no longer declared.
  if (!place?.attribute) return;
  const { attribute, sub, extension } = place;
  const holder: Record<string, unknown> =
    extension === undefined ? into : { ...(into[extension] as object | undefined) };
  if (extension !== undefined) into[extension] = holder;
  const leafType = sub?.type ?? (attribute.type === 'complex' ? 'string' : attribute.type);
  const read = (one: unknown) => readValue(one, leafType, remote);
  if (!attribute.multiValued) {
    if (sub) holder[attribute.name] = { ...(holder[attribute.name] as object), [sub.name]: read(value) };
    else holder[attribute.name] = read(value);
    return;
  }
  if (sub && sub.name !== 'value') {
    // Parts of one element, such as those of an address.
    const [first] = (holder[attribute.name] ?? []) as object[];
    holder[attribute.name] = [{ ...first, [sub.name]: read(value) }];
    return;
  }
  const values = (Array.isArray(value) ? value : [value]).map(read);
  if (values.length > mostValues) refuse(remote, `must not hold more than ${mostValues} values`);
  const isComplex = attribute.type === 'complex';
  const hasPrimary = attribute.subAttributes?.some(({ name }) => name === 'primary');
  holder[attribute.name] = isComplex
    ? values.map((one, n) => ({ value: one, ...(n === 0 && hasPrimary ? { primary: true } : {}) }))
    : values;
}

function readValue(value: unknown, type: string, remote: string): string | number | boolean {
  if (type === 'boolean') {
    if (value === true || value === 'true') return true;
    if (value === false || value === 'false') return false;
    return refuse(remote, 'must be true or false');
  }
  if (type === 'integer' || type === 'decimal') {
    const number = typeof value === 'string' && value.length < 40 ? Number(value) : value;
    return typeof number === 'number' && Number.isFinite(number) ? number : refuse(remote, 'must be a number');
  }
  return readText(value, remote);
}

function readText(value: unknown, remote: string): string {
  const text = typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;
  if (typeof text !== 'string') return refuse(remote, 'must be a text');
  if (text.length > longestValue) return refuse(remote, `must not be longer than ${longestValue} characters`);
  return isStorable(text) ? text : refuse(remote, 'must not hold what is no character');
}

/** A claim that is missing says that somebody has no roles: some leave it out then. */
function mapRoles(claims: Claims, { roleClaim, roles, jit }: FederationSettings): string[] | undefined {
  if (roleClaim === null || !jit.enabled || jit.groups === 'off') return undefined;
  const said = readClaim(claims, roleClaim) ?? [];
  const list = Array.isArray(said) ? said : [said];
  if (list.length > mostRoles) refuse(roleClaim, `must not hold more than ${mostRoles} roles`);
  const remote = list.map((one) => readText(one, roleClaim));
  if (roles.length === 0) return [...new Set(remote)];
  return [...new Set(roles.filter((row) => remote.includes(row.remote)).map((row) => row.local))];
}

function refuse(claim: string, why: string): never {
  throw new Problem('invalidValue', `what it says as "${claim.slice(0, 100)}" cannot be taken: it ${why}`);
}
