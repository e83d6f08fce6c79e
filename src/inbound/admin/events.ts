import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Problem } from '../../base/problem.ts';
import type { News, Newsroom } from '../../provisioning/news.ts';
import type { AdminParts } from './parts.ts';
import type { StatusFacts } from './status.ts';

/** One connection each; browsers that get none ask now and then instead. */
const streamsAtMost = 200;
/** So often a stream says that it is still there, and whoever reads it is asked for again. */
const beatMs = 5_000;
/** A reader that takes nothing in is let go, and comes back when it can. */
const unreadAtMost = 64 * 1024;
/** How long the end may take to be taken in. */
const endMs = 1_000;

/**
 * Server-sent events (HTML, section 9.2): `hello` with the version of the server first, then `news` with a list of what
 * got newer (`changes`, `deliveries`, `targets`), at most once a second. It says where to look again, never what is there,
 * so nothing is lost with a connection: whoever comes back reads again. Ends when the caller may not read any more.
 */
export function addEventRoutes(
  app: FastifyInstance,
  parts: AdminParts & {
    newsroom: Newsroom;
    /** Throws Problem once they may not. */
    mayStillRead(request: FastifyRequest): Promise<void>;
  },
  { version }: StatusFacts,
): void {
  const { clock, newsroom, mayStillRead } = parts;
  const open = new Set<Readable>();
  const ending = new WeakSet<Readable>();
  /** A reader that does not take in the end is let go soon: it must not keep the server from ending. */
  const end = (stream: Readable) => {
    if (ending.has(stream)) return;
    ending.add(stream);
    stream.push(null);
    clock.after(endMs, () => stream.destroy());
  };
  app.addHook('preClose', async () => {
    for (const stream of open) end(stream);
  });

  app.get('/events', async (request, reply): Promise<FastifyReply> => {
    if (open.size >= streamsAtMost) {
      throw new Problem('overloaded', `${streamsAtMost} others listen already: ask again later, or read now and then`);
    }
    const stream = new Readable({ read() {} });
    open.add(stream);
    const say = (text: string) => {
      if (stream.destroyed || ending.has(stream)) return;
      if (stream.readableLength > unreadAtMost) stream.destroy();
      else stream.push(text);
    };
    const stopListening = await newsroom.listen((news: readonly News[]) => say(eventOf('news', news)));
    let cancel = () => {};
    const beat = async () => {
      try {
        await mayStillRead(request);
      } catch {
        end(stream);
        return;
      }
      say(': still here\n\n');
      if (!stream.destroyed) cancel = clock.after(beatMs, beat);
    };
    cancel = clock.after(beatMs, beat);
    stream.once('close', () => {
      open.delete(stream);
      stopListening();
      cancel();
    });
    say(`retry: 2000\n${eventOf('hello', { version })}`);
    // A proxy that collects answers would keep them from the reader.
    return reply.type('text/event-stream').header('x-accel-buffering', 'no').send(stream);
  });
}

const eventOf = (event: string, data: unknown) => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
