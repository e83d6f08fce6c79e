import type { FastifyInstance } from 'fastify';
import { Problem } from '../../base/problem.ts';
import { type KnownPolicies, readPoliciesInForce } from '../../provisioning/policies.ts';
import { answerIn, type Notation } from '../../rules/answer.ts';
import type { RuleSettings } from '../../rules/decide.ts';
import type { AdminParts } from './parts.ts';

/** What a request may be sent as; the first is what the answer is called. */
const media: Record<Notation, readonly [string, ...string[]]> = {
  xml: ['application/xacml+xml', 'application/xml', 'text/xml'],
  json: ['application/xacml+json'],
};

/** The decision point for others: an XACML request in, a response out, by the policies in force. */
export function addPdpRoute(app: FastifyInstance, { store }: AdminParts, rules: RuleSettings): void {
  let known: KnownPolicies | undefined;
  app.register(async (inner) => {
    inner.removeAllContentTypeParsers();
    for (const notation of ['xml', 'json'] as const) {
      inner.addContentTypeParser<string>([...media[notation]], { parseAs: 'string' }, (_, text, done) => {
        done(null, { text, notation } satisfies Asked);
      });
    }
    inner.addContentTypeParser('*', { parseAs: 'string' }, (_, __, done) => done(null, undefined));
    inner.post('/pdp', async (request, reply) => {
      const asked = request.body as Asked | undefined;
      if (asked === undefined) {
        const why = `the body must be an XACML request, sent as ${media.xml[0]} or ${media.json[0]}`;
        throw new Problem('unsupportedMediaType', why);
      }
      known = await store.read((reading) => readPoliciesInForce(reading, known));
      if (typeof known.inForce === 'string') throw new Problem('conflict', known.inForce);
      const now = store.now();
      const settings = { now, zone: rules.zone.offsetAt(now) };
      const answer = chooseNotation(request.headers.accept, asked.notation);
      const response = answerIn(known.inForce, asked.text, settings, { request: asked.notation, answer });
      return reply.type(`${media[answer][0]}; charset=utf-8`).send(response);
    });
  });
}

type Asked = { text: string; notation: Notation };

/** What `Accept` asks for by name, and as the request came when it asks for both alike or for neither. */
function chooseNotation(accept: string | undefined, own: Notation): Notation {
  const weight: Record<Notation, number> = { xml: 0, json: 0 };
  for (const part of (accept ?? '').toLowerCase().split(',')) {
    const [type, ...parameters] = part.split(';').map((one) => one.trim());
    const quality = Number(/^q=([\d.]+)$/.exec(parameters.find((one) => one.startsWith('q=')) ?? '')?.[1] ?? 1);
    const notation = (['xml', 'json'] as const).find((one) => media[one].includes(type ?? ''));
    if (notation && quality > weight[notation]) weight[notation] = quality;
  }
  if (weight.xml === weight.json) return own;
  return weight.xml > weight.json ? 'xml' : 'json';
}
