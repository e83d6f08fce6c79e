import { relative } from 'node:path';
import type { run } from 'node:test';
import { inspect } from 'node:util';

export type RunResult = { passed: number; failed: number; skipped: number; todo: number };

type Failure = { path: string; error: Error & { failureType?: string; cause?: unknown } };
type FileState = {
  passed: number;
  failed: number;
  skips: string[];
  todos: string[];
  failures: Failure[];
  names: Map<number, string>;
};

/**
 * Prints a line per test file when it ends, and below it what failed (with its error) and what was skipped (with the
 * reason). Suites are not counted, except one that failed by itself (a hook).
 */
export async function reportTests(
  stream: ReturnType<typeof run>,
  options: { root: string; verbose: boolean; out: (line: string) => void },
): Promise<RunResult> {
  const { root, verbose, out } = options;
  const files = new Map<string, FileState>();
  const total: RunResult = { passed: 0, failed: 0, skipped: 0, todo: 0 };
  const stateOf = (file: string) => {
    const state = files.get(file) ?? { passed: 0, failed: 0, skips: [], todos: [], failures: [], names: new Map() };
    files.set(file, state);
    return state;
  };

  for await (const event of stream) {
    const { type, data } = event as { type: string; data: EventData };
    // `file` is where the test was declared, which may be a shared suite.
    const file = data?.entryFile ?? data?.file ?? '';
    if (type === 'test:start') {
      const { names } = stateOf(file);
      const parent = names.get(data.parentId);
      names.set(data.testId, parent === undefined ? data.name : `${parent} › ${data.name}`);
    } else if (type === 'test:pass' || type === 'test:fail') {
      const state = stateOf(file);
      const path = state.names.get(data.testId) ?? data.name;
      count(state, total, type, path, data);
      if (verbose)
        out(`${type === 'test:pass' ? '  ok' : '  FAILED'} ${path} (${Math.round(data.details.duration_ms)} ms)`);
    } else if (type === 'test:stdout' || type === 'test:stderr') {
      process[type === 'test:stdout' ? 'stdout' : 'stderr'].write(data.message);
    } else if (type === 'test:summary' && data.file !== undefined) {
      printFile(relative(root, file), stateOf(file), data.duration_ms, out);
      files.delete(file);
    }
  }
  // A file that crashed or was ended has no summary.
  for (const [file, state] of files) printFile(relative(root, file), state, undefined, out);
  return total;
}

type EventData = {
  file?: string;
  entryFile?: string;
  testId: number;
  parentId: number;
  name: string;
  message: string;
  duration_ms: number;
  skip?: string | boolean;
  todo?: string | boolean;
  details: { type?: string; duration_ms: number; error?: Failure['error'] };
};

function count(state: FileState, total: RunResult, type: string, path: string, data: EventData): void {
  const isSuite = data.details.type === 'suite';
  if (data.skip !== undefined) {
    state.skips.push(`${path}${typeof data.skip === 'string' && data.skip ? `: ${data.skip}` : ''}`);
    total.skipped++;
  } else if (data.todo !== undefined) {
    state.todos.push(path);
    total.todo++;
  } else if (type === 'test:pass') {
    if (isSuite) return;
    state.passed++;
    total.passed++;
  } else {
    const error = data.details.error ?? new Error('failed without an error');
    if ((error as Failure['error']).failureType === 'subtestsFailed') return;
    state.failed++;
    total.failed++;
    state.failures.push({ path, error });
  }
}

function printFile(file: string, state: FileState, ms: number | undefined, out: (line: string) => void): void {
  const took = ms === undefined ? 'did not end by itself' : `${(ms / 1000).toFixed(1)} s`;
  out(
    `${state.failed > 0 ? 'FAILED' : 'ok'} ${file || 'the run itself'}: ${state.passed} passed, ${state.failed} failed (${took})`,
  );
  for (const skip of state.skips) out(`  skipped ${skip}`);
  for (const todo of state.todos) out(`  to do ${todo}`);
  for (const { path, error } of state.failures) {
    out(`  FAILED ${path}`);
    const shown =
      error.failureType === 'testCodeFailure' || error.failureType === 'hookFailed' ? (error.cause ?? error) : error;
    const text = typeof shown === 'string' ? shown : inspect(shown, { depth: 4 });
    out(text.replace(/^/gm, '    '));
  }
}
