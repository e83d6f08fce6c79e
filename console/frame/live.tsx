import { type QueryClient, useQueryClient } from '@tanstack/react-query';
import { createContext, type ReactNode, useContext, useEffect, useState } from 'react';
import { listen } from '../api/client.ts';

/** `live`: what happens is shown as it happens; `away`: the server does not answer, and is asked again now and then. */
export type LiveState = 'connecting' | 'live' | 'away';
type Live = { state: LiveState; isOutdated: boolean };

const Told = createContext<Live>({ state: 'connecting', isOutdated: false });
export const useLive = () => useContext(Told);

/** First words of the keys of what is read again, by what the server says is new. */
const staleBy: Record<string, readonly string[]> = {
  changes: ['changes', 'subjects', 'subject', 'members', 'sign-in-links', 'status'],
  deliveries: ['status', 'causes', 'accounts', 'account', 'subject', 'attempts', 'throughput', 'sync'],
  targets: [
    'targets',
    'identity-providers',
    'sign-in-links',
    'service-providers',
    'policies',
    'account',
    'sync',
    'status',
  ],
};

/** A hidden window listens to nothing, as browsers open few connections to one server. */
const hiddenForMs = 10_000;
const againMs = 5_000;
const leastRestMs = 1_000;
/** A page is read again at most a tenth of the time, however large the directory is. */
const restPerRead = 10;

export function LiveProvider({ children }: { children: ReactNode }) {
  const client = useQueryClient();
  const [state, setState] = useState<LiveState>('connecting');
  const [isOutdated, setOutdated] = useState(false);
  useEffect(() => follow(client, setState, () => setOutdated(true)), [client]);
  return <Told.Provider value={{ state, isOutdated }}>{children}</Told.Provider>;
}

function follow(client: QueryClient, tell: (state: LiveState) => void, tellOutdated: () => void): () => void {
  const readAgain = openReader(client);
  let source: ReturnType<typeof listen> | undefined;
  let hiding: ReturnType<typeof setTimeout> | undefined;
  let version: string | undefined;
  let isLive = false;

  const open = () => {
    source ??= listen(
      (event, data) => {
        if (event === 'news') {
          readAgain((data as string[]).flatMap((topic) => staleBy[topic] ?? []));
          return;
        }
        const told = (data as { version: string }).version;
        if (version !== undefined) readAgain(Object.values(staleBy).flat());
        if (version !== undefined && version !== told) tellOutdated();
        version = told;
        isLive = true;
        tell('live');
      },
      () => {
        isLive = false;
        tell('away');
        if (!source?.isOver()) return;
        source = undefined;
        // Whatever the server has against it, a call says.
        readAgain(['status']);
      },
    );
  };
  const close = () => {
    source?.close();
    source = undefined;
    isLive = false;
  };
  const look = () => {
    clearTimeout(hiding);
    if (document.visibilityState === 'visible') open();
    else hiding = setTimeout(close, hiddenForMs);
  };
  const timer = setInterval(() => {
    if (isLive || document.visibilityState !== 'visible') return;
    open();
    readAgain(Object.values(staleBy).flat());
  }, againMs);
  document.addEventListener('visibilitychange', look);
  look();
  return () => {
    clearInterval(timer);
    clearTimeout(hiding);
    document.removeEventListener('visibilitychange', look);
    close();
  };
}

/** Makes what is on the page stale, many times at once or seldom: reading rests in between. */
function openReader(client: QueryClient): (keys: readonly string[]) => void {
  const wanted = new Set<string>();
  let isBusy = false;
  const read = async () => {
    isBusy = true;
    const keys = new Set(wanted);
    wanted.clear();
    const started = Date.now();
    await client.invalidateQueries({ predicate: ({ queryKey }) => keys.has(String(queryKey[0])) });
    setTimeout(
      () => {
        isBusy = false;
        if (wanted.size > 0) void read();
      },
      Math.max(leastRestMs, (Date.now() - started) * restPerRead),
    );
  };
  return (keys) => {
    for (const key of keys) wanted.add(key);
    if (!isBusy && wanted.size > 0) void read();
  };
}
