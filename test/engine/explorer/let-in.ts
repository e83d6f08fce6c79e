import type { Fallback } from '../../../src/provisioning/bindings.ts';

/** How somebody speaks for a subject: by which service provider, and whether at a sign-in to it. */
export const speakers = ['resident', 'shop', 'shop sign-in', 'hr', 'hr sign-in'] as const;
export type Speaker = (typeof speakers)[number];
export const applicationNames = ['shop', 'hr'] as const;
export type Application = (typeof applicationNames)[number];

/** An application's own binding to the target. */
export const ownBindings = ['none', 'off', 'on', 'just in time'] as const;
export type OwnBinding = (typeof ownBindings)[number];

export type Applications = Record<Application, { own: OwnBinding; fallback: Fallback }>;
/** Who is bound to the target. */
export type Bindings = Applications & { resident: boolean };

/** Applications that lead nowhere. */
export const nowhere: Applications = {
  shop: { own: 'none', fallback: 'none' },
  hr: { own: 'none', fallback: 'none' },
};

export const isSignIn = (speaker: Speaker) => speaker.endsWith(' sign-in');
export const applicationOf = (speaker: Exclude<Speaker, 'resident'>) => speaker.split(' ')[0] as Application;

/** Engine rule 20 once more, from the pages on service providers and on Enable JIT, not from the engine. */
function opensTo(bindings: Bindings, speaker: Speaker): boolean {
  if (speaker === 'resident') return bindings.resident;
  const { own, fallback } = bindings[applicationOf(speaker)];
  if (isSignIn(speaker)) return own === 'just in time';
  return own === 'none' ? fallback === 'resident' && bindings.resident : own !== 'off';
}

/**
 * Who may be at the target, reckoned from what was done and not from what the engine noted. Bindings change while others
 * still go by those they have read, so it keeps what they were: `mark` is a moment, and what was so at any time from
 * there on counts.
 */
export function openLetIn(first: Bindings) {
  const history = [first];
  const spoken = new Map<string, Set<Speaker>>();
  const entered = new Set<string>();
  let unplanned: { id: string; speaker: Speaker; since: number }[] = [];
  let written = 0;
  let syncedSince: number | undefined;
  let vain = false;

  const opened = (since: number, all: Iterable<Speaker>) =>
    history.slice(since).some((bindings) => [...all].some((speaker) => opensTo(bindings, speaker)));
  const speakersOf = (id: string) => spoken.get(id) ?? [];
  /** By a sign-in its own application alone lets in, by a call everybody who ever spoke. */
  const lets = ({ id, speaker }: { id: string; speaker: Speaker }, since: number) =>
    opened(since, isSignIn(speaker) ? [speaker] : speakersOf(id));

  return {
    get bindings(): Bindings {
      return history.at(-1)!;
    },
    get mark(): number {
      return written;
    },
    /** Somebody signed in who was not let in by it: only a sync may find that others would have. */
    get anyInVain(): boolean {
      return vain;
    },
    async change(bindings: Bindings, write: () => Promise<void>): Promise<void> {
      history.push(bindings);
      await write();
      written = history.length - 1;
    },
    /** Something about the subject changed by this speaker, and that is committed. */
    noteSpoke(id: string, speaker: Speaker): void {
      spoken.set(id, new Set(speakersOf(id)).add(speaker));
      unplanned.push({ id, speaker, since: written });
      if (isSignIn(speaker) && !opensTo(history.at(-1)!, speaker)) vain = true;
    },
    noteSync(): void {
      syncedSince ??= written;
    },
    /** All that changed until now is about to be planned; the answer is to be called when it is. Who is out of scope enters nowhere. */
    beginPlan(isInScope: (id: string) => boolean): () => void {
      const taken = new Map(unplanned.map((one) => [one, isInScope(one.id)]));
      const since = written;
      return () => {
        for (const [one, before] of taken) {
          if ((before || isInScope(one.id)) && lets(one, since)) entered.add(one.id);
        }
        unplanned = unplanned.filter((one) => !taken.has(one));
      };
    },
    /** Everything rests, so nothing is left to plan. */
    noteRest(): void {
      for (const one of unplanned) if (lets(one, one.since)) entered.add(one.id);
      unplanned = [];
    },
    /** So few changes wait that one step of the planner takes them all, if it is not to take them one by one. */
    get plansAtOnce(): boolean {
      return unplanned.length <= 20;
    },
    /** Whether something may have led it into the target: a change when it was planned, or a sync. */
    mayHaveEntered: (id: string): boolean =>
      entered.has(id) ||
      unplanned.some((one) => one.id === id && lets(one, one.since)) ||
      (syncedSince !== undefined && opened(syncedSince, speakersOf(id))),
    /** Whether anything may be said of it by whoever read the bindings at that mark. */
    mayBeSent: (id: string, since: number): boolean => opened(since, speakersOf(id)),
    isLetIn: (id: string): boolean => opened(history.length - 1, speakersOf(id)),
  };
}

export type LetIn = ReturnType<typeof openLetIn>;
