import { lookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** `loopback`: plain HTTP only to this machine. `always`: plain HTTP to anywhere, for closed networks. */
export type PlainHttp = 'loopback' | 'always';

export interface AddressPolicy {
  /** Why this URL may not be asked, judged by what it says; undefined when it may. */
  refusalOf(url: URL): string | undefined;
  /** Looks names up for one scheme and refuses addresses that are not allowed, so a name cannot lead there either. */
  lookupFor(protocol: string): LookupFunction;
}

/** `code` of the error that a refused lookup ends with. */
export const addressRefused = 'PURVEY_ADDRESS';

/**
 * Which addresses a target may have. Private networks are allowed, since applications live there. Never allowed are
 * link-local addresses (cloud metadata is served on one), the metadata addresses outside that range, unspecified and
 * multicast addresses: nobody's SCIM server is there, but secrets of the machine may be.
 */
export function makeAddressPolicy(plainHttp: PlainHttp): AddressPolicy {
  const never = new BlockList();
  never.addSubnet('169.254.0.0', 16, 'ipv4');
  never.addSubnet('0.0.0.0', 8, 'ipv4');
  never.addSubnet('224.0.0.0', 4, 'ipv4');
  never.addAddress('255.255.255.255', 'ipv4');
  never.addAddress('100.100.100.200', 'ipv4');
  never.addSubnet('fe80::', 10, 'ipv6');
  never.addSubnet('ff00::', 8, 'ipv6');
  never.addAddress('::', 'ipv6');
  never.addAddress('fd00:ec2::254', 'ipv6');
  // 169.254.0.0/16 as seen through NAT64 (RFC 6052 section 2.1).
  never.addSubnet('64:ff9b::a9fe:0', 112, 'ipv6');

  const loopback = new BlockList();
  loopback.addSubnet('127.0.0.0', 8, 'ipv4');
  loopback.addAddress('::1', 'ipv6');

  function refusalOfAddress(address: string, protocol: string): string | undefined {
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (never.check(address, family)) return `the address ${address} is not one that a target may have`;
    if (protocol === 'http:' && plainHttp === 'loopback' && !loopback.check(address, family)) {
      return `plain http is allowed only to this machine, and ${address} is elsewhere; use https`;
    }
    return undefined;
  }

  return {
    refusalOf(url) {
      if (url.protocol !== 'http:' && url.protocol !== 'https:') {
        return `${url.protocol} is not a protocol that can be spoken; use https`;
      }
      const host = hostOf(url);
      return isIP(host) === 0 ? undefined : refusalOfAddress(host, url.protocol);
    },
    lookupFor(protocol) {
      return (hostname, options, callback) => {
        lookup(hostname, { ...options, all: true }, (error, addresses) => {
          if (error) return callback(error, '');
          let refusal: string | undefined;
          const allowed = addresses.filter((found) => {
            const why = refusalOfAddress(found.address, protocol);
            refusal ??= why;
            return why === undefined;
          });
          const first = allowed[0];
          if (!first) return callback(Object.assign(new Error(refusal ?? 'no address'), { code: addressRefused }), '');
          if (options.all) callback(null, allowed);
          else callback(null, first.address, first.family);
        });
      };
    },
  };
}

function hostOf(url: URL): string {
  return url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
}
