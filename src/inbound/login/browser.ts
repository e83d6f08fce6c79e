import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** That a sign-in is gone on with in the browser that began it: a cookie, of which the digest is kept here. */

const cookieName = 'purvey-login';
/** Seconds that the browser keeps that it began: as long as people may take there and, where they are new, here. */
const cookieSeconds = 1_800;

export const random = () => randomBytes(32).toString('base64url');
export const digestOf = (value: string) => createHash('sha256').update(value).digest('hex');

/** `callback`: the address that the identity provider sends people back to. */
export function writeCookie(browser: string, callback: string): string {
  const secure = callback.startsWith('https:') ? '; Secure' : '';
  const path = new URL(callback).pathname.replace(/\/callback$/, '');
  return `${cookieName}=${browser}; Path=${path}; Max-Age=${cookieSeconds}; HttpOnly; SameSite=Lax${secure}`;
}

export function readCookie(header: string | undefined): string | undefined {
  const pairs = (header ?? '').split(';').map((pair) => pair.trim().split('='));
  return pairs.find(([name, value]) => name === cookieName && /^[\w-]{43}$/.test(value ?? ''))?.[1];
}

/** Whether the browser that sends these cookies is the one with this digest. */
export function isOfBrowser(header: string | undefined, digest: string): boolean {
  const cookie = readCookie(header);
  if (cookie === undefined) return false;
  const found = digestOf(cookie);
  return found.length === digest.length && timingSafeEqual(Buffer.from(found), Buffer.from(digest));
}
