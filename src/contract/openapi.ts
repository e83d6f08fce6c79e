import type { TSchema } from 'typebox';
import { needOf, type Operation } from './operation.ts';
import { operations } from './operations.ts';
import { ProblemAnswer } from './problem.ts';

type Json = Record<string, unknown>;

/** The description of the admin API: OpenAPI 3.1, its schemas are the contract's shapes. */
export function describeApi(): Json {
  const paths: Record<string, Json> = {};
  for (const operation of operations) {
    paths[operation.path] = { ...paths[operation.path], [operation.method]: describeOperation(operation) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Purvey admin API',
      version: '1',
      description:
        'Callers are operators (Basic, or the session of the console), each as far as its role goes, or API tokens with the scope admin (Bearer).',
    },
    servers: [{ url: '/api' }],
    security: [{ basic: [] }, { bearer: [] }, { session: [], client: [] }],
    paths,
    components: {
      securitySchemes: {
        basic: { type: 'http', scheme: 'basic' },
        bearer: { type: 'http', scheme: 'bearer' },
        // The name of the cookie has the port at its end, where there is one.
        session: { type: 'apiKey', in: 'cookie', name: 'purvey-session' },
        client: { type: 'apiKey', in: 'header', name: 'purvey-client' },
      },
      schemas: { ProblemAnswer },
    },
  };
}

function describeOperation(operation: Operation): Json {
  const { method, path, summary, body, answers, is, media = 'application/json', also } = operation;
  const contentOf = (schema: TSchema, part: 'body' | 'answer') => ({
    [media]: { schema },
    ...(also === undefined ? {} : { [also.media]: { schema: also[part] } }),
  });
  const parameters = parametersOf(operation);
  const responses: Record<string, Json> = {};
  for (const [status, shape] of Object.entries(answers)) {
    responses[status] = {
      description: titles[status]!,
      ...(is === 'configures' ? { headers: { 'purvey-change': { schema: changes } } } : {}),
      ...(shape === null ? {} : { content: contentOf(shape, 'answer') }),
    };
  }
  responses.default = {
    description: 'It was refused, or failed',
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/ProblemAnswer' } } },
  };
  return {
    operationId: [method, ...path.split(/[^A-Za-z]+/).filter((word) => word !== '')].join('-'),
    summary,
    ...(is === 'open' ? { security: [] } : { 'x-needs': needOf(operation) }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: { required: body.required, content: contentOf(body.shape, 'body') } }),
    responses,
  };
}

const titles: Record<string, string> = { 200: 'Done', 201: 'Created', 202: 'Due', 204: 'Done' };
const changes = { enum: ['created', 'updated', 'unchanged'] };

function parametersOf({ path, query = {}, is }: Operation): Json[] {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!);
  const dryRun = 'With true, everything is checked and answered as if it were done, and nothing is changed';
  return [
    ...names.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } })),
    ...Object.entries(query).map(([name, description]) => {
      return { name, in: 'query', description, schema: { type: 'string' } };
    }),
    ...(is === 'configures' ? [{ name: 'dryRun', in: 'query', description: dryRun, schema: { enum: ['true'] } }] : []),
  ];
}
