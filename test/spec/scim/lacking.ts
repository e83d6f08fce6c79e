/**
 * Features of the SCIM table that the server does not have yet, and what is missing. Each row of such a feature must
 * fail in `npm test`: whoever builds it takes it off this list. `npm run conformance` counts them as failed.
 */
export const lacking: Readonly<Record<string, string>> = {};
