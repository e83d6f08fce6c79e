import { awsTarget } from './aws.ts';
import { entraTarget } from './entra.ts';
import { githubTarget } from './github.ts';
import type { FakeOptions } from './scim2.ts';

/** By the name of the profile: a target that holds to its vendor's rules. `strict` is the fake as it is. */
export const profileTargets: Record<string, Partial<FakeOptions>> = {
  strict: {},
  aws: awsTarget,
  github: githubTarget,
  entra: entraTarget,
};

const mail = (name: string) => `${name.toLowerCase().replace(/[^a-z0-9]/g, '-')}@acme.example`;

/** The least that a user must have to be taken by all of them. */
export function acceptableUser(name: string, externalId: string) {
  return {
    userName: name,
    externalId,
    active: true,
    displayName: `The ${name}`,
    'name.givenName': 'Given',
    'name.familyName': 'Family',
    emails: [{ value: mail(name), type: 'work', primary: true }],
  };
}
