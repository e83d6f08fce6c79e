/**
 * Features of the SCIM table that the server does not have yet, and what is missing. Each row of such a feature must
 * fail in `npm test`: whoever builds it takes it off this list. `npm run conformance` counts them as failed.
 */
export const lacking: Readonly<Record<string, string>> = {
  'duplicate values': 'a value given twice in one POST or PUT is kept twice (RFC 7643 section 2.4)',
  'manager reference': 'manager.$ref is not filled in from the id (RFC 7643 section 4.3)',
  PRECIS: 'full-width and half-width letters of a userName are not mapped (RFC 7644 section 5, RFC 7613 section 3.2)',
  'SCIM 1.1': '/wso2/scim and /scim1',
};
