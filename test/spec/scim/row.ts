import type { Scim } from './client.ts';

export type Version = '2.0' | '1.1';

/** `MUST` stands for SHALL and REQUIRED as well, `FACT` for what a table or figure says without such a word. */
export type Level = 'MUST' | 'SHOULD' | 'FACT';

/** One requirement of a standard, and how a server is asked whether it keeps it. */
export type Row = {
  /** `rfc7644-3.5.2.1 MUST: …`: what reports and tests call it; unique. */
  readonly name: string;
  readonly version: Version;
  readonly document: string;
  readonly section: string;
  readonly level: Level;
  /** The part of the server without which the row cannot pass; the same word for all rows of the part. */
  readonly feature: string | undefined;
  /** Throws when the server does not keep it. */
  readonly check: (scim: Scim) => Promise<void>;
};

type Rule = Pick<Row, 'level' | 'check'> & { requirement: string };
type Check = Row['check'];

export const must = (requirement: string, check: Check): Rule => ({ level: 'MUST', requirement, check });
export const should = (requirement: string, check: Check): Rule => ({ level: 'SHOULD', requirement, check });
export const fact = (requirement: string, check: Check): Rule => ({ level: 'FACT', requirement, check });

/** The rows of one section: `document` such as `rfc7644`, `section` such as `3.5.2`. */
export function section(document: string, number: string, rules: readonly Rule[], feature?: string): Row[] {
  return rules.map(({ level, requirement, check }) => ({
    name: `${document}-${number} ${level}: ${requirement}`,
    version: document === 'scim-1.1' ? '1.1' : '2.0',
    document,
    section: number,
    level,
    feature,
    check,
  }));
}
