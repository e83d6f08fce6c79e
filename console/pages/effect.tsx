import { Button, Modal } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useMutation, useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import type { EffectAnswer } from '../../src/contract/target.ts';
import { Note } from '../parts/page.tsx';
import { plural } from '../parts/words.ts';

/** What a save would do, in sentences; the requests are those that can be told without asking the target. */
export function describeEffect(effect: EffectAnswer, where = ''): string {
  const { accounts, requests, removals, disables, withheld, memberships, passwords, about, waits } = effect;
  const at = where === '' ? '' : ` at ${where}`;
  if (accounts === 0) return `Saving has nobody${at} looked at again, and sends nothing.`;
  const so = (count: number, one: string, many?: string) => `${about ? 'about ' : ''}${plural(count, one, many)}`;
  const looks = `Saving looks at ${plural(accounts, 'account')}${at} again`;
  const parts = [
    requests > 0
      ? `${looks} and sends ${so(requests, 'request')}.`
      : sendsSomething(effect)
        ? `${looks}.`
        : `${looks} and sends ${about ? 'about ' : ''}nothing.`,
    ...(removals > 0 ? [`${capital(so(removals, 'account is', 'accounts are'))} removed there.`] : []),
    ...(disables > 0 ? [`${capital(so(disables, 'account is', 'accounts are'))} switched off there.`] : []),
    ...describeMemberships(memberships),
    ...(passwords > 0 ? [`${capital(so(passwords, 'password is', 'passwords are'))} sent${ofThem(effect)}.`] : []),
    ...(withheld > 0 ? [`Rules withhold ${so(withheld, 'more', 'more')}.`] : []),
    ...(waits && sendsSomething(effect) ? ['That waits until something is sent there again.'] : []),
  ];
  return parts.join(' ');
}

function describeMemberships({ added, removed, more }: EffectAnswer['memberships']): string[] {
  const so = (count: number) =>
    capital(`${more ? 'at least ' : ''}${plural(count, 'membership is', 'memberships are')}`);
  if (more && added + removed === 0) {
    return ['Memberships may be written or taken out there: there are too many groups to look at all of them.'];
  }
  return [
    ...(added > 0 ? [`${so(added)} written there.`] : []),
    ...(removed > 0 ? [`${so(removed)} taken out there.`] : []),
  ];
}

function ofThem({ passwords, defaultPasswords }: EffectAnswer): string {
  if (defaultPasswords === 0) return '';
  if (defaultPasswords === passwords)
    return passwords === 1 ? ', the Default Password' : ', all of them the Default Password';
  return `, ${defaultPasswords.toLocaleString('en')} of them the Default Password`;
}

const capital = (text: string) => `${text[0]!.toUpperCase()}${text.slice(1)}`;

/** Whether anything goes to the target by it, so that it is asked about before. */
export function sendsSomething({ requests, memberships, passwords }: EffectAnswer): boolean {
  return requests + memberships.added + memberships.removed + passwords > 0 || memberships.more;
}

/** What the server says that a save would do, asked a moment after the last change of the form; undefined before that. */
export function useForeseen<T>(key: readonly unknown[], isOn: boolean, ask: () => Promise<T>): T | undefined {
  const [slow] = useDebouncedValue(JSON.stringify(key), 600);
  const isNow = slow === JSON.stringify(key);
  // What cannot be saved says so when it is saved.
  const query = useQuery({
    queryKey: ['effect', slow],
    queryFn: ask,
    enabled: isOn && isNow,
    retry: false,
  });
  return isOn && isNow && !query.isError ? query.data : undefined;
}

/** Under a form, as long as it is not saved. `isGrave`: accounts or memberships end by it. */
export function EffectLine({ isGrave, children }: { isGrave: boolean; children: ReactNode }) {
  return (
    <div style={{ marginTop: 12 }} role="status" aria-live="polite" aria-label="What saving does">
      {isGrave ? (
        <Note tone="orange" icon="warning">
          {children}
        </Note>
      ) : (
        <span className="muted">{children}</span>
      )}
    </div>
  );
}

export const isGrave = ({ removals, disables, memberships }: EffectAnswer) =>
  removals + disables + memberships.removed > 0;

/**
 * Saves what would send nothing at once, and asks about the rest first. `foresee` answers what there is to be confirmed,
 * undefined when there is nothing.
 */
export function useConfirmedSave<A>(options: {
  title: string;
  word: string;
  foresee: (how: A) => Promise<ReactNode | undefined>;
  save: (how: A) => void;
}) {
  const { title, word, foresee, save } = options;
  const [asked, setAsked] = useState<{ says: ReactNode; how: A }>();
  const look = useMutation({
    mutationFn: foresee,
    onSuccess: (says, how) => {
      if (says === undefined) save(how);
      else setAsked({ says, how });
    },
  });
  const modal = (
    <Modal opened={asked !== undefined} onClose={() => setAsked(undefined)} title={title}>
      <div className="stack">
        <div>{asked?.says}</div>
        <div className="row" style={{ justifyContent: 'flex-end' }}>
          <Button variant="default" onClick={() => setAsked(undefined)}>
            Leave it
          </Button>
          <Button
            data-autofocus
            onClick={() => {
              setAsked(undefined);
              if (asked) save(asked.how);
            }}
          >
            {word}
          </Button>
        </div>
      </div>
    </Modal>
  );
  return { submit: look.mutate, busy: look.isPending, error: look.error, modal };
}
