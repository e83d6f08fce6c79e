/** Versions of policies (section 5.12): numbers parted by dots, compared number by number. */
export function compareVersions(a: string, b: string): number {
  const x = a.split('.');
  const y = b.split('.');
  for (let i = 0; i < Math.min(x.length, y.length); i++) {
    const order = compareNumbers(x[i]!, y[i]!);
    if (order !== 0) return order;
  }
  return x.length - y.length;
}

/** Numbers as text, so that they may be of any length. */
function compareNumbers(a: string, b: string): number {
  const x = a.replace(/^0+(?=\d)/, '');
  const y = b.replace(/^0+(?=\d)/, '');
  if (x.length !== y.length) return x.length - y.length;
  return x < y ? -1 : x > y ? 1 : 0;
}

/**
 * Section 5.13: `*` stands for any one number, `+` for any numbers to the end, also none. `exact` asks for a match,
 * `earliest` for a match or anything later, `latest` for a match or anything earlier.
 */
export function matchesVersion(version: string, pattern: string, bound: 'exact' | 'earliest' | 'latest'): boolean {
  const numbers = version.split('.');
  const parts = pattern.split('.');
  for (let i = 0; i < parts.length; i++) {
    if (parts[i] === '+') return true;
    const number = numbers[i];
    if (number === undefined) return bound === 'latest';
    if (parts[i] === '*') continue;
    const order = compareNumbers(number, parts[i]!);
    if (order !== 0) return bound === 'exact' ? false : bound === 'earliest' ? order > 0 : order < 0;
  }
  return numbers.length === parts.length || bound === 'earliest';
}
