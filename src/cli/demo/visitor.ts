import { CliError } from '../client.ts';

export type Page = { url: string; text: string; location: string | null };

/** Somebody with a browser: keeps the cookies of each server, fills in forms, and goes where servers send them. */
export interface Visitor {
  /** The page that comes of it; a redirect to a server that is none of these is not followed. */
  go(url: string): Promise<Page>;
  /** Sends the page's form whose address ends so. Throws `CliError`, with what the page says, when there is none. */
  fillIn(page: Page, ending: string, fields: Record<string, string>): Promise<Page>;
}

const mostRedirects = 20;

/** `origins`: the servers that are visited. */
export function openVisitor(origins: readonly string[], signal: AbortSignal): Visitor {
  const cookies = new Map<string, { origin: string; path: string; pair: string }>();

  async function visit(first: string, form?: Record<string, string>): Promise<Page> {
    let [url, body] = [first, form];
    for (let n = 0; n < mostRedirects; n++) {
      const { origin, pathname } = new URL(url);
      const own = [...cookies.values()].filter((one) => one.origin === origin && pathname.startsWith(one.path));
      const response = await fetch(url, {
        method: body ? 'POST' : 'GET',
        redirect: 'manual',
        headers: { cookie: own.map((one) => one.pair).join('; ') },
        ...(body ? { body: new URLSearchParams(body) } : {}),
        signal: AbortSignal.any([signal, AbortSignal.timeout(60_000)]),
      });
      for (const line of response.headers.getSetCookie()) keep(origin, line);
      const text = await response.text();
      // A page may say where the browser goes on, as a redirect does.
      const onward = /<meta http-equiv="refresh" content="0;url=([^"]+)">/.exec(text)?.[1]?.replaceAll('&amp;', '&');
      const location = response.headers.get('location') ?? onward ?? null;
      const next = location === null ? undefined : new URL(location, url);
      if (!next || !origins.includes(next.origin)) return { url, text, location };
      [url, body] = [next.href, undefined];
    }
    throw new CliError(`${first} sends its visitors round in circles`);
  }

  function keep(origin: string, line: string): void {
    const [pair = '', ...attributes] = line.split('; ');
    const [name = '', value] = pair.split('=', 2);
    const path = attributes.find((one) => /^path=/i.test(one))?.slice('path='.length) ?? '/';
    const isGone = value === '' || attributes.some((one) => /^expires=Thu, 01 Jan 1970/i.test(one));
    if (isGone) cookies.delete(`${origin} ${name}`);
    else cookies.set(`${origin} ${name}`, { origin, path, pair });
  }

  return {
    go: (url) => visit(url),
    async fillIn(page, ending, fields) {
      const places = [...page.text.matchAll(/<form method="post" action="([^"]+)"/g)].map((match) => match[1]!);
      const place = places.find((one) => one.endsWith(ending));
      if (place === undefined) throw new CliError(`${page.url} has no such form: ${describe(page)}`);
      return visit(new URL(place, page.url).href, fields);
    },
  };
}

/** What a page says, without its markup. */
export function describe({ text }: Page): string {
  const body = text.replace(/^[\s\S]*<body>/, '').replace(/<[^>]+>/g, ' ');
  return body.replace(/\s+/g, ' ').trim().slice(0, 300);
}
