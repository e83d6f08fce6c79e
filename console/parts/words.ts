/** Numbers, times and states as an administrator would say them. */

const counted = new Intl.NumberFormat('en');
export const showCount = (count: number) => counted.format(count);

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${showCount(count)} ${count === 1 ? one : many}`;
}

const units: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_557_600],
  ['month', 2_629_800],
  ['week', 604_800],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
];
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto', style: 'narrow' });

export function showAgo(time: string, now: number): string {
  const seconds = (Date.parse(time) - now) / 1_000;
  if (Math.abs(seconds) < 2) return 'now';
  const [unit, size] = units.find(([, least]) => Math.abs(seconds) >= least) ?? ['second', 1];
  return relative.format(Math.trunc(seconds / size), unit);
}

/** In the reader's zone, and in UTC. */
export function showExact(time: string): string {
  const local = new Date(time).toLocaleString('en', { dateStyle: 'medium', timeStyle: 'medium' });
  return `${local} (${time.replace('T', ' ').replace(/(\.\d+)?Z$/, '')} UTC)`;
}

/** How long, in the two largest units. */
export function showSpan(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  if (seconds < 1) return 'under a second';
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`;
  return `${plural(Math.floor(seconds / 86_400), 'day')} ${Math.floor((seconds % 86_400) / 3_600)} h`;
}

/** What is written in a SCIM filter between quotation marks. */
export const quote = (text: string) => JSON.stringify(text);

/** With a capital. */
export const sentence = (text: string) => `${text[0]?.toUpperCase() ?? ''}${text.slice(1)}`;

const doors: Record<string, string> = {
  api: 'the admin API',
  console: 'the console',
  import: 'an import',
  login: 'a sign-in',
  scim: 'SCIM',
  soap: 'SOAP',
};
/** The way that a change came in. */
export const doorWord = (door: string) => doors[door] ?? door;
