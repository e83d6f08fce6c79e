import { Problem } from '../base/problem.ts';

/** A time zone, by the name the IANA database has for it. */
export interface Zone {
  readonly name: string;
  /** Minutes east of UTC at a moment (milliseconds since 1970). */
  offsetAt(moment: number): number;
}

/** Offsets change only on a quarter of an hour. */
const slot = 900_000;

/** Throws `Problem` `invalidValue` for a name that is not known. */
export function openZone(name: string): Zone {
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset' });
  } catch {
    throw new Problem('invalidValue', `There is no time zone ${name}. Use a name such as Europe/Zurich or UTC.`, {
      field: 'zone',
    });
  }
  let known = { slot: Number.NaN, offset: 0 };
  return {
    name,
    offsetAt(moment) {
      const at = Math.floor(moment / slot);
      if (known.slot !== at) known = { slot: at, offset: readOffset(format, at * slot) };
      return known.offset;
    },
  };
}

function readOffset(format: Intl.DateTimeFormat, moment: number): number {
  const text = format.formatToParts(moment).find((part) => part.type === 'timeZoneName')?.value ?? 'GMT';
  const found = /^GMT(?:([+-])(\d\d):(\d\d))?/.exec(text);
  const minutes = Number(found?.[2] ?? 0) * 60 + Number(found?.[3] ?? 0);
  return found?.[1] === '-' ? -minutes : minutes;
}
