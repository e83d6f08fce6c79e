import { isIPv4, isIPv6 } from 'node:net';

const ports = '(?::(\\d{1,5}|\\d{1,5}-|-\\d{1,5}|\\d{1,5}-\\d{1,5}))?';
const v4 = new RegExp(`^(\\d+\\.\\d+\\.\\d+\\.\\d+)(?:/(\\d+\\.\\d+\\.\\d+\\.\\d+))?${ports}$`);
const v6 = new RegExp(`^\\[([0-9a-fA-F:.]+)\\](?:/\\[([0-9a-fA-F:.]+)\\])?${ports}$`);
const dns = new RegExp(
  `^((?:\\*\\.)?[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?(?:\\.[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?)*\\.?|\\*)${ports}$`,
);

/** An ipAddress (section A.2): address, optional mask, optional port range. Kept as its comparable text. */
export function parseIpAddress(text: string): string | undefined {
  if (text.length > 200) return undefined;
  const found4 = v4.exec(text);
  if (found4 !== null) {
    return isIPv4(found4[1]!) && (found4[2] === undefined || isIPv4(found4[2])) && portsFit(found4[3])
      ? text
      : undefined;
  }
  const found6 = v6.exec(text);
  if (found6 === null) return undefined;
  const fits = isIPv6(found6[1]!) && (found6[2] === undefined || isIPv6(found6[2])) && portsFit(found6[3]);
  return fits ? text.toLowerCase() : undefined;
}

/** A dnsName (section A.2): host, perhaps with a leading `*.`, optional port range. Kept as its comparable text. */
export function parseDnsName(text: string): string | undefined {
  if (text.length > 300) return undefined;
  const found = dns.exec(text);
  return found !== null && found[1]!.length <= 255 && portsFit(found[2]) ? text.toLowerCase() : undefined;
}

function portsFit(text: string | undefined): boolean {
  if (text === undefined) return true;
  return text.split('-').every((port) => port === '' || Number(port) <= 65_535);
}
