import { randomBytes } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** What the build leaves in its folder: names below it, without those of the compressed twins. */
const assetForm = /^assets\/[\w.-]+\.(js|css|svg|woff2)$/;
const mediaTypes: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  woff2: 'font/woff2',
};
const beside = ['scheme.js', 'icon.svg'];

/**
 * The built console at `/console`: one page for every address below it (the page finds its own way), and its files,
 * whose names change with what is in them. `/carbon`, where administrators of another product look for it, leads there.
 * `folder`: where the build lies; read again for every page, so that a new build needs no restart.
 */
export function consoleDoor({ folder }: { folder: string }) {
  return async (app: FastifyInstance): Promise<void> => {
    app.addHook('onRequest', async (_, reply) => {
      reply.header('x-content-type-options', 'nosniff');
      reply.header('referrer-policy', 'no-referrer');
      reply.header('cross-origin-opener-policy', 'same-origin');
    });
    for (const old of ['/carbon', '/carbon/*']) {
      app.get(old, async (_, reply) => reply.redirect('/console/', 302));
    }
    app.get('/', async (request, reply) => {
      const isBrowser = /\btext\/html\b/.test(request.headers.accept ?? '');
      return isBrowser ? reply.redirect('/console/', 302) : reply.callNotFound();
    });
    app.get('/console', async (_, reply) => sendPage(folder, reply));
    app.get('/console/*', async (request, reply) => {
      const path = (request.params as { '*': string })['*'];
      if (beside.includes(path)) return sendFile(folder, path, 'no-cache', request, reply);
      if (!path.startsWith('assets/')) return sendPage(folder, reply);
      if (!assetForm.test(path)) return reply.callNotFound();
      return sendFile(folder, path, 'public, max-age=31536000, immutable', request, reply);
    });
  };
}

/**
 * No script and no style but the build's own; what the page styles at run time bears a nonce that is new each time.
 * It may not be framed, and nothing but this server is ever called.
 */
function sendPage(folder: string, reply: FastifyReply): FastifyReply {
  const page = read(join(folder, 'index.html'))?.toString('utf8');
  reply.header('cache-control', 'no-store');
  if (page === undefined) {
    const text = 'The console is not built here: npm run build makes it. The admin API is under /api.\n';
    return reply.code(503).type('text/plain; charset=utf-8').send(text);
  }
  const nonce = randomBytes(16).toString('base64url');
  const policy = [
    `default-src 'none'`,
    `script-src 'self'`,
    `style-src 'self' 'nonce-${nonce}'`,
    `img-src 'self' data:`,
    `font-src 'self'`,
    `connect-src 'self'`,
    `form-action 'self'`,
    `base-uri 'none'`,
    `frame-ancestors 'none'`,
  ];
  reply.header('content-security-policy', policy.join('; '));
  return reply.type('text/html; charset=utf-8').send(page.replaceAll('{{nonce}}', nonce));
}

function sendFile(
  folder: string,
  path: string,
  keep: string,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const accepted = String(request.headers['accept-encoding'] ?? '');
  const packed = (['br', 'gzip'] as const).find((each) => new RegExp(`\\b${each}\\b`).test(accepted));
  const ending = packed === undefined ? undefined : { br: '.br', gzip: '.gz' }[packed];
  const small = ending === undefined ? undefined : read(join(folder, `${path}${ending}`));
  const body = small ?? read(join(folder, path));
  if (body === undefined) return reply.callNotFound() as unknown as FastifyReply;
  if (small) reply.header('content-encoding', packed!);
  reply.header('vary', 'accept-encoding').header('cache-control', keep);
  return reply.type(mediaTypes[path.split('.').at(-1)!]!).send(body);
}

function read(file: string): Buffer | undefined {
  return statSync(file, { throwIfNoEntry: false })?.isFile() ? readFileSync(file) : undefined;
}
