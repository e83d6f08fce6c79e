import { lacking } from '../spec/scim/lacking.ts';
import type { Level, Row, Version } from '../spec/scim/row.ts';
import { table } from '../spec/scim/table.ts';
import { entraExceptions } from './entra-exceptions.ts';

const levels: readonly Level[] = ['MUST', 'SHOULD', 'FACT'];
const versions: readonly Version[] = ['2.0', '1.1'];
const documents: Readonly<Record<string, string>> = {
  rfc7643: 'RFC 7643, core schema',
  rfc7644: 'RFC 7644, protocol',
  rfc9865: 'RFC 9865, cursor paging',
  'scim-1.1': 'SCIM 1.1',
};

const isMissing = ({ feature }: Row): boolean => feature !== undefined && feature in lacking;

/** `docs/conformance.md`. Its counts are those of the table and the lists that the tests hold the server to. */
export function describeConformance(): string {
  const passing = (version: Version) => table.filter((row) => row.version === version && !isMissing(row)).length;
  const failing = (version: Version) => table.filter((row) => row.version === version && isMissing(row)).length;
  return `# Conformance

\`\`\`
npm run conformance                the SCIM table, asked of a server on SQLite; ends with "N passed, M failed"
npm run conformance -- entra       the collection of Microsoft Entra's SCIM reference code, through newman
npm run conformance -- xacml       public XACML 3.0 cases
npm run conformance -- page        this page
\`\`\`

The exit code is 0 when nothing failed. \`entra\` and \`xacml\` read files that are not part of the project from
\`../shared/conformance\`, or from where a path behind the name says. All of it is part of \`npm test\` as well, on SQLite and on
PostgreSQL; without those files their tests are skipped, and say so.

## The SCIM table

\`test/spec/scim/\` has a row for each requirement of the standards that a server can be asked about, in the order of their sections:
document, section, level (MUST stands for SHALL and REQUIRED too; FACT for what a table or a figure says), the requirement in our
own words, and a check, which asks a server that was started as \`purvey serve\` starts it, over HTTP. What fails is printed with what
was sent and what came.

${writeTable(['document', ...levels, 'rows'], Object.entries(documents).map(describeDocument))}

${versions.map((version) => `SCIM ${version}: ${passing(version)} pass, ${failing(version)} fail.`).join(' ')}

A row that cannot pass yet is not left out: it fails here, and \`npm test\` holds it to failing, so that whoever builds what is
missing takes it off the list (\`test/spec/scim/lacking.ts\`).

${describeLacking()}

**Who judges the judge.** \`test/spec/scim-wrong-servers.test.ts\` holds the table before servers that are wrong. Servers that say yes
to everything, refuse everything, or keep whatever they are sent pass less than a third of it, and no row passes all of them. A right
server with one fault put between (it ignores \`If-Match\`, sorts one way only, takes *or* for *and*, …) has to be caught by the rows
that concern the fault.

What no row can ask: what is required of clients; TLS, which \`PURVEY_TLS_CERT\` brings and other tests ask for; how long tokens live;
and characteristics that no attribute of the core schemas has (\`uniqueness: global\`, \`returned: request\`, integers and decimals).

## The Entra collection

Of its requests these fail, because what they ask for or expect is not what the RFCs say; every other one passes.

${writeTable(
  ['request', 'section', 'why'],
  Object.entries(entraExceptions).map(([name, { section, reason }]) => [name, section, reason]),
)}

## Other implementations

\`test/connectors/scim2-convergence.test.ts\` changes users and groups at random (creations, PATCH and PUT, renames, memberships,
deletions) and lets the SCIM2 connector carry it to \`scimmy-routers\`, which is none of ours, and to another Purvey. When nothing is
due any more, both sides are compared attribute by attribute and member by member: no difference is allowed, and nothing may be
parked.
`;
}

function describeDocument([document, title]: [string, string]): string[] {
  const rows = table.filter((row) => row.document === document);
  const counts = levels.map((level) => rows.filter((row) => row.level === level).length);
  return [title, ...[...counts, rows.length].map(String)];
}

function describeLacking(): string {
  const entries = Object.entries(lacking);
  if (entries.length === 0) return 'At present that list is empty.';
  const count = (feature: string) => table.filter((row) => row.feature === feature).length;
  return writeTable(
    ['missing', 'rows', ''],
    entries.map(([feature, what]) => [feature, String(count(feature)), what]),
  );
}

function writeTable(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const write = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [write(head), write(head.map(() => '---')), ...lines.map(write)].join('\n');
}
