import { Button, PasswordInput, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useEffect, useState } from 'react';
import type { SessionAnswer } from '../../src/contract/session.ts';
import { call } from '../api/client.ts';
import { sessionQuery } from '../api/queries.ts';
import { Icon } from '../parts/icon.tsx';
import { useOwnPassword } from '../parts/own-password.tsx';
import { Note } from '../parts/page.tsx';

function Door({ title, says, children }: { title: string; says: ReactNode; children: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · Purvey`;
  }, [title]);
  return (
    <div className="sign-in">
      <main>
        <div className="card">
          <div className="row" style={{ marginBottom: 20 }}>
            <img src="/console/icon.svg" alt="" width={28} height={28} />
            <strong style={{ fontSize: 16 }}>Purvey</strong>
          </div>
          <h1>{title}</h1>
          <p className="muted" style={{ margin: '0 0 20px' }}>
            {says}
          </p>
          {children}
        </div>
      </main>
    </div>
  );
}

function Trouble({ error }: { error: Error | null }) {
  if (!error) return null;
  return (
    <div role="alert">
      <Note tone="orange" icon="warning">
        {error.message}
      </Note>
    </div>
  );
}

export function SignInPage() {
  const client = useQueryClient();
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const enter = useMutation({
    mutationFn: () => call<SessionAnswer>('POST', '/session', { body: { name, password } }),
    onSuccess: (session) => {
      client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'session' });
      client.setQueryData(sessionQuery.queryKey, session);
    },
    onError: () => setPassword(''),
  });
  const send = (event: FormEvent) => {
    event.preventDefault();
    enter.mutate();
  };
  return (
    <Door title="Sign in" says="As an administrator, operator or auditor of this server.">
      <form onSubmit={send} className="stack">
        <Trouble error={enter.error} />
        <TextInput
          label="Username"
          autoComplete="username"
          autoFocus
          required
          withAsterisk={false}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <PasswordInput
          label="Password"
          autoComplete="current-password"
          required
          withAsterisk={false}
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
        />
        <Button type="submit" size="sm" fullWidth loading={enter.isPending}>
          Sign in
        </Button>
      </form>
    </Door>
  );
}

/** Shown instead of everything else while a change is demanded. */
export function ChangePasswordPage({ session }: { session: SessionAnswer }) {
  const client = useQueryClient();
  const change = useOwnPassword(() => {
    const now: SessionAnswer = { ...session, mustChangePassword: false };
    client.setQueryData(sessionQuery.queryKey, now);
  });
  return (
    <Door
      title="Choose your own password"
      says={`The password of ${session.name} was made by the server, and may be used for this only.`}
    >
      <form onSubmit={change.send} className="stack">
        <Trouble error={change.elsewhere} />
        {change.fields}
        <Button
          type="submit"
          size="sm"
          fullWidth
          loading={change.isPending}
          rightSection={<Icon name="arrow" size={16} />}
        >
          Change and go on
        </Button>
      </form>
    </Door>
  );
}
