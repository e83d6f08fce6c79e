import type { Profile, ProfileFile } from './profile.ts';
import { aws } from './profiles/aws.ts';
import { entra } from './profiles/entra.ts';
import { github } from './profiles/github.ts';
import { strict } from './profiles/strict.ts';

/** Every profile there is, in the order of the drop-down. The first is the default. */
export const profileFiles: readonly ProfileFile[] = [strict, aws, github, entra];

/** All lines of a profile. Throws for a name that is none: check the settings first. */
export function findProfile(name: string): Profile {
  const file = profileFiles.find((each) => each.name === name);
  if (!file) throw new Error(`there is no target profile ${name}`);
  const lines = Object.entries({ ...strict.lines, ...file.lines });
  return Object.fromEntries(lines.map(([line, { value }]) => [line, value])) as Profile;
}
