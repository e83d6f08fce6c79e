import { type DataType, findDataType, types } from '../datatypes/table.ts';

const subject = 'urn:oasis:names:tc:xacml:1.0:subject-category:';
const category = 'urn:oasis:names:tc:xacml:3.0:attribute-category:';

/** The short names of section 4.2.2. */
export const shortCategories: ReadonlyMap<string, string> = new Map([
  ['AccessSubject', `${subject}access-subject`],
  ['RecipientSubject', `${subject}recipient-subject`],
  ['IntermediarySubject', `${subject}intermediary-subject`],
  ['Codebase', `${subject}codebase`],
  ['RequestingMachine', `${subject}requesting-machine`],
  ['Resource', `${category}resource`],
  ['Action', `${category}action`],
  ['Environment', `${category}environment`],
]);

/** The data type of a URI or of a short name (section 3.3.1); the URI itself when it is none we know. */
export function dataTypeOf(name: string): DataType | string | undefined {
  if (Object.hasOwn(types, name)) return types[name as keyof typeof types];
  return findDataType(name) ?? (name.includes(':') ? name : undefined);
}
