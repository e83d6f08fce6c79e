import { Button, PasswordInput, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useEffect, useState } from 'react';
import type { SessionAnswer } from '../../src/contract/session.ts';
import { ApiError, call } from '../api/client.ts';
import { sessionQuery } from '../api/queries.ts';
import { Icon } from '../parts/icon.tsx';
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
  const [oldPassword, setOld] = useState('');
  const [newPassword, setNew] = useState('');
  const [again, setAgain] = useState('');
  const change = useMutation({
    mutationFn: async () => {
      if (again !== newPassword) {
        throw new ApiError({
          status: 400,
          detail: 'Both new passwords must be the same.',
          code: 'invalidValue',
          field: 'again',
        });
      }
      await call('POST', '/password', { body: { oldPassword, newPassword } });
    },
    onSuccess: () => {
      const now: SessionAnswer = { ...session, mustChangePassword: false };
      client.setQueryData(sessionQuery.queryKey, now);
    },
  });
  const of = (field: string) =>
    change.error instanceof ApiError && change.error.field === field ? change.error.message : null;
  const isElsewhere = !['oldPassword', 'newPassword', 'again'].some((field) => of(field));
  const send = (event: FormEvent) => {
    event.preventDefault();
    change.mutate();
  };
  const fields = [
    ['oldPassword', 'Password as it is now', oldPassword, setOld, 'current-password'],
    ['newPassword', 'New password', newPassword, setNew, 'new-password'],
    ['again', 'New password again', again, setAgain, 'new-password'],
  ] as const;
  return (
    <Door
      title="Choose your own password"
      says={`The password of ${session.name} was made by the server, and may be used for this only.`}
    >
      <form onSubmit={send} className="stack">
        {isElsewhere && <Trouble error={change.error} />}
        {fields.map(([field, label, value, set, complete]) => (
          <PasswordInput
            key={field}
            label={label}
            description={field === 'newPassword' ? 'At least 12 characters' : undefined}
            autoComplete={complete}
            required
            withAsterisk={false}
            value={value}
            error={of(field)}
            onChange={(event) => set(event.currentTarget.value)}
          />
        ))}
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
