import { connectorKinds } from '../../src/connectors/index.ts';
import { createIdentityProvider } from '../../src/provisioning/identity-providers.ts';
import { readServiceProvider, replaceBindings } from '../../src/provisioning/service-providers.ts';
import { createTarget, replaceTarget } from '../../src/provisioning/targets.ts';
import type { AccountRow } from '../../src/store/schema.ts';
import { type FakeOptions, type FakeScim2, startFakeScim2 } from '../connectors/fakes/scim2.ts';
import type { EngineBed } from './bed.ts';

/** One more target of a bed with a fake of its own, bound to the resident service provider beside those there are. */
export type AnotherTarget = AsyncDisposable & {
  readonly fake: FakeScim2;
  readonly targetId: number;
  accounts(): Promise<AccountRow[]>;
  account(subjectId: string): Promise<AccountRow | undefined>;
};

export async function addTarget(
  bed: EngineBed,
  name: string,
  options: {
    policy?: Record<string, unknown>;
    fake?: Partial<FakeOptions>;
    settings?: Record<string, string | boolean>;
  } = {},
): Promise<AnotherTarget> {
  const fake = await startFakeScim2(options.fake);
  const targetId = await bed.store.write(async (tx) => {
    const idp = await createIdentityProvider(tx, { name });
    const target = await createTarget(tx, { key: bed.key, kinds: connectorKinds }, idp.id, {
      type: 'SCIM2',
      settings: { ...settingsFor(fake), ...options.settings },
      policy: options.policy ?? {},
    });
    const { bindings } = await readServiceProvider(tx, bed.resident.spId);
    await replaceBindings(tx, bed.resident.spId, [
      ...bindings.map((binding) => ({ target: binding.targetId })),
      { target: target.id },
    ]);
    return target.id;
  });
  bed.store.signal('targets');
  const accounts = async () => (await bed.accounts()).filter((row) => row.target_id === targetId);
  return {
    fake,
    targetId,
    accounts,
    account: async (subjectId) => (await accounts()).find((row) => row.subject_id === subjectId),
    async [Symbol.asyncDispose]() {
      fake.heal();
      // Its requests under way end with the engine, before the fake goes.
      await bed.stop();
      await fake.close();
    },
  };
}

export function settingsFor(fake: FakeScim2): Record<string, string> {
  return {
    'scim2-authentication-mode': 'basic',
    'scim2-username': 'purvey',
    'scim2-password': 'fake-password',
    'scim2-user-ep': fake.usersEndpoint,
    'scim2-group-ep': fake.groupsEndpoint,
  };
}

/** Replaces switch, settings and policy of the bed's first target, as an administrator does. */
export async function resetTarget(
  bed: EngineBed,
  input: { enabled?: boolean; settings?: Record<string, string | boolean>; policy?: Record<string, unknown> },
): Promise<void> {
  const parts = { key: bed.key, kinds: connectorKinds };
  const given = { settings: { ...settingsFor(bed.fake), ...input.settings }, policy: input.policy ?? {} };
  await bed.store.write((tx) =>
    replaceTarget(tx, parts, bed.targetId, { enabled: input.enabled ?? true, ...given }, 'test', 'same'),
  );
  bed.store.signal('targets');
}
