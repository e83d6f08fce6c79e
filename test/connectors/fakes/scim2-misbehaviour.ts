import type { FakeRequest } from './scim2-request.ts';

export type Act =
  /** Answers this instead; `applied` does the request's work first. An object body is sent as SCIM JSON. */
  | { kind: 'answer'; status: number; headers?: Record<string, string>; body?: unknown; applied?: boolean }
  /** Closes the connection without a word. */
  | { kind: 'drop'; applied: boolean }
  /** Sends the head and half of the body, then closes the connection. */
  | { kind: 'half'; applied: boolean }
  /** Never answers. The connection stays until the client or `close` ends it. */
  | { kind: 'silence'; applied: boolean }
  /** Waits, then does its work and answers, also when the client has left meanwhile. */
  | { kind: 'delay'; ms: number }
  /** The same without a clock: waits for `release()`. `applied: true` does the work before the waiting. */
  | { kind: 'hold'; applied: boolean }
  /** Answers with a web page. */
  | { kind: 'html'; status?: number; applied?: boolean }
  /** A list without results. */
  | { kind: 'emptyList' };

export type Rule = {
  when?: {
    method?: string | readonly string[];
    on?: FakeRequest['on'] | readonly FakeRequest['on'][];
    /** True: only requests to one resource; false: only requests to the endpoint. */
    resource?: boolean;
    that?: (request: FakeRequest) => boolean;
  };
  /** This many matching requests pass first. Default 0. */
  skip?: number;
  /** Default 1; Infinity until `stop()` or `heal()`. */
  times?: number;
  act: Act;
};

/** The rules in force, in the order they were given. */
export type Misbehaviour = {
  add(rule: Rule): { readonly hits: number; stop(): void };
  /** What the first rule that matches and has `times` left says about a request; counts it. */
  actFor(request: FakeRequest): Act | undefined;
  clear(): void;
};

export function makeMisbehaviour(): Misbehaviour {
  type Live = Rule & { passed: number; hits: number; live: boolean };
  let rules: Live[] = [];
  return {
    add(rule) {
      const live: Live = { ...rule, passed: 0, hits: 0, live: true };
      rules.push(live);
      return {
        get hits() {
          return live.hits;
        },
        stop() {
          live.live = false;
        },
      };
    },
    actFor(request) {
      for (const rule of rules) {
        if (!rule.live || rule.hits >= (rule.times ?? 1) || !matches(rule, request)) continue;
        if (rule.passed < (rule.skip ?? 0)) {
          rule.passed++;
          continue;
        }
        rule.hits++;
        return rule.act;
      }
      return undefined;
    },
    clear() {
      rules = [];
    },
  };
}

/** Requests that wait at a `hold`. */
export type HeldRequests = {
  readonly count: number;
  /** Resolves when `go` was called by `release`. */
  wait(go: () => void): Promise<void>;
  until(count: number): Promise<void>;
  release(): Promise<void>;
};

export function makeHeldRequests(): HeldRequests {
  const held: { go: () => void; resume: () => void }[] = [];
  let watchers: { count: number; tell: () => void }[] = [];
  return {
    get count() {
      return held.length;
    },
    wait(go) {
      return new Promise<void>((resume) => {
        held.push({ go, resume });
        watchers = watchers.filter((watcher) => {
          if (held.length < watcher.count) return true;
          watcher.tell();
          return false;
        });
      });
    },
    until(count) {
      if (held.length >= count) return Promise.resolve();
      return new Promise((tell) => watchers.push({ count, tell }));
    },
    async release() {
      for (const { go, resume } of held.splice(0)) {
        go();
        resume();
      }
    },
  };
}

function matches(rule: Rule, request: FakeRequest): boolean {
  const { when } = rule;
  if (!when) return request.on !== 'token';
  if (when.method !== undefined && ![when.method].flat().includes(request.method)) return false;
  if (when.on === undefined ? request.on === 'token' : ![when.on].flat().includes(request.on)) return false;
  if (when.resource !== undefined && when.resource !== (request.id !== undefined)) return false;
  return when.that?.(request) ?? true;
}
