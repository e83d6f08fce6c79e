import type { Operation } from './operation.ts';
import { accessOperations } from './operations-access.ts';
import { configurationOperations } from './operations-configuration.ts';
import { deliveriesOperations } from './operations-deliveries.ts';
import { directoryOperations } from './operations-directory.ts';
import { rulesOperations } from './operations-rules.ts';

/** Every operation of the admin API. */
export const operations: readonly Operation[] = [
  ...accessOperations,
  ...configurationOperations,
  ...rulesOperations,
  ...directoryOperations,
  ...deliveriesOperations,
];
