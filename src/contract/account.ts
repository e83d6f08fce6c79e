import { type Static, Type } from 'typebox';
import { AttemptDetail } from './attempt.ts';
import { MaybeText, MaybeTime, pageOf, SubjectRef, Time } from './page.ts';

/** Where one subject stands at one target. */
export const AccountAnswer = Type.Object({
  targetId: Type.Integer(),
  target: Type.String(),
  subject: SubjectRef,
  /** `due`, `done`, `waiting`, `parked`, `withheld`, `disabled`, `kept` or `unbound`. */
  state: Type.String(),
  /** Why, in plain words, when it is not simply done or due. */
  reason: MaybeText,
  /** Something is still to be delivered, whatever the state says. */
  due: Type.Boolean(),
  /** When it may be tried next (while it is being tried: when that lease ends); null when nothing is due. */
  dueAt: MaybeTime,
  remoteId: MaybeText,
  /** `created`, `adopted` or `adopted-inactive`; null while there is no remote account. */
  origin: MaybeText,
  /** The last request had no believable answer: it may or may not have taken effect. */
  inDoubt: Type.Boolean(),
  /** Tries since it last came to rest. */
  tries: Type.Integer(),
  /** The subject that holds the name this one wants. */
  waitsFor: Type.Union([SubjectRef, Type.Null()]),
  /** What a rule withholds: `POST`, `PUT`, `PATCH` or `DELETE`; null when none does. */
  withheldOperation: MaybeText,
  /** A new password is still to be sent. */
  passwordDue: Type.Boolean(),
  /** What became of the last password that did not reach the target, in plain words; null when nothing is amiss. */
  passwordNote: MaybeText,
  /** The service provider that let it in. */
  serviceProvider: MaybeText,
  /** Who left it parked, and when: it is not among those to look at. Null for all others. */
  left: Type.Union([Type.Object({ by: Type.String(), at: Time, note: MaybeText }), Type.Null()]),
});
export type AccountAnswer = Static<typeof AccountAnswer>;
export const AccountPage = pageOf(AccountAnswer);

/** What is kept of a subject that was only forwarded. */
export const ForwardedAnswer = Type.Object({
  /** Whom it was forwarded for. */
  serviceProvider: Type.String(),
  /** `whole` and `part` are kept until every target has them, `none` is erased. */
  body: Type.Enum(['whole', 'part', 'none']),
  /** When what is kept is given up at the latest; null when nothing is. */
  keptUntil: MaybeTime,
  /** The last that was sent was given up before every target had it. */
  givenUp: Type.Boolean(),
});
export type ForwardedAnswer = Static<typeof ForwardedAnswer>;

/** What an operator decided about an account. */
export const DecisionAnswer = Type.Object({
  /** `adopt`: the next attempt takes over the resource there with this id. `leave`: it stays parked. */
  what: Type.Enum(['adopt', 'leave']),
  remoteId: MaybeText,
  remoteName: MaybeText,
  note: MaybeText,
  by: Type.String(),
  at: Time,
  /** `used`: adopted. `in vain`: it could not be. `superseded`: by another decision, or by what became of the account. `over`: something about the account changed. Null while it stands. */
  ended: Type.Union([Type.Enum(['used', 'in vain', 'superseded', 'over']), Type.Null()]),
  endedAt: MaybeTime,
  /** How it ended, in plain words; null where that says it all. */
  endedWhy: MaybeText,
});
export type DecisionAnswer = Static<typeof DecisionAnswer>;

/** What `POST …/adopt` takes: one of the ids in `conflict`. */
export const AdoptInput = Type.Object({ remoteId: Type.String({ minLength: 1 }) });
export type AdoptInput = Static<typeof AdoptInput>;
/** What `POST …/leave` takes. */
export const LeaveInput = Type.Object({
  note: Type.Optional(Type.Union([Type.String({ maxLength: 500 }), Type.Null()])),
});
export type LeaveInput = Static<typeof LeaveInput>;

export const AccountDetail = Type.Intersect([
  AccountAnswer,
  Type.Object({
    /** Why the subject has an account there, as far as it can be told by now. */
    why: Type.Object({
      serviceProvider: Type.String(),
      /** That service provider's binding to the target, as it is now. */
      binding: Type.Enum(['enabled', 'disabled', 'gone']),
      /** Its first change of the subject that the log still has. */
      since: Type.Union([
        Type.Object({ seq: Type.Integer(), at: Time, door: Type.String(), actor: Type.String() }),
        Type.Null(),
      ]),
      /** It spoke only because people signed in to it, so that a binding has to have *Enable JIT*. */
      atSignIn: Type.Boolean(),
      /** The resident service provider, where the binding is the one that it falls back to. */
      fallsBackTo: MaybeText,
      /** Who spoke for the subject and is bound there now. */
      heldBy: Type.Array(Type.String()),
      /** Null: only what was forwarded could tell, and that is erased. */
      inScope: Type.Union([Type.Boolean(), Type.Null()]),
      sentence: Type.String(),
    }),
    /** Null for everybody of the directory. */
    forwarded: Type.Union([ForwardedAnswer, Type.Null()]),
    /** What keeps everybody waiting that this account waits with: a lane that is held, a target that is switched off. */
    waitsBehind: MaybeText,
    /** What is at the target under the name that the account wants and is nobody's of ours; null when that is not why it is parked. */
    conflict: Type.Union([
      Type.Object({
        name: Type.String(),
        /**
         * Whether the account may take one of them over. Not when it has one there already (`remoteId`) and was to be renamed:
         * that one would be left behind. Rename or remove the other one at the target and retry; or, if that is to be theirs,
         * remove their own there and retry.
         */
        adoptable: Type.Boolean(),
        remotes: Type.Array(Type.Object({ remoteId: Type.String(), name: Type.String() })),
      }),
      Type.Null(),
    ]),
    /** What operators decided about it, the latest first; the last five. */
    decisions: Type.Array(DecisionAnswer),
    /** What the target last acknowledged, by path; null before that. Of a subject that was only forwarded the values are not kept. */
    acknowledged: Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Null()]),
    /** The last five, the latest first. */
    attempts: Type.Array(AttemptDetail),
  }),
]);
export type AccountDetail = Static<typeof AccountDetail>;

/** What an attempt would do now, as far as it can be told without asking the target. */
export const PreviewAnswer = Type.Object({
  /** `find`: a group that must be there already is looked for, and none is made. `none`: nobody lets it in, so nothing is sent and nothing removed. */
  operation: Type.Enum(['create', 'find', 'update', 'remove', 'nothing', 'none']),
  /** What the rules say of that; null when none is asked. */
  rule: Type.Union([
    Type.Object({
      action: Type.Enum(['let-through', 'withhold', 'park']),
      reason: Type.String(),
      readsClock: Type.Boolean(),
      /** Names of the policies that decided. */
      policies: Type.Array(Type.String()),
    }),
    Type.Null(),
  ]),
  /** Each value that the target should hold, and where it comes from: a path, `$name`, `$id` or `otherwise`. */
  mapping: Type.Array(Type.Object({ to: Type.String(), from: Type.String(), value: Type.Unknown() })),
  /** Paths that differ from what the target last acknowledged: to be set, and to be cleared. */
  set: Type.Array(Type.String()),
  unset: Type.Array(Type.String()),
});
export type PreviewAnswer = Static<typeof PreviewAnswer>;

/** `next` goes into `after` to go on; null when all were made due. */
export const RetryAnswer = Type.Object({ raised: Type.Integer(), next: MaybeText });
export type RetryAnswer = Static<typeof RetryAnswer>;
