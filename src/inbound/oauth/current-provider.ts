import type { Provider } from 'oidc-provider';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { SealingKey } from '../../base/secret.ts';
import type { Store } from '../../store/store.ts';
import { lookEveryMs, readSigningKeys, type SigningKey } from '../oauth-keys.ts';
import { openProvider } from './provider.ts';

/**
 * The authorization server with the keys as they are. It is opened with the first request, as only a server that listens
 * knows its own address, and anew when the keys are others than those it was opened with: every `lookEveryMs` whoever asks
 * for it waits until they were looked at. What it gave out lies in the database and is good with the next one.
 */
export function openCurrentProvider(parts: {
  store: Store;
  clock: Clock;
  log: Logger;
  key: SealingKey;
  issuerOf: () => string;
}): () => Promise<Provider> {
  const { store, clock, log, key, issuerOf } = parts;
  let lookedAt = Number.NEGATIVE_INFINITY;
  let current: { kids: string; provider: Promise<Provider> } | undefined;
  let looking: Promise<Provider> | undefined;

  async function look(): Promise<Provider> {
    // Of the beginning: what comes while it reads is for the next look.
    const began = clock.monotonic();
    const keys = await readSigningKeys(store, key);
    const kids = kidsOf(keys);
    if (current?.kids !== kids) {
      current = { kids, provider: openProvider({ issuer: issuerOf(), store, log, key, keys }) };
    }
    const provider = await current.provider;
    lookedAt = began;
    return provider;
  }

  return async () => {
    if (current && clock.monotonic() - lookedAt < lookEveryMs) return current.provider;
    looking ??= look().finally(() => {
      looking = undefined;
    });
    return looking;
  };
}

const kidsOf = (keys: readonly SigningKey[]) => keys.map(({ kid }) => kid).join(' ');
