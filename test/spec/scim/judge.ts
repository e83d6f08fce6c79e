import { type Exchange, openScim, type Session } from './client.ts';
import type { Row } from './row.ts';

export type Verdict = {
  row: Row;
  /** Why the row failed; `undefined`: it passed. */
  failure: string | undefined;
  /** What was said meanwhile, in order. */
  exchanges: readonly Exchange[];
};

/** Asks one row. What a check throws is the failure, whatever it is. */
export async function judgeRow(session: Session, row: Row): Promise<Verdict> {
  const scim = openScim(session, row.version);
  try {
    await row.check(scim);
    return { row, failure: undefined, exchanges: scim.exchanges };
  } catch (error) {
    const { message } = error as Error;
    return { row, failure: message.split('\n')[0] || String(error), exchanges: scim.exchanges };
  }
}

/** The failure with the last thing that was sent and what came, for a reader. */
export function describeVerdict({ row, failure, exchanges }: Verdict): string {
  const last = exchanges.at(-1);
  const indent = (text: string) => text.replaceAll('\n', '\n      ');
  const said = last ? `\n    sent: ${indent(last.sent)}\n    came: ${indent(last.came)}` : '\n    nothing was sent';
  return `  ${row.name}\n    ${failure}${said}`;
}
