import { PasswordInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { ApiError, call } from '../api/client.ts';

const names = ['oldPassword', 'newPassword', 'again'];

/** The fields with which somebody changes their own password; blank again when it is `done`. `elsewhere`: what was refused at none of them. */
export function useOwnPassword(done: () => void) {
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
      for (const set of [setOld, setNew, setAgain]) set('');
      done();
    },
  });
  const { error, isPending } = change;
  const field = error instanceof ApiError ? error.field : undefined;
  const fields = (
    [
      ['oldPassword', 'Password as it is now', oldPassword, setOld, 'current-password'],
      ['newPassword', 'New password', newPassword, setNew, 'new-password'],
      ['again', 'New password again', again, setAgain, 'new-password'],
    ] as const
  ).map(([name, label, value, set, complete]) => (
    <PasswordInput
      key={name}
      label={label}
      description={name === 'newPassword' ? 'At least 12 characters' : undefined}
      autoComplete={complete}
      required
      withAsterisk={false}
      value={value}
      error={field === name ? error?.message.replace(name, label) : null}
      onChange={(event) => set(event.currentTarget.value)}
    />
  ));
  return {
    fields,
    isPending,
    isDirty: oldPassword !== '' || newPassword !== '' || again !== '',
    elsewhere: field !== undefined && names.includes(field) ? null : error,
    start: () => change.mutate(),
    send: (event: FormEvent) => {
      event.preventDefault();
      change.mutate();
    },
  };
}
