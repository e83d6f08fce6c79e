import assert from 'node:assert/strict';

export type Shown = { url: string; status: number; text: string; location: string | null };

export type SignInBrowser = {
  go(url: string, form?: Record<string, string>): Promise<Shown>;
  /** Sends the form of the page that goes to `action`. */
  send(page: Shown, action: string, form?: Record<string, string>): Promise<Shown>;
  /** Follows the link of the page with this text. */
  follow(page: Shown, text: string): Promise<Shown>;
};

/**
 * A browser that keeps cookies of each server and shows one page; redirects are followed as far as these servers, of
 * which the first is ours.
 */
export function openSignInBrowser(...origins: string[]): SignInBrowser {
  const cookies = new Map<string, { name: string; value: string; path: string; host: string }>();
  const go = async (url: string, form?: Record<string, string>): Promise<Shown> => {
    const { pathname, host, origin } = new URL(url);
    const sent = [...cookies.values()]
      .filter((one) => one.host === host && pathname.startsWith(one.path))
      .map(({ name, value }) => `${name}=${value}`);
    const response = await fetch(url, {
      method: form ? 'POST' : 'GET',
      redirect: 'manual',
      headers: { cookie: sent.join('; '), accept: 'text/html,*/*;q=0.8' },
      ...(form ? { body: new URLSearchParams(form) } : {}),
    });
    for (const line of response.headers.getSetCookie()) {
      if (origin === origins[0]) {
        assert.match(line, /httponly/i);
        assert.match(line, /samesite=lax/i);
      }
      const [pair, ...rest] = line.split('; ');
      const [name, value] = pair!.split('=', 2) as [string, string];
      const path = rest.find((part) => /^path=/i.test(part))?.slice(5) ?? '/';
      const key = `${host} ${name}`;
      if (value === '' || rest.some((part) => /^expires=Thu, 01 Jan 1970/i.test(part))) cookies.delete(key);
      else cookies.set(key, { name, value, path, host });
    }
    const text = await response.text();
    // A page may say where the browser goes on, as a redirect does.
    const onward = /<meta http-equiv="refresh" content="0;url=([^"]+)">/.exec(text)?.[1];
    const location = response.headers.get('location') ?? (onward === undefined ? null : readText(onward));
    const next = location === null ? undefined : new URL(location, url);
    if (next && origins.includes(next.origin)) return go(next.href);
    return { url, status: response.status, text, location };
  };
  const found = (page: Shown, pattern: RegExp, what: string) => {
    const place = pattern.exec(page.text)?.[1];
    assert.ok(place, `${page.url} has no ${what}: ${page.text}`);
    return new URL(readText(place), page.url).href;
  };
  return {
    go,
    send: (page, action, form = {}) =>
      go(found(page, new RegExp(`<form method="post" action="([^"]+${action})"`), `form ${action}`), form),
    follow: (page, text) => go(found(page, new RegExp(`<a [^>]*href="([^"]+)">${text}</a>`), `link ${text}`)),
  };
}

/** An attribute as HTML writes it. */
function readText(attribute: string): string {
  return attribute.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code))).replaceAll('&amp;', '&');
}
