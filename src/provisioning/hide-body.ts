import type { Attributes, Subject } from '../directory/subjects.ts';
import type { Exchange } from '../outbound/courier.ts';
import type { JsonValue } from '../protocol/scim/json.ts';
import { nameIn } from './claim.ts';
import type { Result } from './result.ts';

/** In the place of what was said about somebody who is only forwarded. */
const notKept = '[not kept: only forwarded]';

/**
 * An ended attempt as it may be written down: of a subject that is only forwarded without what was said and answered, and
 * without its values in any reason. What the target acknowledged keeps its paths, the name, and whether it is active.
 */
export function hideBody<T extends { result: Result; exchanges: readonly Exchange[] }>(ended: T): T {
  const { result, exchanges } = ended;
  const { subject, account, rules } = result.claim;
  if (!subject?.forwarded) return ended;
  const values = valuesOf(subject);
  const hide = <Text extends string | null | undefined>(text: Text) =>
    (typeof text === 'string' ? hideValues(text, values) : text) as Text;
  const { news, password } = result;
  const nameAttribute = result.claim.open.nameAttribute[account.kind];
  return {
    ...ended,
    exchanges: exchanges.map((one) => ({
      ...one,
      url: hide(one.url),
      error: hide(one.error),
      requestBody: one.requestBody === null ? null : notKept,
      responseBody: one.responseBody === null ? null : notKept,
    })),
    result: {
      ...result,
      claim: rules ? { ...result.claim, rules: { ...rules, said: hide(rules.said) } } : result.claim,
      reason: hide(result.reason),
      acked: hideAcknowledged(result.acked, nameAttribute),
      said: result.said.map((said) => (said.refused === undefined ? said : { ...said, refused: hide(said.refused) })),
      news: 'reason' in news ? { ...news, reason: hide(news.reason) } : news,
      password: ('note' in password ? { ...password, note: hide(password.note) } : password) as Result['password'],
    },
  };
}

function hideAcknowledged(acked: string | null, nameAttribute: string): string | null {
  if (acked === null) return null;
  const { active } = JSON.parse(acked) as Attributes;
  const name = nameIn(acked, nameAttribute);
  const hidden = Object.fromEntries(Object.keys(JSON.parse(acked) as Attributes).map((path) => [path, null]));
  return JSON.stringify({
    ...hidden,
    ...(name === undefined ? {} : { [nameAttribute]: name }),
    ...(typeof active === 'boolean' ? { active } : {}),
  });
}

/** Shorter texts cannot be told from ordinary words. */
const shortestValue = 4;

function valuesOf({ attributes, fullName, name }: Subject): string[] {
  const values = new Set<string>();
  const collect = (value: JsonValue | undefined, key: string): void => {
    if (typeof value === 'string') {
      if (value.length >= shortestValue && key !== 'type') values.add(value);
    } else if (Array.isArray(value)) {
      for (const each of value) collect(each, key);
    } else if (typeof value === 'object' && value !== null) {
      for (const [inner, each] of Object.entries(value)) collect(each, inner);
    }
  };
  for (const [key, value] of Object.entries(attributes)) collect(value, key);
  for (const kept of [fullName, name]) values.delete(kept);
  // The longest first, so that one that contains another is hidden whole.
  return [...values].sort((one, other) => other.length - one.length);
}

function hideValues(text: string, values: readonly string[]): string {
  let out = text;
  for (const value of values) {
    for (const form of [value, JSON.stringify(value).slice(1, -1), encodeURIComponent(value)]) {
      if (out.includes(form)) out = out.replaceAll(form, '…');
    }
  }
  return out;
}
