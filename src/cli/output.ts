/**
 * How commands print: one JSON text with `--json`, an aligned table on a terminal, tab-separated lines without a head in
 * a pipe.
 */
export type Output = {
  json: boolean;
  terminal: boolean;
  write(text: string): void;
};

export function openOutput(options: { json?: boolean }): Output {
  return {
    json: options.json ?? false,
    terminal: process.stdout.isTTY ?? false,
    write: (text) => void process.stdout.write(text),
  };
}

export type Column<R> = { head: string; value(row: R): string | number | boolean | null | undefined };

/** `whole` is what `--json` prints. `head`: whether a table gets its first line; false for the rest of a list. */
export function printRows<R>(
  out: Output,
  whole: unknown,
  rows: readonly R[],
  columns: readonly Column<R>[],
  head = true,
): void {
  if (out.json) {
    printJson(out, whole);
    return;
  }
  const cells = rows.map((row) => columns.map((column) => showCell(column.value(row))));
  if (!out.terminal) {
    for (const line of cells) out.write(`${line.join('\t')}\n`);
    return;
  }
  if (rows.length === 0) {
    out.write('none\n');
    return;
  }
  const table = head ? [columns.map((column) => column.head), ...cells] : cells;
  const widths = columns.map((_, n) => Math.max(...table.map((line) => widthOf(line[n]!))));
  for (const line of table) {
    out.write(
      `${line
        .map((cell, n) => cell + ' '.repeat(widths[n]! - widthOf(cell)))
        .join('  ')
        .trimEnd()}\n`,
    );
  }
}

/** One thing as lines of name and value. */
export function printFields(out: Output, whole: unknown, fields: readonly [name: string, value: unknown][]): void {
  if (out.json) {
    printJson(out, whole);
    return;
  }
  const width = Math.max(...fields.map(([name]) => name.length));
  for (const [name, value] of fields) {
    const cell = showCell(value);
    out.write(out.terminal ? `${name.padEnd(width)}  ${cell}\n` : `${name}\t${cell}\n`);
  }
}

export function printJson(out: Output, value: unknown): void {
  out.write(`${JSON.stringify(value, null, out.terminal ? 2 : undefined)}\n`);
}

/** A value in one line. Control characters are shown as such: what a target or a client wrote must not steer a terminal. */
export function showCell(value: unknown): string {
  if (value === null || value === undefined || value === '') return '-';
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu, (one) => {
    return one === '\n' || one === '\t' ? ' ' : `\\u${one.codePointAt(0)!.toString(16).padStart(4, '0')}`;
  });
}

/** Columns of a terminal: wide scripts take two, combining marks none. Near enough for a table. */
function widthOf(text: string): number {
  let width = 0;
  for (const one of text) {
    if (/\p{Mn}|\p{Me}|\p{Cf}/u.test(one)) continue;
    width += /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/u.test(one)
      ? 2
      : 1;
  }
  return width;
}

/** `3.4 s`, `12 min`, `5 h`, `3 d`. */
export function showDuration(ms: number | null): string {
  if (ms === null) return '-';
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
  if (ms < 3_600_000) return `${Math.round(ms / 60_000)} min`;
  if (ms < 172_800_000) return `${Math.round(ms / 3_600_000)} h`;
  return `${Math.round(ms / 86_400_000)} d`;
}
