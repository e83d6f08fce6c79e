import { fold } from '../base/fold.ts';
import { Problem } from '../base/problem.ts';
import type { Reading } from '../store/store.ts';
import { findDomain, primaryDomain } from './domains.ts';

/** The parts of a userName or of a group's displayName. `PRIMARY/ada` and `ada` are the same name, written `ada`. */
export type SubjectName = {
  domain: string;
  /** Without the domain. */
  name: string;
  /** As it is written: `ada`, `SALES/ada`. */
  fullName: string;
  /** The full name folded: equal for two names exactly when they are the same. */
  nameKey: string;
};

/** In UTF-16 units, without the domain. */
export const maxNameLength = 255;

/**
 * Reads a name as a caller wrote it. `domain` is where a name without a prefix belongs; default PRIMARY. Throws
 * `Problem('invalidValue')` with `field` when the domain is not there or the name cannot be one.
 */
export async function readName(
  reading: Reading,
  text: string,
  field: 'userName' | 'displayName',
  domain: string = primaryDomain,
): Promise<SubjectName> {
  const slash = text.indexOf('/');
  const given = slash < 0 ? domain : text.slice(0, slash);
  const name = slash < 0 ? text : text.slice(slash + 1);
  const known = given === primaryDomain ? primaryDomain : await findDomain(reading, given);
  if (known === undefined) {
    refuse(
      field,
      `There is no user store domain "${given.slice(0, 100)}". Before a "/" the ${field} names its domain; use one that is there, or a name without "/".`,
    );
  }
  if (name.trim() === '') refuse(field, `The ${field} "${text.slice(0, 100)}" has no name.`);
  if (name.length > maxNameLength) {
    refuse(field, `The ${field} has ${name.length} characters; at most ${maxNameLength} are allowed.`);
  }
  if (known === primaryDomain && name.includes('/')) {
    refuse(field, `The ${field} "${text.slice(0, 100)}" has a "/" in it, which only separates domain and name.`);
  }
  const fullName = known === primaryDomain ? name : `${known}/${name}`;
  return { domain: known, name, fullName, nameKey: fold(fullName) };
}

/**
 * The name of somebody who is to be made: without a prefix in `domain`, else in `only`, else in PRIMARY. `only`: the one
 * domain that the service provider may make anybody in. Throws `Problem('invalidValue')` as `readName`, and for another.
 */
export async function readNewName(
  reading: Reading,
  text: string,
  field: 'userName' | 'displayName',
  { domain, only }: { domain: string | undefined; only: string | undefined },
): Promise<SubjectName> {
  const name = await readName(reading, text, field, domain ?? only);
  if (only !== undefined && name.domain !== only) {
    refuse(
      field,
      `"${name.fullName.slice(0, 100)}" would be made in the user store domain ${name.domain}, and for this service provider everybody is made in ${only}. Send the ${field} without a domain, or as ${only}/${name.name.slice(0, 100)}.`,
    );
  }
  return name;
}

/** The part of a stored full name after its domain. */
export function nameInDomain(domain: string, fullName: string): string {
  return domain === primaryDomain ? fullName : fullName.slice(domain.length + 1);
}

/** What a client may mean by `PRIMARY/ada` where stored names are compared: `ada`. */
export function dropPrimaryPrefix(text: string): string {
  const prefix = `${primaryDomain}/`;
  return text.slice(0, prefix.length).toUpperCase() === prefix ? text.slice(prefix.length) : text;
}

function refuse(field: string, detail: string): never {
  throw new Problem('invalidValue', detail, { field });
}
