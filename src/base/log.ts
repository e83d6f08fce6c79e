import { type Logger, pino } from 'pino';

export type { Logger } from 'pino';

/** `silent` writes nothing. Lines are JSON on standard error, so that standard output stays the command's own. */
export type LogLevel = 'silent' | 'error' | 'warn' | 'info' | 'debug';

/**
 * The process's log. Callers pass values, never whole requests or settings: nothing secret is written because
 * nothing secret is handed in (and a `Secret` prints itself as `[secret]`).
 */
export function openLog(level: LogLevel): Logger {
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ dest: 2, sync: true }),
  );
}
