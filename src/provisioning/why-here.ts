import { readChangeOf } from '../directory/changes.ts';
import { lacksBody, type Subject, spokenForBy } from '../directory/subjects.ts';
import type { ResourceTypes } from '../protocol/scim/schema.ts';
import type { AccountRow } from '../store/schema.ts';
import type { Reading } from '../store/store.ts';
import { bindingsInEffect } from './bindings.ts';
import { compileScope, readScopeFacts } from './scope.ts';
import { listServiceProviders, type ServiceProvider } from './service-providers.ts';
import type { Target } from './targets.ts';

/** Why a subject has an account at a target, as far as it can be told by now (engine rule 20). */
export type WhyHere = {
  /** The service provider that let it in. */
  serviceProvider: string;
  /** Whether it spoke only because people signed in to it, so that a binding has to have *Enable JIT*. */
  atSignIn: boolean;
  /** Its binding to this target, as it is now. */
  binding: 'enabled' | 'disabled' | 'gone';
  /** Its first change of the subject that the log still has; null when that is no longer kept. */
  since: { seq: number; at: number; door: string; actor: string } | null;
  /** The resident service provider, where the binding is the one that it falls back to; null: its own, or none. */
  fallsBackTo: string | null;
  /** Who spoke for the subject and is bound here now: by them it may stay. */
  heldBy: string[];
  /** Whether the target's scope holds for it now; null when it was only forwarded and nothing is kept that could tell. */
  inScope: boolean | null;
  /** All of it in a sentence. */
  sentence: string;
};

/** `subject`: with what is kept of it, if it was only forwarded (`readWholeSubjects`). */
export async function readWhyHere(
  reading: Reading,
  target: Target,
  account: AccountRow,
  subject: Subject | undefined,
  types?: ResourceTypes,
): Promise<WhyHere> {
  const providers = await listServiceProviders(reading);
  const resident = providers.find((one) => one.resident);
  const inEffect = (provider: ServiceProvider) => bindingsInEffect(provider, resident?.bindings ?? []);
  const bindingOf = (spId: number) => {
    const provider = providers.find((one) => one.id === spId);
    return provider && inEffect(provider).find((binding) => binding.targetId === target.id);
  };
  const letInBy = bindingOf(account.sp_id);
  const spokenFor = (await spokenForBy(reading, [account.subject_id])).get(account.subject_id) ?? [];
  const heldBy = providers.filter(({ id }) => {
    const binding = bindingOf(id);
    return binding?.enabled && spokenFor.some(({ spId, by }) => spId === id && (by === 'call' || binding.jit));
  });
  const own = spokenFor.filter(({ spId }) => spId === account.sp_id);
  const atSignIn = own.length > 0 && own.every(({ by }) => by === 'sign-in');
  const provider = providers.find((one) => one.id === account.sp_id);
  const borrows = provider && letInBy && !atSignIn && inEffect(provider) !== provider.bindings;
  const first = await readChangeOf(reading, { subjectId: account.subject_id, spId: account.sp_id });
  const why: Omit<WhyHere, 'sentence'> = {
    serviceProvider: providers.find((one) => one.id === account.sp_id)?.name ?? String(account.sp_id),
    atSignIn,
    binding: letInBy ? (letInBy.enabled ? 'enabled' : 'disabled') : 'gone',
    since: first ? { seq: first.seq, at: first.at, door: first.door, actor: first.actor } : null,
    fallsBackTo: borrows ? (resident?.name ?? null) : null,
    heldBy: heldBy.map((one) => one.name),
    inScope: await isInScope(reading, target, subject, types),
  };
  return { ...why, sentence: describe(why, target, subject, letInBy?.jit === true) };
}

async function isInScope(
  reading: Reading,
  target: Target,
  subject: Subject | undefined,
  types: ResourceTypes | undefined,
): Promise<boolean | null> {
  if (subject === undefined || subject.life === 'gone') return false;
  if (lacksBody(subject)) return null;
  const open = { scope: compileScope(target.policy, types) };
  return (await readScopeFacts(reading, [open], [subject]))(open, subject);
}

function describe(
  why: Omit<WhyHere, 'sentence'>,
  target: Target,
  subject: Subject | undefined,
  hasJit: boolean,
): string {
  const { serviceProvider, atSignIn, binding, fallsBackTo, since, heldBy, inScope } = why;
  const whose = fallsBackTo === null ? 'its binding' : `the binding of ${fallsBackTo}`;
  const borrowed = fallsBackTo === null ? '' : ' (it has none of its own)';
  const how = {
    enabled: `by ${whose} to ${target.name}${borrowed}${atSignIn && !hasJit ? ', which has Enable JIT off now' : ''}`,
    disabled: `by ${whose} to ${target.name}${borrowed}, which is switched off now`,
    gone: `by a binding to ${target.name} that is gone now`,
  }[binding];
  const when = since === null ? 'before the change log begins' : `since change ${since.seq}`;
  const who = atSignIn ? `a sign-in to ${serviceProvider}` : serviceProvider;
  const others = heldBy.filter((name) => name !== serviceProvider || binding !== 'enabled');
  const rest =
    (subject?.life ?? 'gone') === 'gone'
      ? `; the ${subject?.kind ?? 'subject'} is gone`
      : heldBy.length === 0
        ? '; nobody who spoke for it is bound here now, so it rests'
        : inScope !== false
          ? ''
          : '; it is outside the scope now';
  const also = others.length === 0 ? '' : `; held now by ${others.join(', ')}`;
  const only =
    subject?.life === 'forwarded'
      ? `; it was only forwarded${inScope === null ? ', and what was sent is erased' : ''}`
      : '';
  return `${who}, ${how}, ${when}${also}${only}${rest}`;
}
