import { Autocomplete, TagsInput, type TagsInputProps } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { policyAttributesQuery, subjectsQuery } from '../api/queries.ts';

type Chosen = Pick<TagsInputProps, 'label' | 'aria-label' | 'description' | 'placeholder' | 'disabled' | 'error'> & {
  values: string[];
  set: (values: string[]) => void;
};

/** Any values; `known` are offered. */
export function ValuesInput({ values, set, known = [], placeholder, ...rest }: Chosen & { known?: readonly string[] }) {
  return (
    <TagsInput
      {...rest}
      data={[...known]}
      value={values}
      onChange={set}
      splitChars={[]}
      {...(values.length === 0 && placeholder ? { placeholder } : {})}
      maxDropdownHeight={260}
    />
  );
}

/** Names of groups, found as they are typed; others can be given too, such as roles. */
export function GroupsInput(props: Chosen) {
  const [text, setText] = useState('');
  const [slow] = useDebouncedValue(text.trim(), 150);
  const query = useQuery(subjectsQuery('group', { name: slow, startIndex: 1, limit: 20 }));
  const known = (query.data?.items ?? []).map((group) => group.name).filter((name) => !props.values.includes(name));
  const { values, set, placeholder, ...rest } = props;
  return (
    <TagsInput
      {...rest}
      data={known}
      value={values}
      onChange={set}
      splitChars={[]}
      searchValue={text}
      onSearchChange={setText}
      {...(values.length === 0 && placeholder ? { placeholder } : {})}
    />
  );
}

/** A SCIM path or claim, offered by any part of its name. */
export function AttributeInput(props: {
  label?: string;
  'aria-label'?: string;
  description?: ReactNode;
  value: string;
  set: (value: string) => void;
  disabled?: boolean;
  error?: ReactNode;
}) {
  const { value, set, ...rest } = props;
  const known = useQuery(policyAttributesQuery).data?.items ?? [];
  const says = new Map(known.map((one) => [one.path, one.says]));
  return (
    <Autocomplete
      {...rest}
      placeholder="title, emails.value, …"
      data={known.map((one) => one.path)}
      value={value}
      onChange={set}
      limit={40}
      maxDropdownHeight={300}
      comboboxProps={{ width: 'max-content', position: 'bottom-start' }}
      renderOption={({ option }) => (
        <span className="option">
          <span className="mono">{option.value}</span>
          <span className="muted small clip">{says.get(option.value)}</span>
        </span>
      )}
    />
  );
}

/** One person or group by name, found as it is typed. */
export function SubjectInput(props: { label: string; value: string; set: (name: string) => void; error?: ReactNode }) {
  const { value, set, ...rest } = props;
  const [slow] = useDebouncedValue(value.trim(), 150);
  const users = useQuery(subjectsQuery('user', { name: slow, startIndex: 1, limit: 8 }));
  const groups = useQuery(subjectsQuery('group', { name: slow, startIndex: 1, limit: 8 }));
  const people = (users.data?.items ?? []).map((one) => one.name);
  const others = (groups.data?.items ?? []).map((one) => one.name).filter((name) => !people.includes(name));
  return (
    <Autocomplete
      {...rest}
      placeholder="The beginning of a name"
      data={[
        { group: 'Users', items: people },
        { group: 'Groups', items: others },
      ]}
      // The server has searched already, by user name and by the name that is shown.
      filter={({ options }) => options}
      value={value}
      onChange={set}
      maxDropdownHeight={300}
    />
  );
}
