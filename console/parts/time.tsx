import { createContext, type ReactNode, useContext, useEffect, useState } from 'react';
import { showAgo, showExact } from './words.ts';

const Now = createContext(Date.now());

/** One clock for all times on the page. */
export function Clock({ children }: { children: ReactNode }) {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 5_000);
    return () => clearInterval(timer);
  }, []);
  return <Now.Provider value={now}>{children}</Now.Provider>;
}

/** Relative, with the exact time on hover. */
export function Ago({ time }: { time: string | null }) {
  const now = Math.max(useContext(Now), Date.now() - 5_000);
  if (time === null) return <span className="muted">never</span>;
  return (
    <time dateTime={time} title={showExact(time)} className="num">
      {showAgo(time, now)}
    </time>
  );
}
