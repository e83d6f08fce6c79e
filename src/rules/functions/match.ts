import type { MailName, X500Name } from '../datatypes/names.ts';
import { type DataType, types } from '../datatypes/table.ts';
import type { Evaluation } from '../evaluation.ts';
import { failProcessing, outOfSteps } from '../failure.ts';
import { compileRegex } from '../regex/match.ts';
import { one, type PlainFunction, plain } from './signature.ts';

const f1 = 'urn:oasis:names:tc:xacml:1.0:function:';
const f2 = 'urn:oasis:names:tc:xacml:2.0:function:';
const string = one(types.string);
const boolean = one(types.boolean);

/** Section A.3.13. An expression written in the policy is compiled with it (`bindRegex`); others here, each time. */
function regexpMatch(id: string, type: DataType): PlainFunction {
  return plain(
    id,
    [string, one(type)],
    boolean,
    (evaluation: Evaluation, pattern: string, value: unknown) => matchRegex(evaluation, pattern, type.print(value)),
    {
      check: ([pattern]) => {
        const compiled = typeof pattern === 'string' ? compileRegex(pattern) : undefined;
        return typeof compiled === 'string' ? `has a regular expression it cannot use: ${compiled}` : undefined;
      },
    },
  );
}

/** A step pays for this many looks of the matcher at a character. */
const looksPerStep = 16;

function matchRegex(evaluation: Evaluation, pattern: string, text: string) {
  evaluation.steps -= pattern.length;
  if (evaluation.steps < 0) return outOfSteps;
  const matcher = compileRegex(pattern);
  if (typeof matcher === 'string') return failProcessing(matcher);
  evaluation.steps -= Math.ceil((matcher.size * text.length) / looksPerStep);
  return evaluation.steps < 0 ? outOfSteps : matcher.matches(text);
}

/** The same function for one expression known beforehand. Undefined when `fn` is no `-regexp-match`. */
export function bindRegex(
  fn: PlainFunction,
  pattern: unknown,
): ((ev: Evaluation, value: unknown) => unknown) | undefined {
  if (!fn.id.endsWith('-regexp-match') || typeof pattern !== 'string') return undefined;
  const matcher = compileRegex(pattern);
  if (typeof matcher === 'string') return undefined;
  const type = fn.parameters[1]!.type;
  return (evaluation, value) => {
    const text = type.print(value);
    evaluation.steps -= Math.ceil((matcher.size * text.length) / looksPerStep);
    return evaluation.steps < 0 ? outOfSteps : matcher.matches(text);
  };
}

/** Section A.3.14: a whole address, a domain, or (with a leading dot) any domain below one. */
function matchMail(pattern: string, { local, domain }: MailName): boolean {
  const at = pattern.lastIndexOf('@');
  const lower = domain.toLowerCase();
  if (at >= 0) return pattern.slice(0, at) === local && pattern.slice(at + 1).toLowerCase() === lower;
  const wanted = pattern.toLowerCase();
  return wanted.startsWith('.') ? lower.endsWith(wanted) : lower === wanted;
}

export const matchFunctions: readonly PlainFunction[] = [
  regexpMatch(`${f1}string-regexp-match`, types.string),
  regexpMatch(`${f2}anyURI-regexp-match`, types.anyURI),
  regexpMatch(`${f2}ipAddress-regexp-match`, types.ipAddress),
  regexpMatch(`${f2}dnsName-regexp-match`, types.dnsName),
  regexpMatch(`${f2}rfc822Name-regexp-match`, types.rfc822Name),
  regexpMatch(`${f2}x500Name-regexp-match`, types.x500Name),
  plain(`${f1}x500Name-match`, [one(types.x500Name), one(types.x500Name)], boolean, (_, a: X500Name, b: X500Name) => {
    const from = b.parts.length - a.parts.length;
    return from >= 0 && a.parts.every((part, i) => part === b.parts[from + i]);
  }),
  plain(`${f1}rfc822Name-match`, [string, one(types.rfc822Name)], boolean, (_, pattern: string, name: MailName) =>
    matchMail(pattern, name),
  ),
];
