const form =
  /^(-?[0-9]{4,6})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(\.[0-9]{1,12})?(Z|[+-][0-9]{2}:[0-9]{2})?$/;

/**
 * The moment an xsd:dateTime names (RFC 7643 section 2.3.5), in milliseconds since 1970 with a fraction where it has
 * one; without a zone it is read as UTC. `undefined` when it is not a valid one.
 */
export function readDateTime(text: string): number | undefined {
  const match = form.exec(text);
  if (!match) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const fraction = match[7] === undefined ? 0 : Number(match[7]) * 1000;
  if (hour > 24 || minute > 59 || second > 59) return undefined;
  if (hour === 24 && (minute > 0 || second > 0 || fraction > 0)) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  const zone = readZone(match[8]);
  if (zone === undefined) return undefined;
  const moment = date.getTime() + ((hour * 60 + minute - zone) * 60 + second) * 1000 + fraction;
  return Number.isNaN(moment) ? undefined : moment;
}

function readZone(text: string | undefined): number | undefined {
  if (text === undefined || text === 'Z') return 0;
  const hours = Number(text.slice(1, 3));
  const minutes = Number(text.slice(4));
  if (minutes > 59 || hours * 60 + minutes > 14 * 60) return undefined;
  return (hours * 60 + minutes) * (text[0] === '-' ? -1 : 1);
}
