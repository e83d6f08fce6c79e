import type { Socket } from 'node:net';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Problem } from '../base/problem.ts';
import type { ProblemAnswer } from '../contract/problem.ts';
import { makeScimError, scimMediaType } from '../protocol/scim/message.ts';
import { makeErrorResponse, mediaType } from '../protocol/scim/v1/message.ts';

type Form = { type: string; write(status: number, detail: string, scimType?: string): object };

const scim1Form: Form = { type: mediaType, write: makeErrorResponse };
/** How each SCIM door words what is wrong, by the prefix it is under. */
const scimForms: Readonly<Record<string, Form>> = {
  '/scim2': { type: scimMediaType, write: makeScimError },
  '/wso2/scim': scim1Form,
  '/scim1': scim1Form,
};
const adminPrefix = '/api';

const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  404: 'Not Found',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
};

/** What an HTTP client sends is no request, so no door has seen it. */
type BrokenRequest = Error & { code?: string; rawPacket?: unknown };

/**
 * Options of the server. What no door can answer becomes an error in the form of the door it was meant for. A slash at
 * the end of an address means nothing: clients write `/Users/?filter=…` too.
 */
export const frontOptions = {
  routerOptions: { maxParamLength: 2_000, ignoreTrailingSlash: true },
  frameworkErrors(error: FastifyError, request: FastifyRequest, reply: FastifyReply) {
    const isTooLong = error.code === 'FST_ERR_MAX_PARAM_LENGTH';
    const problem = isTooLong
      ? new Problem('notFound', 'There is nothing under an address as long as this.')
      : new Problem('invalidSyntax', 'The address cannot be read: after a "%" come two hexadecimal digits of UTF-8.');
    const { type, body } = formProblem(problem, request.url);
    return reply.code(problem.status).header('content-type', type).send(body);
  },
  clientErrorHandler(error: BrokenRequest, socket: Socket) {
    if (error.code === 'ECONNRESET' || socket.destroyed) return;
    if (socket.writable) socket.write(answerBroken(error));
    socket.destroy(error);
  },
};

/** What is asked for beside the doors. */
export function addFront(app: FastifyInstance): void {
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0]!.slice(0, 200);
    const where = `SCIM 2.0 is under /scim2, SCIM 1.1 under /wso2/scim, the admin API under ${adminPrefix}`;
    const { type, body } = formProblem(new Problem('notFound', `There is no "${path}" here: ${where}.`), request.url);
    return reply.code(404).header('content-type', type).send(body);
  });
}

function answerBroken({ code, rawPacket }: BrokenRequest): string {
  const { status, word, detail } = judgeBroken(code);
  // The start of the request line is all that is looked at: what follows may hold credentials.
  const line = rawPacket instanceof Uint8Array ? Buffer.from(rawPacket.subarray(0, 200)).toString('latin1') : '';
  const url = /^[A-Z]+ (\S+)/.exec(line)?.[1] ?? '';
  const { type, body } = formError(status, detail, url, word);
  return [
    `HTTP/1.1 ${status} ${titles[status]}`,
    'Connection: close',
    `Content-Type: ${type}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n');
}

function judgeBroken(code: string | undefined): { status: number; word: string; detail: string } {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT': {
      const detail = 'The request did not arrive whole in the time there is for it. Send it again.';
      return { status: 408, word: 'timeout', detail };
    }
    case 'HPE_HEADER_OVERFLOW': {
      const detail = 'Address and headers are longer than is read here. POST to /.search takes a long filter.';
      return { status: 431, word: 'tooLarge', detail };
    }
    default: {
      const detail = 'This is not HTTP as it is read here: the first line, a header or a length is broken.';
      return { status: 400, word: 'invalidSyntax', detail };
    }
  }
}

function formProblem(problem: Problem, url: string): { type: string; body: string } {
  return formError(problem.status, problem.message, url, problem.code, problem.scimType);
}

function formError(
  status: number,
  detail: string,
  url: string,
  code: string,
  scimType?: string,
): { type: string; body: string } {
  const form = findForm(url);
  if (form) return { type: `${form.type}; charset=utf-8`, body: JSON.stringify(form.write(status, detail, scimType)) };
  const title = titles[status] ?? 'Refused';
  const body = { type: 'about:blank', title, status, detail, code } satisfies ProblemAnswer;
  return { type: 'application/problem+json', body: JSON.stringify(body) };
}

function findForm(url: string): Form | undefined {
  const prefix = Object.keys(scimForms).find((one) => url.startsWith(one) && /^[/?]|^$/.test(url.slice(one.length)));
  return prefix === undefined ? undefined : scimForms[prefix];
}
