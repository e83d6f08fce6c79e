import { Modal, TextInput } from '@mantine/core';
import { useDebouncedValue, useDisclosure, useHotkeys } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type KeyboardEvent, useState } from 'react';
import { changesQuery, remoteIdQuery, subjectsQuery, targetsQuery } from '../api/queries.ts';
import { Icon, type IconName } from '../parts/icon.tsx';

type Found = { key: string; icon: IconName; word: string; says: string; href: string };

/** One search over everything: people, groups, targets, ids at targets, changes. */
export function Finder() {
  const [isOpen, { open, close }] = useDisclosure();
  useHotkeys([['mod+K', open]], []);
  return (
    <>
      <button type="button" className="find" onClick={open}>
        <Icon name="search" size={16} />
        <span className="unseen-narrow">Search</span>
        <kbd className="hide-narrow">Ctrl K</kbd>
      </button>
      <Modal opened={isOpen} onClose={close} title="Search" yOffset="12vh" centered={false} size="lg">
        <Search close={close} />
      </Modal>
    </>
  );
}

function Search({ close }: { close: () => void }) {
  const [text, setText] = useState('');
  const [place, setAt] = useState(0);
  const [slow] = useDebouncedValue(text.trim(), 150);
  const navigate = useNavigate();
  const { found, isLooking } = useFound(slow);
  const at = Math.max(0, Math.min(place, found.length - 1));
  const go = (one: Found | undefined) => {
    if (!one) return;
    close();
    void navigate({ to: one.href });
  };
  const steer = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown') setAt(Math.min(at + 1, found.length - 1));
    else if (event.key === 'ArrowUp') setAt(Math.max(at - 1, 0));
    else if (event.key === 'Enter') go(found[at]);
    else return;
    event.preventDefault();
  };
  return (
    <>
      <TextInput
        aria-label="Search people, groups, targets, ids and changes"
        placeholder="Name, target, remote id, change number"
        leftSection={<Icon name="search" size={16} />}
        data-autofocus
        value={text}
        onKeyDown={steer}
        onChange={(event) => {
          setText(event.currentTarget.value);
          setAt(0);
        }}
      />
      <ul className="found">
        {found.map((one, n) => (
          <li key={one.key}>
            <a
              href={`/console${one.href}`}
              data-at={n === at}
              aria-current={n === at}
              onClick={(event) => {
                event.preventDefault();
                go(one);
              }}
            >
              <Icon name={one.icon} />
              <span className="grow clip">{one.word}</span>
              <span className="muted small">{one.says}</span>
            </a>
          </li>
        ))}
      </ul>
      <p className={found.length > 0 ? 'unseen' : 'muted'} role="status">
        {slow !== '' && !isLooking && tellFound(found, at)}
      </p>
    </>
  );
}

/** The arrows move what Enter opens, while the focus stays in the field: it has to be said. */
function tellFound(found: readonly Found[], at: number): string {
  const one = found[at];
  if (!one) return 'Nobody and nothing of that name, and no id at a target.';
  return `${at + 1} of ${found.length}: ${one.word}, ${one.says}. Enter opens it.`;
}

function useFound(text: string): { found: Found[]; isLooking: boolean } {
  const isOn = text !== '';
  const query = { name: text, startIndex: 1, limit: 5 };
  const users = useQuery({ ...subjectsQuery('user', query), enabled: isOn });
  const groups = useQuery({ ...subjectsQuery('group', query), enabled: isOn });
  const targets = useQuery(targetsQuery);
  const there = useQuery({ ...remoteIdQuery(text), enabled: isOn });
  const seq = /^[1-9]\d{0,14}$/.test(text) ? Number(text) : undefined;
  const changes = useQuery({
    ...changesQuery({ after: (seq ?? 1) - 1, limit: 1 }),
    enabled: seq !== undefined,
    placeholderData: undefined,
  });
  const change = changes.data?.items.find((one) => one.seq === seq);
  if (!isOn) return { found: [], isLooking: false };
  const folded = text.toLowerCase();
  const isLooking = [users, groups, there].some((one) => one.isFetching && one.isPlaceholderData) || users.isLoading;
  const found = [
    ...(users.data?.items ?? []).map((one): Found => {
      return { key: one.id, icon: 'user', word: one.name, says: one.displayName ?? 'user', href: `/users/${one.id}` };
    }),
    ...(groups.data?.items ?? []).map((one): Found => {
      return { key: one.id, icon: 'groups', word: one.name, says: 'group', href: `/groups/${one.id}` };
    }),
    ...(targets.data?.items ?? [])
      .filter(({ name }) => name.toLowerCase().includes(folded))
      .map((one): Found => {
        const href = `/targets/${encodeURIComponent(one.name)}`;
        return { key: `target ${one.id}`, icon: 'plug', word: one.name, says: 'target', href };
      }),
    ...(there.data?.items ?? []).map((one): Found => {
      const href = `/accounts/${encodeURIComponent(one.target)}/${one.subject.id}`;
      const says = `is ${one.remoteId} at ${one.target}`;
      return { key: `there ${one.targetId} ${one.subject.id}`, icon: 'link', word: one.subject.name, says, href };
    }),
    ...(change
      ? [
          {
            key: 'change',
            icon: 'changes',
            word: `Change ${change.seq}: ${change.subject.name}`,
            says: `by ${change.actor}`,
            href: `/changes?after=${change.seq - 1}`,
          } as const,
        ]
      : []),
  ];
  return { found, isLooking };
}
