import type { ConnectorKind } from './connector.ts';
import { scim1 } from './scim1/connector.ts';
import { scim2 } from './scim2/connector.ts';

/** Every kind of connector there is, in the order of the drop-downs. */
export const connectorKinds: readonly ConnectorKind[] = [scim2, scim1];

/** By its WSO2 name, which is compared exactly (`SCIM2` and `scim` are two kinds). Undefined when there is none. */
export function findConnectorKind(type: string): ConnectorKind | undefined {
  return connectorKinds.find((kind) => kind.type === type);
}
