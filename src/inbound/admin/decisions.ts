import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Problem } from '../../base/problem.ts';
import type { AccountAnswer } from '../../contract/account.ts';
import { decideAdoption, leaveParked } from '../../provisioning/decisions.ts';
import { readAccount } from '../../provisioning/inspect.ts';
import type { Tx } from '../../store/store.ts';
import { type AdminParts, bodyOf, param } from './parts.ts';
import { readOneAccount, showAccount } from './show-account.ts';

const longestNote = 500;

/** What an operator says to an account that is parked. Saying it twice does no harm. */
export function addDecisionRoutes(app: FastifyInstance, { store, actorOf }: AdminParts): void {
  const decide = (
    request: FastifyRequest,
    act: (tx: Tx, key: { targetId: number; subjectId: string }) => Promise<void>,
  ): Promise<AccountAnswer> =>
    store.write(async (tx) => {
      const row = await readOneAccount(tx, param(request, 'target'), param(request, 'subject'));
      const key = { targetId: row.target_id, subjectId: row.subject_id };
      await act(tx, key);
      return showAccount(tx, (await readAccount(tx, key))!);
    });

  app.post('/accounts/:target/:subject/adopt', async (request, reply) => {
    const { remoteId, ...rest } = bodyOf(request);
    refuseMore(rest, 'remoteId');
    if (typeof remoteId !== 'string' || remoteId === '') {
      throw new Problem('invalidValue', 'remoteId names the account there that is taken over', { field: 'remoteId' });
    }
    const account = await decide(request, (tx, key) => decideAdoption(tx, key, { remoteId, actor: actorOf(request) }));
    store.signal('work');
    return reply.code(202).send(account);
  });

  app.post('/accounts/:target/:subject/leave', async (request) => {
    const { note = null, ...rest } = request.body === undefined || request.body === null ? {} : bodyOf(request);
    refuseMore(rest, 'note');
    if (note !== null && (typeof note !== 'string' || note.length > longestNote)) {
      throw new Problem('invalidValue', `note must be a text of at most ${longestNote} characters`, { field: 'note' });
    }
    const text = note?.trim() || null;
    return decide(request, (tx, key) => leaveParked(tx, key, { note: text, actor: actorOf(request) }));
  });
}

function refuseMore(rest: Record<string, unknown>, known: string): void {
  const [field] = Object.keys(rest);
  if (field !== undefined) throw new Problem('invalidValue', `there is no ${field}; known is ${known}`, { field });
}
