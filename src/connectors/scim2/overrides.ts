import { parseDocument } from 'yaml';
import { lineKinds, lineNames, show } from './lines.ts';
import type { Profile, ValueRule, ValueRules } from './profile.ts';

const longest = 20_000;
const source = 'the Profile Overrides of this target';

/**
 * Lines of a profile as an operator writes them for one target: YAML or JSON, one entry a line. Answers with the lines,
 * or with all that is wrong, each naming its line.
 */
export function readOverrides(text: string): { lines: Partial<Profile> } | { faults: string[] } {
  if (text.length > longest) return { faults: [`is longer than ${longest} characters`] };
  const document = parseDocument(text, { schema: 'core', uniqueKeys: true, prettyErrors: true });
  const [error] = document.errors;
  if (error) return { faults: [`cannot be read as YAML or JSON: ${error.message.split('\n')[0]}`] };
  let given: unknown;
  try {
    given = document.toJS({ maxAliasCount: 0 });
  } catch {
    return { faults: ['must not refer from one place to another (& and *); write it out'] };
  }
  if (given === null || given === undefined) return { lines: {} };
  if (typeof given !== 'object' || Array.isArray(given)) {
    return { faults: [`must hold lines such as "membersPerRequest: 50", not ${show(given)}`] };
  }
  const lines: Record<string, unknown> = {};
  const faults: string[] = [];
  for (const [line, value] of Object.entries(given)) {
    if (!Object.hasOwn(lineKinds, line)) {
      faults.push(`holds ${show(line)}, which is no line of a profile; there are ${lineNames.join(', ')}`);
      continue;
    }
    const read = lineKinds[line as keyof Profile].read(value);
    if ('fault' in read) faults.push(`line ${line} ${read.fault}`);
    else lines[line] = read.value;
  }
  return faults.length > 0 ? { faults } : { lines: lines as Partial<Profile> };
}

/** Rules for values go attribute by attribute over those of the profile, `null` taking one away; other lines go whole. */
export function overrideProfile(profile: Profile, lines: Partial<Profile>): Profile {
  return {
    ...profile,
    ...lines,
    userValues: overrideRules(profile.userValues, lines.userValues),
    groupValues: overrideRules(profile.groupValues, lines.groupValues),
  };
}

function overrideRules(rules: ValueRules, over: ValueRules | undefined): ValueRules {
  const merged: Record<string, ValueRule> = { ...rules };
  for (const [path, rule] of Object.entries((over ?? {}) as Record<string, ValueRule | null>)) {
    if (rule === null) delete merged[path];
    else merged[path] = { ...rule, source };
  }
  return merged;
}
