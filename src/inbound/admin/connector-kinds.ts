import type { FastifyInstance } from 'fastify';
import type { ConnectorKind } from '../../connectors/connector.ts';
import type { ConnectorKindAnswer } from '../../contract/connector-kind.ts';
import type { AdminParts } from './parts.ts';

/** What there is to connect to, and the form of each. */
export function addConnectorKindRoutes(app: FastifyInstance, { kinds }: AdminParts): void {
  const items = kinds.map(show);
  app.get('/connector-kinds', async () => ({ items }));
}

function show(kind: ConnectorKind): ConnectorKindAnswer {
  return {
    type: kind.type,
    label: kind.label,
    settings: kind.settings.map(({ options, when, ...setting }) => ({
      ...setting,
      ...(options ? { options: [...options] } : {}),
      ...(when ? { when: { key: when.key, in: [...when.in] } } : {}),
    })),
  };
}
