import { Button, NativeSelect, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { FilledTemplate, RuleTemplate } from '../../src/contract/policy.ts';
import { call } from '../api/client.ts';
import { identityProvidersQuery, policyTemplatesQuery, serviceProvidersQuery } from '../api/queries.ts';
import { AttributeInput, GroupsInput, ValuesInput } from '../parts/choose.tsx';
import { ChoiceField, errorOf, Refusal, TextField, useDraft } from '../parts/form.tsx';
import { Card, Note, Shown } from '../parts/page.tsx';

type Done = (filled: FilledTemplate) => void;

/** The five ready-made policies; what is filled in opens as rows, or as text where rows cannot say it; not saved yet. */
export function TemplateForm({ name, done }: { name: string; done: Done }) {
  const query = useQuery(policyTemplatesQuery);
  const [kind, setKind] = useState('role');
  return (
    <Shown query={query}>
      {({ items }) => (
        <Card title="Template">
          <div className="stack">
            <fieldset className="chips">
              <legend className="unseen">Template</legend>
              {items.map((one) => (
                <button
                  key={one.kind}
                  type="button"
                  className="chip"
                  aria-pressed={one.kind === kind}
                  onClick={() => setKind(one.kind)}
                >
                  {one.title}
                </button>
              ))}
            </fieldset>
            {items
              .filter((one) => one.kind === kind)
              .map((one) => (
                <Filling key={one.kind} template={one} name={name} done={done} />
              ))}
          </div>
        </Card>
      )}
    </Shown>
  );
}

const start = {
  serviceProvider: '',
  identityProvider: '',
  roles: [] as string[],
  claim: '',
  values: [] as string[],
  from: '09:00',
  to: '17:00',
  description: '',
  removals: 'always',
};

function Filling({ template, name, done }: { template: RuleTemplate; name: string; done: Done }) {
  const draft = useDraft(start);
  const { values, set } = draft;
  const providers = useQuery(identityProvidersQuery).data?.items ?? [];
  const services = useQuery(serviceProvidersQuery).data?.items ?? [];
  const has = (field: string) => template.fields.includes(field);
  const fill = useMutation({
    mutationFn: () => {
      const { roles, claim, values: wanted, from, to, description, ...shared } = values;
      const body = {
        template: template.kind,
        policyId: encodeURIComponent(name.trim()),
        ...shared,
        ...(description.trim() === '' ? {} : { description }),
        ...(has('roles') ? { roles } : {}),
        ...(has('claim') ? { claim, values: wanted } : {}),
        ...(has('from') ? { from, to } : {}),
      };
      return call<FilledTemplate>('POST', '/policy-templates/fill', { body });
    },
    onSuccess: done,
  });
  const error = fill.error;
  const any = (word: string, all: readonly { name: string }[]) => [
    { value: '', label: word },
    ...all.map((one) => ({ value: one.name, label: one.name })),
  ];
  const time = (key: 'from' | 'to', word: string) => (
    <TextInput
      type="time"
      label={word}
      value={values[key]}
      error={errorOf(error, key)}
      onChange={(event) => set(key, event.currentTarget.value)}
    />
  );
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        fill.mutate();
      }}
    >
      <p style={{ marginTop: 0 }}>{template.explains}</p>
      <div className="form">
        <NativeSelect
          label="Service provider"
          data={any('Every one', services)}
          value={values.serviceProvider}
          onChange={(event) => set('serviceProvider', event.currentTarget.value)}
        />
        <NativeSelect
          label="Identity provider"
          data={any('Every one', providers)}
          value={values.identityProvider}
          onChange={(event) => set('identityProvider', event.currentTarget.value)}
        />
        {has('roles') && (
          <GroupsInput
            label="Roles or groups"
            placeholder="Names of groups"
            values={values.roles}
            set={(roles) => set('roles', roles)}
            error={errorOf(error, 'roles')}
          />
        )}
        {has('claim') && (
          <>
            <AttributeInput
              label="Attribute"
              value={values.claim}
              set={(claim) => set('claim', claim)}
              error={errorOf(error, 'claim')}
            />
            <ValuesInput
              label="Has one of these values"
              placeholder="Values, each with Enter"
              values={values.values}
              set={(wanted) => set('values', wanted)}
              error={errorOf(error, 'values')}
            />
          </>
        )}
        {has('from') && (
          <>
            {time('from', 'From')}
            {time('to', 'To')}
          </>
        )}
        <ChoiceField
          draft={draft}
          name="removals"
          label="Removals"
          options={[
            { value: 'always', label: 'Let through always' },
            { value: 'as-other-operations', label: 'Only when the conditions hold' },
          ]}
        />
        <TextField draft={draft} name="description" label="Description" />
      </div>
      <div className="stack tight" style={{ marginTop: 16 }}>
        {values.removals !== 'always' && (
          <Note tone="orange" icon="warning">
            A removal that is withheld leaves an account alive that nobody should have.
          </Note>
        )}
        <Refusal error={error} fields={['roles', 'claim', 'values', 'from', 'to']} />
        <div>
          <Button type="submit" size="sm" loading={fill.isPending} disabled={name.trim() === ''}>
            Fill in
          </Button>
          {name.trim() === '' && <span className="muted small"> Give it a name first.</span>}
        </div>
      </div>
    </form>
  );
}
