/**
 * A date, time or dateTime. `days` counts from 1970-01-01 (0 in a time), `seconds` within the day (0 in a date),
 * `zone` is minutes east of UTC, or undefined where the value has none.
 */
export interface Temporal {
  readonly days: number;
  readonly seconds: number;
  readonly nanos: number;
  readonly zone: number | undefined;
}

const zonePattern = '(Z|[+-](?:0\\d|1[0-4]):[0-5]\\d)?';
const datePattern = '(-?(?:[1-9]\\d{4,8}|\\d{4}))-(\\d\\d)-(\\d\\d)';
const timePattern = '(\\d\\d):(\\d\\d):(\\d\\d)(?:\\.(\\d{1,30}))?';
const date = new RegExp(`^${datePattern}${zonePattern}$`);
const time = new RegExp(`^${timePattern}${zonePattern}$`);
const dateTime = new RegExp(`^${datePattern}T${timePattern}${zonePattern}$`);

export function parseDate(text: string): Temporal | undefined {
  const found = date.exec(text);
  if (found === null) return undefined;
  const days = readDays(found[1]!, found[2]!, found[3]!);
  const zone = readZone(found[4]);
  if (days === undefined || zone === 'bad') return undefined;
  return { days, seconds: 0, nanos: 0, zone };
}

export function parseTime(text: string): Temporal | undefined {
  const found = time.exec(text);
  if (found === null) return undefined;
  const clock = readClock(found[1]!, found[2]!, found[3]!, found[4]);
  const zone = readZone(found[5]);
  if (clock === undefined || zone === 'bad') return undefined;
  return { days: 0, seconds: clock.seconds % 86_400, nanos: clock.nanos, zone };
}

export function parseDateTime(text: string): Temporal | undefined {
  const found = dateTime.exec(text);
  if (found === null) return undefined;
  const days = readDays(found[1]!, found[2]!, found[3]!);
  const clock = readClock(found[4]!, found[5]!, found[6]!, found[7]);
  const zone = readZone(found[8]);
  if (days === undefined || clock === undefined || zone === 'bad') return undefined;
  return {
    days: days + (clock.seconds === 86_400 ? 1 : 0),
    seconds: clock.seconds % 86_400,
    nanos: clock.nanos,
    zone,
  };
}

function readDays(yearText: string, monthText: string, dayText: string): number | undefined {
  const year = Number(yearText);
  const month = Number(monthText);
  const day = Number(dayText);
  if (yearText === '0000' || yearText === '-0000') return undefined;
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return undefined;
  return daysFromCivil(year, month, day);
}

function readClock(hour: string, minute: string, second: string, fraction = '') {
  const h = Number(hour);
  const m = Number(minute);
  const s = Number(second);
  const nanos = Number(fraction.slice(0, 9).padEnd(9, '0'));
  const endOfDay = h === 24 && m === 0 && s === 0 && nanos === 0;
  if ((h > 23 && !endOfDay) || m > 59 || s > 59) return undefined;
  return { seconds: h * 3600 + m * 60 + s, nanos };
}

function readZone(text: string | undefined): number | undefined | 'bad' {
  if (text === undefined) return undefined;
  if (text === 'Z') return 0;
  const minutes = Number(text.slice(1, 3)) * 60 + Number(text.slice(4, 6));
  if (minutes > 840) return 'bad';
  return text[0] === '-' ? -minutes : minutes;
}

export function printDate(value: Temporal): string {
  const { year, month, day } = civilFromDays(value.days);
  const digits = String(Math.abs(year)).padStart(4, '0');
  return `${year < 0 ? '-' : ''}${digits}-${two(month)}-${two(day)}${printZone(value.zone)}`;
}

export function printTime(value: Temporal): string {
  const { seconds, nanos } = value;
  const fraction = nanos === 0 ? '' : `.${String(nanos).padStart(9, '0').replace(/0+$/, '')}`;
  const clock = `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return clock + fraction + printZone(value.zone);
}

export function printDateTime(value: Temporal): string {
  return `${printDate({ ...value, zone: undefined })}T${printTime(value)}`;
}

function printZone(zone: number | undefined): string {
  if (zone === undefined) return '';
  if (zone === 0) return 'Z';
  const minutes = Math.abs(zone);
  return `${zone < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

function two(n: number): string {
  return n < 10 ? `0${n}` : String(n);
}

/** Seconds since 1970-01-01 UTC; a value without a zone is taken to be in `implicitZone` (minutes east of UTC). */
export function instantOf(value: Temporal, implicitZone: number): number {
  return value.days * 86_400 + value.seconds - (value.zone ?? implicitZone) * 60;
}

export function compareTemporal(a: Temporal, b: Temporal, implicitZone: number): number {
  return instantOf(a, implicitZone) - instantOf(b, implicitZone) || a.nanos - b.nanos;
}

/** The wall-clock moment of `now` (milliseconds since 1970) in a zone, as the three values a PDP gives itself. */
export function clockValues(now: number, zone: number): { date: Temporal; time: Temporal; dateTime: Temporal } {
  const local = now + zone * 60_000;
  const days = Math.floor(local / 86_400_000);
  const inDay = local - days * 86_400_000;
  const seconds = Math.floor(inDay / 1000);
  const nanos = Math.floor(inDay - seconds * 1000) * 1_000_000;
  return {
    date: { days, seconds: 0, nanos: 0, zone },
    time: { days: 0, seconds, nanos, zone },
    dateTime: { days, seconds, nanos, zone },
  };
}

/** XML Schema part 2 appendix E: months first, the day pinned to the month's length. Undefined beyond the calendar. */
export function addMonths(value: Temporal, months: number): Temporal | undefined {
  const { year, month, day } = civilFromDays(value.days);
  const counted = (year < 0 ? year + 1 : year) * 12 + (month - 1) + months;
  const astronomical = Math.floor(counted / 12);
  const newMonth = counted - astronomical * 12 + 1;
  const newYear = astronomical <= 0 ? astronomical - 1 : astronomical;
  if (Math.abs(newYear) > 999_999_999) return undefined;
  const newDay = Math.min(day, daysInMonth(newYear, newMonth));
  return { ...value, days: daysFromCivil(newYear, newMonth, newDay) };
}

/** Adds nanoseconds (which may be negative). Undefined beyond the calendar. */
export function addNanos(value: Temporal, nanos: bigint): Temporal | undefined {
  const total = (BigInt(value.days) * 86_400n + BigInt(value.seconds)) * 1_000_000_000n + BigInt(value.nanos) + nanos;
  const day = 86_400_000_000_000n;
  const days = (total - (((total % day) + day) % day)) / day;
  const rest = total - days * day;
  if (days > 365_000_000_000n || days < -365_000_000_000n) return undefined;
  return {
    days: Number(days),
    seconds: Number(rest / 1_000_000_000n),
    nanos: Number(rest % 1_000_000_000n),
    zone: value.zone,
  };
}

/** There is no year 0: the year before 1 is -1 (XML Schema 1.0). */
function daysInMonth(year: number, month: number): number {
  if (month === 2) {
    const y = year < 0 ? year + 1 : year;
    return y % 4 === 0 && (y % 100 !== 0 || y % 400 === 0) ? 29 : 28;
  }
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

function daysFromCivil(year: number, month: number, day: number): number {
  const astronomical = year < 0 ? year + 1 : year;
  // Years are counted from March, so that the leap day is the last of its year.
  const y = month <= 2 ? astronomical - 1 : astronomical;
  const m = (month + 9) % 12;
  return (
    y * 365 +
    Math.floor(y / 4) -
    Math.floor(y / 100) +
    Math.floor(y / 400) +
    Math.floor((m * 306 + 5) / 10) +
    day -
    719_469
  );
}

function civilFromDays(days: number): { year: number; month: number; day: number } {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const m = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * m + 2) / 5) + 1;
  const month = m < 10 ? m + 3 : m - 9;
  const astronomical = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return { year: astronomical <= 0 ? astronomical - 1 : astronomical, month, day };
}
