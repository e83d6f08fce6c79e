import { CliError } from '../client.ts';

/**
 * The records of a CSV text (RFC 4180, UTF-8, line feeds or CR LF) by the names in its first line. Throws `CliError`
 * naming `file` and line when a record has another number of fields, a quote is never closed, or a column of `columns`
 * is missing.
 */
export function readCsv<C extends string>(text: string, file: string, columns: readonly C[]): Record<C, string>[] {
  const [head, ...records] = splitRecords(text.replace(/^\ufeff/, ''), file);
  const names = head?.fields ?? [];
  for (const column of columns) {
    if (!names.includes(column)) throw new CliError(`${file}: its first line names no column ${column}`);
  }
  return records.map(({ fields, line }) => {
    if (fields.length !== names.length) {
      throw new CliError(`${file}, line ${line}: ${fields.length} fields where the first line has ${names.length}`);
    }
    return Object.fromEntries(names.map((name, n) => [name, fields[n]!])) as Record<C, string>;
  });
}

function splitRecords(text: string, file: string): { fields: string[]; line: number }[] {
  const records: { fields: string[]; line: number }[] = [];
  const field = /("(?:[^"]|"")*"|[^",\r\n]*)(,|\r?\n|$)/y;
  let line = 1;
  let fields: string[] = [];
  while (field.lastIndex < text.length || fields.length > 0) {
    const found = field.exec(text);
    if (!found) throw new CliError(`${file}, line ${line}: a quote stands where none may, or is never closed`);
    const [whole, value, end] = found as unknown as [string, string, string];
    fields.push(value.startsWith('"') ? value.slice(1, -1).replaceAll('""', '"') : value);
    if (end !== ',') {
      if (fields.length > 1 || fields[0] !== '') records.push({ fields, line });
      fields = [];
    }
    line += whole.split('\n').length - 1;
  }
  return records;
}
