import { fdatasyncSync, openSync } from 'node:fs';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

/** Makes sure that what was written to one file is on disk, while the event loop goes on. */
export interface Disk {
  /** Resolves when everything written before the call is on disk. One call at a time. Rejects when the disk fails. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

type Answer = { failure: string | null };

/**
 * The disk on a thread of its own. The thread pool would do the same with less, but there a write would stand in line
 * behind every password that is being hashed. The thread starts with the first call and costs 15 ms and 12 MB.
 */
export function openDisk(file: string): Disk {
  let worker: Worker | undefined;
  let ended: string | undefined;
  let answer: ((failure: string | null) => void) | undefined;

  function start(): Worker {
    const started = new Worker(new URL(import.meta.url), {
      workerData: { diskOf: file },
      resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 1 },
    });
    const end = (why: string) => {
      ended ??= why;
      answer?.(ended);
    };
    started.on('message', ({ failure }: Answer) => answer?.(failure));
    started.on('error', (error) => end((error as Error).message));
    started.on('exit', () => end('its thread ended'));
    return started;
  }

  return {
    sync() {
      if (ended !== undefined) return Promise.reject(new Error(ended));
      worker ??= start();
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      answer = (failure) => {
        answer = undefined;
        // Only a sync under way keeps the process from ending.
        worker?.unref();
        if (failure === null) resolve();
        else reject(new Error(failure));
      };
      worker.ref();
      worker.postMessage(undefined);
      return promise;
    },
    async close() {
      await worker?.terminate();
    },
  };
}

if (!isMainThread && typeof workerData?.diskOf === 'string') {
  const file = openSync(workerData.diskOf, 'r+');
  parentPort?.on('message', () => {
    let failure: string | null = null;
    try {
      fdatasyncSync(file);
    } catch (error) {
      failure = (error as Error).message;
    }
    parentPort?.postMessage({ failure } satisfies Answer);
  });
}
