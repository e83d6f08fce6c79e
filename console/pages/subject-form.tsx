import { PasswordInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import type { SubjectDetail } from '../../src/contract/subject.ts';
import { call, step } from '../api/client.ts';
import { domainsQuery, subjectQuery } from '../api/queries.ts';
import { useSay } from '../parts/act.tsx';
import { ChoiceField, errorOf, Form, Refusal, SwitchField, TextField, useDraft } from '../parts/form.tsx';
import { Card, PageHead, Shown } from '../parts/page.tsx';
import { useMay } from '../parts/role.tsx';

const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';

type Person = {
  userName: string;
  domain: string;
  givenName: string;
  familyName: string;
  displayName: string;
  email: string;
  phone: string;
  title: string;
  department: string;
  employeeNumber: string;
  externalId: string;
  active: boolean;
  password: string;
};

type Many = { value?: string; primary?: boolean; type?: string }[] | undefined;
const main = (list: Many) => list?.find((one) => one.primary) ?? list?.[0];

function personOf(user?: SubjectDetail): Person {
  const resource = (user?.attributes ?? {}) as Record<string, never> & {
    name?: { givenName?: string; familyName?: string };
    emails?: Many;
    phoneNumbers?: Many;
  };
  const work = (resource[enterprise] ?? {}) as { department?: string; employeeNumber?: string };
  const text = (name: string) => String((resource as Record<string, unknown>)[name] ?? '');
  return {
    userName: text('userName'),
    domain: 'PRIMARY',
    givenName: resource.name?.givenName ?? '',
    familyName: resource.name?.familyName ?? '',
    displayName: text('displayName'),
    email: main(resource.emails)?.value ?? '',
    phone: main(resource.phoneNumbers)?.value ?? '',
    title: text('title'),
    department: work.department ?? '',
    employeeNumber: work.employeeNumber ?? '',
    externalId: text('externalId'),
    active: user?.active ?? true,
    password: '',
  };
}

/** Only what was changed, so that nothing of what this form does not show is lost. */
function toPatch(before: Person, after: Person, user?: SubjectDetail): Record<string, unknown> {
  const patch: Record<string, unknown> = {};
  const changed = (key: keyof Person) => before[key] !== after[key];
  const text = (key: keyof Person) => String(after[key]).trim() || null;
  for (const key of ['userName', 'displayName', 'title', 'externalId'] as const)
    if (changed(key)) patch[key] = text(key);
  if (changed('active')) patch.active = after.active;
  if (changed('givenName') || changed('familyName')) {
    patch.name = { givenName: text('givenName'), familyName: text('familyName'), formatted: null };
  }
  if (changed('department') || changed('employeeNumber')) {
    patch[enterprise] = { department: text('department'), employeeNumber: text('employeeNumber') };
  }
  const many = (key: 'email' | 'phone', name: string) => {
    if (!changed(key)) return;
    const all = ((user?.attributes[name] ?? []) as NonNullable<Many>).filter(Boolean);
    const old = main(all);
    const rest = all.filter((one) => one !== old);
    const value = text(key);
    patch[name] =
      value === null ? (rest.length > 0 ? rest : null) : [{ type: 'work', primary: true, ...old, value }, ...rest];
  };
  many('email', 'emails');
  many('phone', 'phoneNumbers');
  if (after.password !== '') patch.password = after.password;
  return patch;
}

/** Without what is blank: a new resource has nothing to take away. */
function dropNull(value: Record<string, unknown>): Record<string, unknown> {
  const entries = Object.entries(value)
    .filter(([, one]) => one !== null)
    .map(
      ([key, one]) =>
        [key, typeof one === 'object' && !Array.isArray(one) ? dropNull(one as Record<string, unknown>) : one] as const,
    )
    .filter(([, one]) => typeof one !== 'object' || Object.keys(one as object).length > 0);
  return Object.fromEntries(entries);
}

export function AddUserPage() {
  return (
    <>
      <PageHead title="Add user" above={['Users', '/users']} />
      <UserForm />
    </>
  );
}

export function EditUserPage() {
  const { id } = useParams({ from: '/users/$id/edit' });
  const query = useQuery({ ...subjectQuery('user', id), refetchInterval: false });
  const name = query.data?.displayName ?? query.data?.name ?? 'user';
  return (
    <>
      <PageHead title={`Edit ${name}`} above={[name, `/users/${step(id)}`]} />
      <Shown query={query}>{(user) => <UserForm key={user.id} user={user} />}</Shown>
    </>
  );
}

function UserForm({ user }: { user?: SubjectDetail }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const say = useSay();
  const { administer } = useMay();
  // As it was when the form was opened: what others change meanwhile is not taken back by saving.
  const [start] = useState(() => personOf(user));
  const draft = useDraft(start);
  const domains = useQuery(domainsQuery);
  const save = useMutation({
    mutationFn: () => {
      const patch = toPatch(start, draft.values, user);
      if (user) return call<SubjectDetail>('PATCH', `/users/${step(user.id)}`, { body: patch });
      const { domain } = draft.values;
      const body = { ...dropNull(patch), active: draft.values.active, ...(domain === 'PRIMARY' ? {} : { domain }) };
      return call<SubjectDetail>('POST', '/users', { body });
    },
    onSuccess: async (saved) => {
      draft.settle();
      say(`${saved.name} is ${user ? 'updated' : 'added'}.`);
      await client.invalidateQueries();
      await navigate({ to: '/users/$id', params: { id: saved.id }, ignoreBlocker: true });
    },
  });
  const shared = { draft, error: save.error, disabled: !administer };
  const names = domains.data?.items.map(({ name }) => ({ value: name, label: name })) ?? [];
  const known = ['userName', 'domain', 'displayName', 'title', 'externalId', 'password', 'emails', 'phoneNumbers'];
  return (
    <Card>
      <Form
        submit={() => save.mutate()}
        word={user ? 'Update' : 'Add'}
        busy={save.isPending}
        isDirty={draft.isDirty}
        hidden={!administer}
      >
        <div className="form">
          <TextField {...shared} name="userName" label="Username" required help="Unique in its user store domain." />
          {user ? (
            <div className="hide-narrow" />
          ) : (
            <ChoiceField
              {...shared}
              name="domain"
              label="User Store Domain"
              options={names.length > 0 ? names : [{ value: 'PRIMARY', label: 'PRIMARY' }]}
            />
          )}
          <TextField {...shared} name="givenName" label="First name" />
          <TextField {...shared} name="familyName" label="Last name" />
          <TextField {...shared} name="displayName" label="Display name" />
          <TextField {...shared} name="email" label="Email" field="emails" />
          <TextField {...shared} name="phone" label="Telephone" field="phoneNumbers" />
          <TextField {...shared} name="title" label="Title" />
          <TextField {...shared} name="department" label="Department" />
          <TextField {...shared} name="employeeNumber" label="Employee number" />
          <TextField
            {...shared}
            name="externalId"
            label="External id"
            help="What the system that knows them first calls them."
          />
          <PasswordInput
            label={user ? 'New password' : 'Password'}
            description={user ? 'Blank: it stays.' : 'Blank: they have none here.'}
            autoComplete="new-password"
            disabled={!administer}
            error={errorOf(save.error, 'password', 'Password')}
            value={draft.values.password}
            onChange={(event) => draft.set('password', event.currentTarget.value)}
          />
          <SwitchField
            draft={draft}
            name="active"
            label="Active"
            disabled={!administer}
            help="Off: the person may not use their accounts."
          />
        </div>
        <Refusal error={save.error} fields={known} />
      </Form>
    </Card>
  );
}

export function AddGroupPage() {
  return (
    <>
      <PageHead title="Add group" above={['Groups', '/groups']} />
      <GroupForm />
    </>
  );
}

export function EditGroupPage() {
  const { id } = useParams({ from: '/groups/$id/edit' });
  const query = useQuery({ ...subjectQuery('group', id), refetchInterval: false });
  const name = query.data?.name ?? 'group';
  return (
    <>
      <PageHead title={`Edit ${name}`} above={[name, `/groups/${step(id)}`]} />
      <Shown query={query}>{(group) => <GroupForm key={group.id} group={group} />}</Shown>
    </>
  );
}

function GroupForm({ group }: { group?: SubjectDetail }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const say = useSay();
  const { administer } = useMay();
  const [start] = useState({ displayName: String(group?.attributes.displayName ?? ''), domain: 'PRIMARY' });
  const draft = useDraft(start);
  const domains = useQuery(domainsQuery);
  const save = useMutation({
    mutationFn: () => {
      const { domain } = draft.values;
      const displayName = draft.values.displayName.trim();
      if (group) return call<SubjectDetail>('PATCH', `/groups/${step(group.id)}`, { body: { displayName } });
      const body = { displayName, ...(domain === 'PRIMARY' ? {} : { domain }) };
      return call<SubjectDetail>('POST', '/groups', { body });
    },
    onSuccess: async (saved) => {
      draft.settle();
      say(`${saved.name} is ${group ? 'updated' : 'added'}.`);
      await client.invalidateQueries();
      await navigate({ to: '/groups/$id', params: { id: saved.id }, ignoreBlocker: true });
    },
  });
  const shared = { draft, error: save.error, disabled: !administer };
  const names = domains.data?.items.map(({ name }) => ({ value: name, label: name })) ?? [];
  return (
    <Card>
      <Form
        submit={() => save.mutate()}
        word={group ? 'Update' : 'Add'}
        busy={save.isPending}
        isDirty={draft.isDirty}
        hidden={!administer}
      >
        <div className="form">
          <TextField {...shared} name="displayName" label="Name" required help="Unique in its user store domain." />
          {!group && (
            <ChoiceField
              {...shared}
              name="domain"
              label="User Store Domain"
              options={names.length > 0 ? names : [{ value: 'PRIMARY', label: 'PRIMARY' }]}
            />
          )}
        </div>
        <Refusal error={save.error} fields={['displayName', 'domain']} />
      </Form>
    </Card>
  );
}
