import { openResourceTypes } from '../src/protocol/scim/schema.ts';
import { readSchemaFile } from '../src/protocol/scim/schema-file.ts';

/** Resource types with the extensions that a schema file (YAML or JSON) declares. */
export function typesOf(text: string) {
  const { extensions, faults } = readSchemaFile('test', text);
  if (faults.length > 0) throw new Error(faults.join('\n'));
  return openResourceTypes(extensions);
}

export const customUrn = 'urn:scim:schemas:extension:custom:User';
export const customGroupUrn = 'urn:scim:schemas:extension:custom:Group';

/** One attribute for each thing that RFC 7643 section 7 can say. */
export const customSchemas = `
schemas:
  - id: ${customUrn}
    name: Custom
    description: What this company keeps of its people
    resource: User
    attributes:
      - { name: badge, uniqueness: server, caseExact: true }
      - { name: nick, uniqueness: server, multiValued: true }
      - { name: secret, mutability: writeOnly }
      - { name: origin, mutability: immutable }
      - { name: places, mutability: immutable, multiValued: true }
      - { name: rank, type: integer, mutability: readOnly }
      - { name: bio, returned: request }
      - { name: mark, returned: always }
      - { name: hidden, returned: never }
      - { name: tier, canonicalValues: [gold, silver] }
      - { name: joined, type: dateTime }
      - { name: score, type: decimal }
      - { name: floor, type: integer }
      - { name: remote, type: boolean }
      - { name: code, caseExact: true }
      - { name: site, type: reference, referenceTypes: [external] }
      - { name: photo, type: binary }
      - { name: skills, multiValued: true }
      - { name: levels, type: decimal, multiValued: true }
      - name: contract
        type: complex
        subAttributes:
          - { name: number, mutability: immutable }
          - { name: until, type: dateTime }
          - { name: note, returned: request }
          - { name: key, returned: always }
      - name: devices
        type: complex
        multiValued: true
        subAttributes:
          - { name: value, required: true, uniqueness: server, caseExact: true }
          - { name: type }
          - { name: weight, type: decimal }
          - { name: seen, type: dateTime }
          - { name: tags, multiValued: true }
          - { name: primary, type: boolean }
  - id: ${customGroupUrn}
    name: CustomGroup
    resource: Group
    required: true
    attributes:
      - { name: purpose, required: true }
      - { name: number, type: integer, uniqueness: server }
`;
