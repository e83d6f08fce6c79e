import type { DataType } from './datatypes/table.ts';
import { types } from './datatypes/table.ts';
import { clockValues } from './datatypes/temporal.ts';
import { clockAttributes, environmentCategory } from './identifiers.ts';
import type { CategoryView, RequestAttribute, RequestView } from './request.ts';

/** Computed, as policies see it: POST without a remote account, DELETE to remove, PATCH for a password alone, else PUT. */
export type ProvisioningOperation = 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** What is asked about one operation on one subject, in plain values. */
export interface ProvisioningRequest {
  /** Name of the user or group, with `DOMAIN/` before it outside PRIMARY. */
  readonly subject: string;
  /** The subject's attributes, each with all its values: by SCIM path, or by any other name policies use. */
  readonly attributes: { get(name: string): readonly string[] | undefined };
  /** Names of the groups and roles the subject is in. */
  readonly roles: readonly string[];
  readonly serviceProvider: string;
  readonly identityProvider: string;
  /** As WSO2 names them: `scim`, `SCIM2`, `spml`, `googleapps`, `salesforce`, … */
  readonly connectorType: string;
  readonly operation: ProvisioningOperation;
  /** Default `carbon.super`, which is what policies written for WSO2 expect of a server without tenants. */
  readonly tenantDomain?: string;
  /** The moment of the operation, in milliseconds since 1970. */
  readonly at: number;
}

const identity = 'http://wso2.org/identity/';

/** Identifiers that policies written for WSO2 Identity Server use. */
export const provisioningNames = {
  userCategory: `${identity}user`,
  userTenant: `${identity}user/user-tenant-domain`,
  username: `${identity}user/username`,
  spCategory: `${identity}sp`,
  spName: `${identity}sp/sp-name`,
  /** Not below `sp`: WSO2 has it so. */
  spTenant: `${identity}auth/sp-tenant-domain`,
  idpCategory: `${identity}idp`,
  idpName: `${identity}idp/idp-name`,
  connectorType: `${identity}idp/connector-type`,
  actionCategory: `${identity}identity-action`,
  actionName: `${identity}identity-action/action-name`,
  provisioningCategory: `${identity}provisioning`,
  operation: `${identity}provisioning/provision-operation`,
  claimGroup: `${identity}provisioning/claim-group`,
  environmentId: 'urn:oasis:names:tc:xacml:1.0:environment:environment-id',
} as const;

const claims = 'http://wso2.org/claims/';

/** The SCIM path that says here what a local claim says in WSO2; policies may use either. */
const pathOfClaim: ReadonlyMap<string, string> = new Map(
  Object.entries({
    userName: 'username',
    externalId: 'externalid',
    'name.formatted': 'fullname',
    'name.givenName': 'givenname',
    'name.familyName': 'lastname',
    displayName: 'displayName',
    nickName: 'nickname',
    title: 'title',
    profileUrl: 'url',
    preferredLanguage: 'preferredLanguage',
    timezone: 'timeZone',
    userType: 'userType',
    'emails.value': 'emailaddress',
    'phoneNumbers.value': 'telephone',
    'addresses.country': 'country',
    'addresses.locality': 'locality',
    'addresses.region': 'region',
    'addresses.postalCode': 'postalcode',
    'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:organization': 'organization',
    'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department': 'department',
  }).map(([path, claim]) => [claims + claim, path]),
);
/** The claims that policies may use beside SCIM paths. */
export const claimNames: readonly string[] = [...pathOfClaim.keys()];

const roleClaims = new Set([`${claims}role`, `${claims}roles`, `${claims}groups`]);

/**
 * The XACML request about an operation: the identifiers are WSO2's, the values are what they should be. Every value
 * stands alone in its bag (a comma in it means nothing), roles go with every operation, and dates and times are of
 * XACML's own types in the zone given (minutes east of UTC). Policies look at few of all these, and only what they look
 * at is made.
 */
export function viewProvisioningRequest(request: ProvisioningRequest, zone: number): RequestView {
  return { get: (category) => categories.get(category)?.(request, zone) };
}

type MakeCategory = (request: ProvisioningRequest, zone: number) => CategoryView;

const n = provisioningNames;

const categories: ReadonlyMap<string, MakeCategory> = new Map([
  category(n.userCategory, readUser),
  category(n.spCategory, (request, id) => {
    if (id === n.spName) return [request.serviceProvider];
    return id === n.spTenant ? [tenantOf(request)] : undefined;
  }),
  category(n.idpCategory, (request, id) => {
    if (id === n.idpName) return [request.identityProvider];
    return id === n.connectorType ? [request.connectorType] : undefined;
  }),
  category(n.actionCategory, (_, id) => (id === n.actionName ? ['provisioning'] : undefined)),
  category(n.provisioningCategory, (request, id) => {
    if (id === n.operation) return [request.operation];
    return id === n.claimGroup ? request.roles : undefined;
  }),
  [
    environmentCategory,
    (request, zone) => ({ attributes: { get: (id) => readEnvironment(request, zone, id) }, content: undefined }),
  ],
]);

/** A category of texts. */
function category(
  name: string,
  read: (request: ProvisioningRequest, id: string) => readonly string[] | undefined,
): [string, MakeCategory] {
  const get = (request: ProvisioningRequest, id: string) => {
    const texts = read(request, id);
    return texts && [attribute(id, types.string, texts)];
  };
  return [name, (request) => ({ attributes: { get: (id) => get(request, id) }, content: undefined })];
}

function readUser(request: ProvisioningRequest, id: string): readonly string[] | undefined {
  if (id === n.userTenant) return [tenantOf(request)];
  if (id === n.username) return [request.subject];
  const own = request.attributes.get(id);
  if (own) return own;
  const path = pathOfClaim.get(id);
  if (path !== undefined) return request.attributes.get(path);
  return roleClaims.has(id) ? request.roles : undefined;
}

function readEnvironment(
  request: ProvisioningRequest,
  zone: number,
  id: string,
): readonly RequestAttribute[] | undefined {
  if (id === n.environmentId) return [attribute(id, types.string, [tenantOf(request)])];
  const clock = clockValues(request.at, zone);
  if (id === clockAttributes.date) return [attribute(id, types.date, [clock.date])];
  if (id === clockAttributes.time) return [attribute(id, types.time, [clock.time])];
  return id === clockAttributes.dateTime ? [attribute(id, types.dateTime, [clock.dateTime])] : undefined;
}

function tenantOf(request: ProvisioningRequest): string {
  return request.tenantDomain ?? 'carbon.super';
}

function attribute(id: string, type: DataType, values: readonly unknown[]): RequestAttribute {
  return { id, issuer: undefined, includeInResult: false, values: values.map((value) => ({ type, value })) };
}
