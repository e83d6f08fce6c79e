import { Problem } from '../base/problem.ts';
import type { ConnectorKind, SettingValues } from '../connectors/connector.ts';
import { prepare, type Reading } from '../store/store.ts';

const countKnown = prepare<{ targetId: number }, { count: number }>((q, p) =>
  q
    .selectFrom('accounts')
    .select((e) => e.fn.countAll<number>().as('count'))
    .where('target_id', '=', p.targetId)
    // An id that was set aside is looked at once more, so it counts as known.
    .where((e) => e.or([e('remote_id', 'is not', null), e('doubt', 'like', '%"aside":%')])),
);

/**
 * Asks whether it is the same system when an address that says which one it is would change while accounts are known
 * there by their ids (engine rule 25): at another system those ids are nobody's, or somebody else's. Throws Problem
 * `conflict` with the field, unless `answer` is `same`, or nothing is known there yet.
 */
export async function askWhichSystem(
  reading: Reading,
  target: { id: number; name: string },
  kind: ConnectorKind,
  settings: { before: SettingValues; after: SettingValues },
  answer: 'same' | undefined,
): Promise<void> {
  if (answer === 'same') return;
  const { before, after } = settings;
  const moved = kind.settings.find(({ key, system }) => {
    const [from, to] = [before[key], after[key]];
    return system && typeof from === 'string' && typeof to === 'string' && placeOf(from) !== placeOf(to);
  });
  if (!moved) return;
  const count = Number((await reading.run(countKnown, { targetId: target.id }))[0]!.count);
  if (count === 0) return;
  const accounts = count === 1 ? '1 account is' : `${count} accounts are`;
  throw new Problem(
    'conflict',
    `is it the same system? ${moved.label} of ${target.name} would change from ${before[moved.key]} to ${after[moved.key]}, and ${accounts} known there by their ids. If the same system has moved, say so with sameSystem=true (purvey apply --same-system): the ids stay. If it is another system, make another target for it and leave this one as it is`,
    { field: `settings.${moved.key}` },
  );
}

/** Two spellings of one address are the same: the case of its host, a default port, slashes at the end. */
function placeOf(address: string): string {
  const url = URL.parse(address);
  return url ? `${url.origin}${url.pathname.replace(/\/+$/, '')}${url.search}` : address;
}
