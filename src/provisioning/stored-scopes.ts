import { Problem } from '../base/problem.ts';
import type { ResourceTypes } from '../protocol/scim/schema.ts';
import type { Reading } from '../store/store.ts';
import { checkScope } from './scope.ts';
import { listTargets } from './targets.ts';

/**
 * The scopes that read what no schema declares any more. They would hold for nobody, and whoever is at their target
 * would be removed there, so nobody may start with them. Answers a sentence for each.
 */
export async function findUnreadableScopes(reading: Reading, types: ResourceTypes): Promise<string[]> {
  const faults: string[] = [];
  for (const { name, policy } of await listTargets(reading)) {
    const scopes = [
      { key: 'scopeUsers', kind: 'user', text: policy.scopeUsers },
      { key: 'scopeGroups', kind: 'group', text: policy.scopeGroups },
    ] as const;
    for (const { key, kind, text } of scopes) {
      if (text === undefined) continue;
      try {
        checkScope(text, kind, types);
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        faults.push(
          `the ${key} of the target ${name} cannot be read any more: ${error.message} Declare it again, or start as before and change the scope first`,
        );
      }
    }
  }
  return faults;
}
