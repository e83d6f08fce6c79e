import { types } from './datatypes/table.ts';
import { clockValues } from './datatypes/temporal.ts';
import { clockAttributes, environmentCategory } from './identifiers.ts';
import type { RequestAttribute, RequestCategory } from './request.ts';

/** Computed, as policies see it: POST without a remote account, DELETE to remove, PATCH for a password alone, else PUT. */
export type ProvisioningOperation = 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** What is asked about one operation on one subject, in plain values. */
export interface ProvisioningRequest {
  /** Name of the user or group, with `DOMAIN/` before it outside PRIMARY. */
  readonly subject: string;
  /** The subject's attributes, each with all its values: by SCIM path, or by any other name policies use. */
  readonly attributes: ReadonlyMap<string, readonly string[]>;
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

/** The local claim that says in WSO2 what a SCIM path says here; policies may use either. */
const claimOfPath: ReadonlyMap<string, string> = new Map(
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
  }).map(([path, claim]) => [path, claims + claim]),
);
const roleClaims = [`${claims}role`, `${claims}roles`, `${claims}groups`];

/**
 * The categories of the XACML request about an operation: the identifiers are WSO2's, the values are what they should
 * be. Every value stands alone in its bag (a comma in it means nothing), roles go with every operation, and dates and
 * times are of XACML's own types in the zone given (minutes east of UTC).
 */
export function buildProvisioningRequest(request: ProvisioningRequest, zone: number): readonly RequestCategory[] {
  const n = provisioningNames;
  const tenant = request.tenantDomain ?? 'carbon.super';
  const user = [attribute(n.userTenant, [tenant]), attribute(n.username, [request.subject])];
  for (const [path, values] of request.attributes) {
    user.push(attribute(path, values));
    const claim = claimOfPath.get(path);
    if (claim !== undefined && !request.attributes.has(claim)) user.push(attribute(claim, values));
  }
  for (const claim of roleClaims) if (!request.attributes.has(claim)) user.push(attribute(claim, request.roles));
  const clock = clockValues(request.at, zone);
  return [
    category(n.userCategory, user),
    category(n.spCategory, [attribute(n.spName, [request.serviceProvider]), attribute(n.spTenant, [tenant])]),
    category(n.idpCategory, [
      attribute(n.idpName, [request.identityProvider]),
      attribute(n.connectorType, [request.connectorType]),
    ]),
    category(n.actionCategory, [attribute(n.actionName, ['provisioning'])]),
    category(n.provisioningCategory, [
      attribute(n.operation, [request.operation]),
      attribute(n.claimGroup, request.roles),
    ]),
    category(environmentCategory, [
      attribute(n.environmentId, [tenant]),
      { ...attribute(clockAttributes.date, []), values: [{ type: types.date, value: clock.date }] },
      { ...attribute(clockAttributes.time, []), values: [{ type: types.time, value: clock.time }] },
      { ...attribute(clockAttributes.dateTime, []), values: [{ type: types.dateTime, value: clock.dateTime }] },
    ]),
  ];
}

function category(name: string, attributes: readonly RequestAttribute[]): RequestCategory {
  return { category: name, xmlId: undefined, content: undefined, attributes };
}

function attribute(id: string, values: readonly string[]): RequestAttribute {
  return {
    id,
    issuer: undefined,
    includeInResult: false,
    values: values.map((value) => ({ type: types.string, value })),
  };
}
