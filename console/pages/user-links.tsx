import { Button, Modal, NativeSelect, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { IdentityProviderAnswer } from '../../src/contract/identity-provider.ts';
import type { SignInLinkAnswer, SignInLinkInput } from '../../src/contract/sign-in-link.ts';
import type { SubjectDetail } from '../../src/contract/subject.ts';
import { call, step } from '../api/client.ts';
import { identityProvidersQuery, userLinksQuery } from '../api/queries.ts';
import { useSay } from '../parts/act.tsx';
import { errorOf, Refusal } from '../parts/form.tsx';
import { Icon } from '../parts/icon.tsx';
import { Card, Empty, Shown } from '../parts/page.tsx';
import { For, useMay } from '../parts/role.tsx';
import { linkColumns, providerColumn, unlinkColumn } from '../parts/sign-in-link.tsx';
import { Table } from '../parts/table.tsx';

/** How somebody signs in through identity providers: who they are there, and by whose word. */
export function UserLinks({ user }: { user: SubjectDetail }) {
  const query = useQuery(userLinksQuery(user.id));
  const { administer } = useMay();
  const [isLinking, setLinking] = useState(false);
  const button = (
    <For need="administer">
      <Button variant="default" leftSection={<Icon name="link" size={16} />} onClick={() => setLinking(true)}>
        Link by hand
      </Button>
    </For>
  );
  const hasAny = (query.data?.items.length ?? 0) > 0;
  return (
    <Card title="Signs in through" actions={hasAny && button} bare>
      <Shown query={query} rows={3}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty icon="link" title="Linked to no identity provider" action={button}>
              Whoever signs in through an <Link to="/identity-providers">identity provider</Link> is linked the first
              time. By hand it is said before, for people whom it has under another name.
            </Empty>
          ) : (
            <Table
              label="Signs in through"
              rows={items}
              keyOf={(row) => row.id}
              columns={[providerColumn, ...linkColumns, ...(administer ? [unlinkColumn] : [])]}
            />
          )
        }
      </Shown>
      <Modal opened={isLinking} onClose={() => setLinking(false)} title={`Link ${user.name} by hand`}>
        <LinkByHand user={user} done={() => setLinking(false)} />
      </Modal>
    </Card>
  );
}

function LinkByHand({ user, done }: { user: SubjectDetail; done: () => void }) {
  const providers = useQuery(identityProvidersQuery);
  return (
    <Shown query={providers} rows={3}>
      {({ items }) =>
        items.length === 0 ? (
          <Empty icon="provider" title="No identity provider yet">
            <Link to="/identity-providers/add">Add one</Link>, and say how people sign in through it.
          </Empty>
        ) : (
          <LinkForm user={user} providers={items} done={done} />
        )
      }
    </Shown>
  );
}

function LinkForm(props: { user: SubjectDetail; providers: readonly IdentityProviderAnswer[]; done: () => void }) {
  const { user, providers, done } = props;
  const client = useQueryClient();
  const say = useSay();
  const [identityProvider, setProvider] = useState(providers[0]!.name);
  const [subject, setSubject] = useState('');
  const link = useMutation({
    mutationFn: () => {
      const body: SignInLinkInput = { identityProvider, subject: subject.trim() };
      return call<SignInLinkAnswer>('POST', `/users/${step(user.id)}/links`, { body });
    },
    onSuccess: async (made) => {
      await client.invalidateQueries({ queryKey: ['sign-in-links'] });
      say(`${user.name} is ${made.subject} of ${made.identityProvider.displayName ?? made.identityProvider.name}.`);
      done();
    },
  });
  return (
    <form
      className="stack"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        link.mutate();
      }}
    >
      <NativeSelect
        label="Identity provider"
        data={providers.map(({ name, displayName }) => ({ value: name, label: displayName ?? name }))}
        value={identityProvider}
        error={errorOf(link.error, 'identityProvider')}
        onChange={(event) => setProvider(event.currentTarget.value)}
      />
      <TextInput
        label="Who they are there"
        description="What it says as sub, or with SAML as name identifier: to the letter, and not the address."
        data-autofocus
        autoComplete="off"
        value={subject}
        error={errorOf(link.error, 'subject')}
        onChange={(event) => setSubject(event.currentTarget.value)}
      />
      <div className="muted small">Whoever comes by it is {user.name} from then on, on your word alone.</div>
      <Refusal error={link.error} fields={['identityProvider', 'subject']} />
      <div className="row" style={{ justifyContent: 'flex-end' }}>
        <Button type="submit" loading={link.isPending}>
          Link
        </Button>
      </div>
    </form>
  );
}
