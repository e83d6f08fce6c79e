/**
 * The SQL function `moment` of SQLite: milliseconds since 1970 of an xsd:dateTime, the same number as `readDateTime` of
 * protocol/scim, which has judged the text before it was stored. Null for what is none.
 */
export function momentOf(text: unknown): number | null {
  if (typeof text !== 'string') return null;
  const parts = /^(-?\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)(\.\d+)?(Z|([+-])(\d+):(\d+))?$/.exec(text);
  if (!parts) return null;
  const [year, month, day, hour, minute, second] = parts.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const zone = (Number(parts[10] ?? 0) * 60 + Number(parts[11] ?? 0)) * (parts[9] === '-' ? -1 : 1);
  const fraction = parts[7] === undefined ? 0 : Number(parts[7]) * 1000;
  const midnight = new Date(0).setUTCFullYear(year, month - 1, day);
  return midnight + ((hour * 60 + minute - zone) * 60 + second) * 1000 + fraction;
}
