/**
 * A text from a target as both databases can hold it: PostgreSQL takes neither NUL nor half of a surrogate pair, and
 * JSON can say both. What cannot be held becomes U+FFFD.
 */
export function storableText(text: string): string {
  const whole = text.toWellFormed();
  return whole.includes('\u0000') ? whole.replaceAll('\u0000', '\uFFFD') : whole;
}
