import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';

// Loaded into every test process before its file: nothing but loopback can be reached from a test.

const loopback = new net.BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[|\]$|\.$/g, '');
  if (name === 'localhost' || name.endsWith('.localhost')) return true;
  const family = net.isIP(name);
  return family !== 0 && loopback.check(name, family === 4 ? 'ipv4' : 'ipv6');
}

/** Shaped as the system would have said it, so that code under test meets a failure it knows. */
function refusal(host: string): NodeJS.ErrnoException {
  const code = net.isIP(host) ? 'ENETUNREACH' : 'ENOTFOUND';
  const error: NodeJS.ErrnoException = new Error(`tests may reach loopback only, not ${host} (${code})`);
  return Object.assign(error, { code, errno: -1, syscall: net.isIP(host) ? 'connect' : 'getaddrinfo', hostname: host });
}

type Connect = (this: net.Socket, ...args: unknown[]) => net.Socket;
const connect = net.Socket.prototype.connect as unknown as Connect;
const guarded: Connect = function (...args) {
  const [first, second] = (Array.isArray(args[0]) ? args[0] : args) as [unknown, unknown];
  const host =
    typeof first === 'object' && first !== null
      ? (first as { path?: string; host?: string }).path
        ? undefined
        : (first as { host?: string }).host
      : typeof second === 'string'
        ? second
        : undefined;
  if (host !== undefined && host !== null && !isLoopback(host)) {
    process.nextTick(() => this.destroy(refusal(host)));
    return this;
  }
  return connect.apply(this, args);
};
net.Socket.prototype.connect = guarded as unknown as typeof net.Socket.prototype.connect;

const lookup = dns.lookup as unknown as (...args: unknown[]) => void;
dns.lookup = ((host: string, ...rest: unknown[]) => {
  if (net.isIP(host) || isLoopback(host)) return lookup(host, ...rest);
  const callback = rest.at(-1) as (error: Error) => void;
  process.nextTick(callback, refusal(host));
}) as unknown as typeof dns.lookup;

const lookupPromise = dns.promises.lookup as unknown as (...args: unknown[]) => Promise<unknown>;
dns.promises.lookup = (async (host: string, ...rest: unknown[]) => {
  if (net.isIP(host) || isLoopback(host)) return lookupPromise(host, ...rest);
  throw refusal(host);
}) as unknown as typeof dns.promises.lookup;

syncBuiltinESMExports();
