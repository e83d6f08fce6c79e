import { ActionIcon, AppShell, Burger, Menu, useComputedColorScheme, useMantineColorScheme } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, Outlet, useNavigate, useRouterState } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { call } from '../api/client.ts';
import { sessionQuery, statusQuery } from '../api/queries.ts';
import { LastPage } from '../parts/focus.ts';
import { Icon, type IconName } from '../parts/icon.tsx';
import { showSpan } from '../parts/words.ts';
import { Finder } from './finder.tsx';
import { useLive } from './live.tsx';

type Entry = { to: string; word: string; icon: IconName; under?: readonly { to: string; word: string }[] };

/** With the words and places that administrators know. */
const entries: readonly Entry[] = [
  { to: '/', word: 'Home', icon: 'home' },
  { to: '/users', word: 'Users', icon: 'users' },
  { to: '/groups', word: 'Groups', icon: 'groups' },
  {
    to: '/identity-providers',
    word: 'Identity Providers',
    icon: 'provider',
    under: [{ to: '/identity-providers/add', word: 'Add' }],
  },
  {
    to: '/service-providers',
    word: 'Service Providers',
    icon: 'service',
    under: [
      { to: '/service-providers/resident', word: 'Resident' },
      { to: '/service-providers/add', word: 'Add' },
    ],
  },
  { to: '/rules', word: 'Rules', icon: 'rules' },
  { to: '/deliveries', word: 'Deliveries', icon: 'deliveries' },
  { to: '/changes', word: 'Changes', icon: 'changes' },
  { to: '/settings', word: 'Settings', icon: 'settings' },
];

export function Frame() {
  const [isOpen, { toggle, close }] = useDisclosure();
  const lastPage = useRef<string>(undefined);
  const path = useRouterState({ select: (state) => state.location.pathname });
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new page closes the navigation of a narrow window
  useEffect(close, [path]);
  return (
    <AppShell
      header={{ height: 52 }}
      navbar={{ width: 216, breakpoint: 'sm', collapsed: { mobile: !isOpen } }}
      padding={{ base: 'md', sm: 'lg' }}
    >
      <a className="skip" href="#content">
        To the content
      </a>
      <AppShell.Header>
        <div className="frame-head">
          <Burger opened={isOpen} onClick={toggle} hiddenFrom="sm" size="sm" aria-label="Navigation" />
          <Link to="/" className="brand">
            <img src="/console/icon.svg" alt="" width={24} height={24} />
            Purvey
          </Link>
          <Server />
          <div className="grow" />
          <Finder />
          <Scheme />
          <Account />
        </div>
      </AppShell.Header>
      <AppShell.Navbar aria-label="Main">
        <div className="frame-nav">
          {entries.map(({ to, word, icon, under }) => (
            <div key={to}>
              <Link to={to as '/'} className="nav-link" activeOptions={{ exact: to === '/' || under !== undefined }}>
                <Icon name={icon} />
                {word}
              </Link>
              {under?.map((one) => (
                <Link key={one.to} to={one.to as '/'} className="nav-link under">
                  {one.word}
                </Link>
              ))}
            </div>
          ))}
          <Foot />
        </div>
      </AppShell.Navbar>
      <AppShell.Main id="content" tabIndex={-1}>
        <div className="content">
          <LastPage value={lastPage}>
            <Outlet />
          </LastPage>
        </div>
      </AppShell.Main>
    </AppShell>
  );
}

function Foot() {
  const { data } = useQuery(statusQuery);
  if (!data) {
    return (
      <div className="nav-foot">
        &nbsp;
        <br />
        &nbsp;
      </div>
    );
  }
  return (
    <div className="nav-foot">
      Version {data.version}, {data.database.kind === 'sqlite' ? 'SQLite' : 'PostgreSQL'}
      <br />
      Up {showSpan(data.uptime * 1_000)}
    </div>
  );
}

const serverSays = {
  connecting: ['grey', 'connecting', 'Asks the server to tell what happens.'],
  live: ['teal', 'live', 'What happens is shown as it happens.'],
  away: ['orange', 'not live', 'The server does not tell what happens: it is asked every few seconds.'],
} as const;

/** Which server this is, and whether it is there. */
function Server() {
  const { state, isOutdated } = useLive();
  const [tone, word, says] = serverSays[state];
  return (
    <span className="row small server" title={says}>
      <span className="muted hide-narrow">{location.host}</span>
      <span className={`state tone-${tone}`} role="status">
        <span className="live-dot" aria-hidden="true" />
        {word}
      </span>
      {isOutdated && (
        <button type="button" className="plain-button" onClick={() => location.reload()}>
          The server was updated: <u>load the new console</u>
        </button>
      )}
    </span>
  );
}

function Scheme() {
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme('light');
  const other = scheme === 'dark' ? 'light' : 'dark';
  return (
    <ActionIcon
      variant="subtle"
      size="lg"
      color="gray"
      aria-label={`Show in ${other}`}
      onClick={() => setColorScheme(other)}
    >
      <Icon name={scheme === 'dark' ? 'sun' : 'moon'} />
    </ActionIcon>
  );
}

function Account() {
  const client = useQueryClient();
  const navigate = useNavigate();
  const { data: session } = useQuery(sessionQuery);
  const leave = async () => {
    await call('DELETE', '/session').catch(() => {});
    client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'session' });
    client.setQueryData(sessionQuery.queryKey, null);
  };
  if (!session) return null;
  return (
    <Menu position="bottom-end" width={220}>
      <Menu.Target>
        <button type="button" className="plain-button row">
          <Icon name="user" />
          <span className="unseen">Signed in as</span>
          <span className="unseen-narrow">
            {session.name} <span className="muted">· {session.role}</span>
          </span>
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {session.name}, {session.role}
        </Menu.Label>
        <Menu.Item
          leftSection={<Icon name="key" size={16} />}
          component="a"
          href="/console/password"
          onClick={(event) => {
            event.preventDefault();
            void navigate({ to: '/password' });
          }}
        >
          Change password
        </Menu.Item>
        <Menu.Item leftSection={<Icon name="out" size={16} />} onClick={leave}>
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
