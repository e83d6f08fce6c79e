import type { FastifyInstance } from 'fastify';
import { Problem } from '../../base/problem.ts';
import type { List } from '../../contract/page.ts';
import type { OperatorAnswer, OperatorMade } from '../../contract/session.ts';
import { hashPassword } from '../../directory/passwords.ts';
import type { Reading } from '../../store/store.ts';
import type { Credentials } from '../credentials.ts';
import {
  createOperator,
  findOperator,
  listOperators,
  makePassword,
  type Operator,
  type Role,
  readOperator,
  removeOperator,
  setOneTimePassword,
  setOperatorRole,
} from '../operators.ts';
import { type AdminParts, bodyOf, param } from './parts.ts';
import { readOneOf, readQuery, showTime } from './query.ts';

const roles = ['administrator', 'operator', 'auditor', 'service'] as const satisfies readonly Role[];

/** Who signs in to the console and the admin API, and who calls SCIM by Basic. They are not directory users. */
export function addOperatorRoutes(
  app: FastifyInstance,
  { store, credentials }: AdminParts & { credentials: Credentials },
): void {
  app.get('/operators', async (request): Promise<List<OperatorAnswer>> => {
    readQuery(request.query, []);
    return { items: (await store.read(listOperators)).map(show) };
  });

  app.post('/operators', async (request, reply): Promise<OperatorMade> => {
    const { name, role, ...rest } = bodyOf(request);
    refuseMore(rest, 'name, role');
    if (typeof name !== 'string') throw new Problem('invalidValue', 'name must be a text', { field: 'name' });
    if (name.length > 120) throw new Problem('invalidValue', 'name is longer than 120 characters', { field: 'name' });
    const given = readRole(role);
    const password = makePassword();
    const hash = await hashPassword(password);
    const made = await store.write(async (tx) => {
      const id = await createOperator(tx, { name, hash, role: given, mustChange: given !== 'service' });
      return (await readOperator(tx, id))!;
    });
    reply.code(201);
    return { ...show(made), password };
  });

  app.patch('/operators/:id', async (request): Promise<OperatorAnswer> => {
    const { role, ...rest } = bodyOf(request);
    refuseMore(rest, 'role');
    const given = readRole(role);
    const changed = await store.write(async (tx) => {
      const found = await findOne(tx, param(request, 'id'));
      await setOperatorRole(tx, found, given);
      return (await readOperator(tx, found.id))!;
    });
    credentials.forgetOperators();
    return show(changed);
  });

  app.delete('/operators/:id', async (request, reply) => {
    await store.write(async (tx) => removeOperator(tx, await findOne(tx, param(request, 'id'))));
    credentials.forgetOperators();
    return reply.code(204).send();
  });

  /** A one-time password for somebody who lost theirs. */
  app.post('/operators/:id/password', async (request): Promise<OperatorMade> => {
    const password = makePassword();
    const hash = await hashPassword(password);
    const operator = await store.write(async (tx) => {
      const found = await findOne(tx, param(request, 'id'));
      await setOneTimePassword(tx, found.id, hash);
      return (await readOperator(tx, found.id))!;
    });
    credentials.forgetOperators();
    return { ...show(operator), password };
  });
}

async function findOne(reading: Reading, text: string): Promise<Operator> {
  const byId = /^\d{1,15}$/.test(text) ? await readOperator(reading, Number(text)) : undefined;
  const found = byId ?? (await findOperator(reading, text));
  if (!found) throw new Problem('notFound', `there is no operator ${text.slice(0, 120)}`);
  return found;
}

function readRole(value: unknown): Role {
  const role = typeof value === 'string' ? readOneOf(value, 'role', roles) : undefined;
  if (role === undefined) {
    throw new Problem('invalidValue', `role must be one of ${roles.join(', ')}`, { field: 'role' });
  }
  return role;
}

function refuseMore(rest: Record<string, unknown>, known: string): void {
  const [field] = Object.keys(rest);
  if (field !== undefined) throw new Problem('invalidValue', `there is no ${field}; known are ${known}`, { field });
}

function show(row: Operator): OperatorAnswer {
  return {
    id: row.id,
    name: row.name,
    role: row.role,
    mustChangePassword: row.must_change === 1,
    createdAt: showTime(row.created_at),
  };
}
