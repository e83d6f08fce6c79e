import assert from 'node:assert/strict';

export type Answer = { url: string; status: number; text: string; location: string | null };

/** A browser that keeps cookies and shows one page; redirects are followed as far as this server. */
export function openBrowser(origin: string) {
  const cookies = new Map<string, { value: string; path: string }>();
  const go = async (url: string, form?: Record<string, string>): Promise<Answer> => {
    const { pathname } = new URL(url);
    const sent = [...cookies]
      .filter(([, { path }]) => pathname.startsWith(path))
      .map(([name, { value }]) => `${name}=${value}`);
    const response = await fetch(url, {
      method: form ? 'POST' : 'GET',
      redirect: 'manual',
      headers: { cookie: sent.join('; ') },
      ...(form ? { body: new URLSearchParams(form) } : {}),
    });
    for (const line of response.headers.getSetCookie()) {
      assert.match(line, /httponly/i);
      assert.match(line, /samesite=lax/i);
      const [pair, ...rest] = line.split('; ');
      const [name, value] = pair!.split('=', 2) as [string, string];
      const path = rest.find((part) => /^path=/i.test(part))?.slice(5) ?? '/';
      if (value === '' || rest.some((part) => /^expires=Thu, 01 Jan 1970/i.test(part))) cookies.delete(name);
      else cookies.set(name, { value, path });
    }
    const location = response.headers.get('location');
    const next = location === null ? undefined : new URL(location, url);
    if (next && next.origin === origin) return go(next.href);
    return { url, status: response.status, text: await response.text(), location };
  };
  /** Sends the form of the page that goes to `action`. */
  const send = (page: Answer, action: string, form: Record<string, string> = {}) => {
    const found = [...page.text.matchAll(/<form method="post" action="([^"]+)"/g)].map((match) => match[1]!);
    const place = found.find((one) => one.endsWith(action));
    assert.ok(place, `${page.url} has no form ${action}: ${page.text}`);
    return go(new URL(place, page.url).href, form);
  };
  return { go, send };
}
