import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Problem } from '../../base/problem.ts';
import type { SealingKey } from '../../base/secret.ts';
import type { ConnectorKind } from '../../connectors/connector.ts';
import { describeApi } from '../../contract/openapi.ts';
import type { ProblemAnswer } from '../../contract/problem.ts';
import type { PasswordKeeping } from '../../directory/clear-passwords.ts';
import type { Outbound } from '../../outbound/outbound.ts';
import type { Newsroom } from '../../provisioning/news.ts';
import { openTally } from '../../provisioning/tally.ts';
import type { RuleSettings } from '../../rules/decide.ts';
import type { Caller } from '../credentials.ts';
import type { Door } from '../door.ts';
import { addAccountRoutes } from './accounts.ts';
import { addAttemptRoutes } from './attempts.ts';
import { authenticate, isOfConsole, openRoleCheck } from './callers.ts';
import { addCauseRoutes } from './causes.ts';
import { addChangeRoutes } from './changes.ts';
import { addConnectorKindRoutes } from './connector-kinds.ts';
import { addDecisionRoutes } from './decisions.ts';
import { addDomainRoutes } from './domains.ts';
import { addEventRoutes } from './events.ts';
import { addFederationRoutes } from './federations.ts';
import { addIdentityProviderRoutes } from './identity-providers.ts';
import { addOAuthClientRoutes } from './oauth-clients.ts';
import { addOAuthKeyRoutes } from './oauth-keys.ts';
import { addOperatorRoutes } from './operators.ts';
import { type AdminParts, checkDryRun } from './parts.ts';
import { addPdpRoute } from './pdp.ts';
import { addPolicyRoutes } from './policies.ts';
import { addPolicyDraftRoutes } from './policy-drafts.ts';
import { addServiceProviderRoutes } from './service-providers.ts';
import { addSessionRoutes } from './session.ts';
import { addSignInLinkRoutes } from './sign-in-links.ts';
import { addStatusRoutes, type StatusFacts } from './status.ts';
import { addSubjectWriteRoutes } from './subject-writes.ts';
import { addMemberRoutes, addSubjectRoutes } from './subjects.ts';
import { addSyncRoutes } from './sync.ts';
import { addTargetRoutes } from './targets.ts';
import { addTokenRoutes } from './tokens.ts';

/**
 * The admin API: a Fastify plugin, to be registered with the prefix `/api`. Its shapes are `src/contract/`. Callers are
 * operators (Basic, or a session of the
 * console), each as far as its role goes, or API tokens with the scope `admin`. Refusals are problem+json (RFC 9457) with the `field`
 * at fault. POST, PUT and PATCH of the configuration take `?dryRun=true`: checked, answered with what would be, and not
 * done.
 */
export function adminDoor(
  door: Door,
  given: {
    key: SealingKey;
    kinds: readonly ConnectorKind[];
    outbound: Outbound;
    facts: StatusFacts;
    rules: RuleSettings;
    passwords: PasswordKeeping;
    newsroom: Newsroom;
    /** Of the authorization server; known when the server listens. */
    issuerOf: () => string;
    /** Of this server, for browsers. */
    addressOf: () => string;
  },
) {
  const { credentials } = door;
  const callers = new WeakMap<FastifyRequest, Caller>();
  const callerOf = (request: FastifyRequest) => callers.get(request)!;
  const parts: AdminParts = {
    ...given,
    store: door.store,
    types: door.types,
    clock: door.clock,
    limits: door.limits,
    tally: openTally(door),
    actorOf: (request) => callerOf(request).actor,
  };
  return async (app: FastifyInstance): Promise<void> => {
    door.acceptJson(app, ['application/json']);
    app.setErrorHandler((error, request, reply) => {
      const refusal = door.judge(error, { method: request.method, route: request.routeOptions.url });
      return 'problem' in refusal
        ? answerProblem(request, reply, refusal.problem)
        : answerFault(reply, refusal.faultId);
    });
    app.setNotFoundHandler((request, reply) => {
      const path = request.url.split('?')[0];
      return answerProblem(
        request,
        reply,
        new Problem('notFound', `there is no ${request.method} ${path} in this API`),
      );
    });
    // Nothing of the API may stay in a cache between here and the caller.
    app.addHook('onRequest', async (request, reply) => {
      reply.header('cache-control', 'no-store');
      checkDryRun(request);
    });
    // What the API looks like is no secret, and tools ask for it without credentials.
    const description = describeApi();
    app.get('/openapi.json', async () => description);
    addSessionRoutes(app, { credentials });
    const checkRole = openRoleCheck(app.prefix);
    await app.register(async (inner) => {
      inner.addHook('onRequest', async (request) => {
        const caller = await authenticate(credentials, request, { mayBeDue: false });
        checkRole(caller, request);
        callers.set(request, caller);
      });
      addIdentityProviderRoutes(inner, parts);
      addFederationRoutes(inner, { ...parts, addressOf: given.addressOf });
      addTargetRoutes(inner, parts);
      addSyncRoutes(inner, parts);
      addConnectorKindRoutes(inner, parts);
      addServiceProviderRoutes(inner, parts);
      addOAuthClientRoutes(inner, { ...parts, issuerOf: given.issuerOf });
      addOAuthKeyRoutes(inner, parts);
      addSubjectRoutes(inner, parts);
      addMemberRoutes(inner, parts);
      addSubjectWriteRoutes(inner, { ...parts, door, callerOf, passwords: given.passwords });
      addSignInLinkRoutes(inner, parts);
      addDomainRoutes(inner, parts);
      addAccountRoutes(inner, parts);
      addDecisionRoutes(inner, parts);
      addCauseRoutes(inner, parts);
      addAttemptRoutes(inner, parts, given.facts);
      addChangeRoutes(inner, parts, given.facts);
      addPolicyRoutes(inner, parts);
      addPdpRoute(inner, parts, given.rules);
      addPolicyDraftRoutes(inner, parts, given.rules);
      addStatusRoutes(inner, parts, given.facts);
      const mayStillRead = async (request: FastifyRequest) => {
        checkRole(await authenticate(credentials, request, { mayBeDue: false }), request);
      };
      addEventRoutes(inner, { ...parts, newsroom: given.newsroom, mayStillRead }, given.facts);
      addTokenRoutes(inner, { ...parts, credentials });
      addOperatorRoutes(inner, { ...parts, credentials });
    });
  };
}

const titles: Record<number, string> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  412: 'Precondition Failed',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  429: 'Too Many Requests',
  501: 'Not Implemented',
  503: 'Service Unavailable',
};

function answerProblem(request: FastifyRequest, reply: FastifyReply, problem: Problem): FastifyReply {
  const answer: ProblemAnswer = {
    type: 'about:blank',
    title: titles[problem.status] ?? 'Refused',
    status: problem.status,
    detail: problem.message,
    code: problem.code,
    ...(problem.field === undefined ? {} : { field: problem.field }),
    ...(problem.line === undefined ? {} : { line: problem.line }),
  };
  if (problem.status === 401) reply.header('www-authenticate', challengeFor(request));
  return reply.code(problem.status).type('application/problem+json').send(answer);
}

/** A browser that is offered Basic asks for name and password in a window of its own, over the console's page. */
function challengeFor(request: FastifyRequest): string {
  return isOfConsole(request) ? 'Session realm="Purvey"' : 'Basic realm="Purvey", charset="UTF-8", Bearer';
}

function answerFault(reply: FastifyReply, id: string): FastifyReply {
  const answer: ProblemAnswer = {
    type: 'about:blank',
    title: 'Internal Server Error',
    status: 500,
    detail: `Purvey failed while it did this; the log has the reason under ${id}`,
    code: 'internal',
    id,
  };
  return reply.code(500).type('application/problem+json').send(answer);
}
