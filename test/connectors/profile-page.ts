/**
 * The tables of docs/connectors/profiles.md, from the code. `npx node test/connectors/profile-page.ts` writes them;
 * `profile-page.test.ts` sees that they are as written.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lineKinds } from '../../src/connectors/scim2/lines.ts';
import type { Profile, ProfileFile, ValueRules } from '../../src/connectors/scim2/profile.ts';
import { profileFiles } from '../../src/connectors/scim2/profiles.ts';

const page = join(import.meta.dirname, '../../docs/connectors/profiles.md');

export function writeProfilePage(text: string): string {
  return fill(fill(text, 'lines', lineTable()), 'profiles', profileFiles.map(profileTable).join('\n\n'));
}

export function readProfilePage(): string {
  return readFileSync(page, 'utf8');
}

function fill(text: string, name: string, table: string): string {
  const begins = text.indexOf('-->\n', text.indexOf(`<!-- ${name}: `)) + 4;
  const ends = text.indexOf(`<!-- end of ${name} -->`);
  if (begins < 4 || ends < begins) throw new Error(`the page has no place for ${name}`);
  return `${text.slice(0, begins)}\n${table}\n\n${text.slice(ends)}`;
}

function lineTable(): string {
  const rows = Object.entries(lineKinds).map(
    ([line, kind]) => `| \`${line}\` | ${cell(kind.holds)} | ${cell(kind.meaning)} |`,
  );
  return ['| line | what it holds | what it means |', '| --- | --- | --- |', ...rows].join('\n');
}

function profileTable({ name, label, lines }: ProfileFile): string {
  const rows = Object.entries(lines).flatMap(([line, { value, source }]) =>
    line === 'userValues' || line === 'groupValues'
      ? ruleRows(line, value as ValueRules, source)
      : [row(line, plain(value as Profile[keyof Profile]), source)],
  );
  return [`### \`${name}\`: ${label}`, '', '| line | value | source |', '| --- | --- | --- |', ...rows].join('\n');
}

function ruleRows(line: string, rules: ValueRules, source: string): string[] {
  const entries = Object.entries(rules);
  if (entries.length === 0) return [row(line, 'no rules', source)];
  return entries.map(([path, { source: own, ...rule }]) => row(`${line}: ${path}`, plain(rule), own));
}

function row(line: string, value: string, source: string): string {
  return `| \`${line}\` | ${cell(value)} | ${cell(source)} |`;
}

function plain(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.join(', ');
  if (typeof value !== 'object' || value === null) return String(value);
  const parts = Object.entries(value).map(([key, each]) => {
    if (each === true) return key;
    return `${key}: ${Array.isArray(each) ? each.join(', ') : JSON.stringify(each)}`;
  });
  return parts.length === 0 ? 'none' : parts.join('; ');
}

const cell = (text: string) => text.replaceAll('|', '\\|');

if (import.meta.main) writeFileSync(page, writeProfilePage(readProfilePage()));
