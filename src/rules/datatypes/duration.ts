const dayTime = /^(-)?P(?:(\d{1,15})D)?(?:T(?:(\d{1,15})H)?(?:(\d{1,15})M)?(?:(\d{1,15})(?:\.(\d{1,30}))?S)?)?$/;
const yearMonth = /^(-)?P(?:(\d{1,9})Y)?(?:(\d{1,9})M)?$/;

/** A dayTimeDuration in nanoseconds. */
export function parseDayTime(text: string): bigint | undefined {
  const found = dayTime.exec(text);
  if (found === null || !/\d/.test(text) || text.endsWith('T')) return undefined;
  const [, sign, d = '0', h = '0', m = '0', s = '0', fraction = ''] = found;
  const seconds = BigInt(d) * 86_400n + BigInt(h) * 3600n + BigInt(m) * 60n + BigInt(s);
  const nanos = seconds * 1_000_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, '0'));
  return sign === '-' ? -nanos : nanos;
}

export function printDayTime(nanos: bigint): string {
  const size = nanos < 0n ? -nanos : nanos;
  const whole = size / 1_000_000_000n;
  const fraction = String(size % 1_000_000_000n)
    .padStart(9, '0')
    .replace(/0+$/, '');
  const [d, h, m, s] = [whole / 86_400n, (whole / 3600n) % 24n, (whole / 60n) % 60n, whole % 60n];
  let clock = (h > 0n ? `${h}H` : '') + (m > 0n ? `${m}M` : '');
  if (s > 0n || fraction !== '') clock += `${s}${fraction === '' ? '' : `.${fraction}`}S`;
  const text = (d > 0n ? `${d}D` : '') + (clock === '' ? '' : `T${clock}`);
  return `${nanos < 0n ? '-' : ''}P${text === '' ? 'T0S' : text}`;
}

/** A yearMonthDuration in months. */
export function parseYearMonth(text: string): number | undefined {
  const found = yearMonth.exec(text);
  if (found === null || !/\d/.test(text)) return undefined;
  const months = Number(found[2] ?? 0) * 12 + Number(found[3] ?? 0);
  return found[1] === '-' && months !== 0 ? -months : months;
}

export function printYearMonth(months: number): string {
  const size = Math.abs(months);
  const [y, m] = [Math.floor(size / 12), size % 12];
  return `${months < 0 ? '-' : ''}P${y > 0 ? `${y}Y` : ''}${m > 0 || y === 0 ? `${m}M` : ''}`;
}
