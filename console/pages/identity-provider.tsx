import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import type { IdentityProviderAnswer, IdentityProviderInput } from '../../src/contract/identity-provider.ts';
import { call, step } from '../api/client.ts';
import { connectorKindsQuery, identityProviderQuery, targetsQuery } from '../api/queries.ts';
import { Act, useSay } from '../parts/act.tsx';
import { type Draft, Form, Refusal, SwitchField, TextField, useDraft } from '../parts/form.tsx';
import { Card, Note, PageHead, Shown } from '../parts/page.tsx';
import { For, useMay } from '../parts/role.tsx';
import { TargetForm } from './connector.tsx';
import { Federation } from './federation.tsx';
import { LinkedPeople } from './linked-people.tsx';

export type Basic = {
  name: string;
  displayName: string;
  description: string;
  homeRealmId: string;
  alias: string;
  certificate: string;
  jwksUrl: string;
  enabled: boolean;
};

export const basicFields = [
  'name',
  'displayName',
  'description',
  'homeRealmId',
  'alias',
  'certificate',
  'jwksUrl',
] as const;

export function basicOf(idp?: IdentityProviderAnswer): Basic {
  const texts = Object.fromEntries(basicFields.map((field) => [field, idp?.[field] ?? '']));
  return { ...(texts as Omit<Basic, 'enabled'>), enabled: idp?.enabled ?? true };
}

export function toIdentityProvider(basic: Basic): IdentityProviderInput {
  const texts = Object.fromEntries(basicFields.map((field) => [field, basic[field].trim() || null]));
  return { ...texts, name: basic.name.trim(), enabled: basic.enabled };
}

export function BasicFields({
  draft,
  error,
  disabled,
}: {
  draft: Draft<Basic>;
  error: Error | null;
  disabled: boolean;
}) {
  const shared = { draft, error, disabled };
  return (
    <div className="form">
      <TextField
        {...shared}
        name="name"
        label="Identity Provider Name"
        required
        help="Unique among identity providers."
      />
      <TextField {...shared} name="displayName" label="Display Name" />
      <TextField {...shared} name="description" label="Description" whole />
      <TextField
        {...shared}
        name="homeRealmId"
        label="Home Realm Identifier"
        help="An application that names it in a sign-in (fidp, home_realm) sends people there at once."
      />
      <TextField {...shared} name="alias" label="Alias" help="What this server is called at the identity provider." />
      <TextField
        {...shared}
        name="certificate"
        label="Certificate"
        rows={4}
        help="One or more in PEM. Or a JWKS URL."
      />
      <TextField {...shared} name="jwksUrl" label="JWKS URL" help="Where its keys are fetched. Or a certificate." />
      <SwitchField
        draft={draft}
        name="enabled"
        label="Enabled"
        disabled={disabled}
        help="Off: nothing is sent to any of its connectors, and nobody signs in through it."
      />
    </div>
  );
}

export function IdentityProviderPage() {
  const { id } = useParams({ from: '/identity-providers/$id' });
  const idp = useQuery(identityProviderQuery(id));
  const kinds = useQuery(connectorKindsQuery);
  const targets = useQuery(targetsQuery);
  const navigate = useNavigate();
  return (
    <>
      <PageHead
        title={idp.data?.displayName ?? idp.data?.name ?? id}
        says={idp.data?.description}
        above={['Identity Providers', '/identity-providers']}
        actions={
          <For need="administer">
            <Act
              word="Remove"
              icon="trash"
              act={() => call('DELETE', `/identity-providers/${step(id)}`)}
              stale={['identity-providers', 'status']}
              says={`${id} is removed.`}
              done={() => void navigate({ to: '/identity-providers' })}
              confirm={{
                title: `Remove ${id}?`,
                says: 'Its settings are forgotten, and who signs in through it. It can only be removed when it has no connectors any more.',
              }}
            />
          </For>
        }
      />
      <Shown query={idp}>
        {(found) => (
          <div className="stack" key={found.id}>
            <BasicForm idp={found} />
            <Federation idpId={found.id} />
            <h2 className="card-title">Outbound Provisioning Connectors</h2>
            <Shown query={kinds}>
              {({ items }) => (
                <>
                  {items.map((kind) => {
                    const own = targets.data?.items.find(
                      (one) => one.type === kind.type && one.identityProvider.id === found.id,
                    );
                    return targets.data ? (
                      <TargetForm key={`${kind.type} ${own?.id}`} kind={kind} idpId={found.id} target={own} />
                    ) : null;
                  })}
                </>
              )}
            </Shown>
            <LinkedPeople idp={found} />
          </div>
        )}
      </Shown>
    </>
  );
}

function BasicForm({ idp }: { idp: IdentityProviderAnswer }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const say = useSay();
  const { administer } = useMay();
  const draft = useDraft(basicOf(idp));
  const save = useMutation({
    mutationFn: () => {
      const body = draft.onlyChanged(toIdentityProvider(draft.values));
      return call<IdentityProviderAnswer>('PATCH', `/identity-providers/${idp.id}`, { body });
    },
    onSuccess: async (saved) => {
      draft.settle();
      say(`${saved.name} is updated.`);
      if (saved.name !== idp.name) {
        await navigate({ to: '/identity-providers/$id', params: { id: saved.name }, ignoreBlocker: true });
      }
      await client.invalidateQueries();
    },
  });
  return (
    <Card title="Basic Information">
      <Form
        submit={() => save.mutate()}
        word="Update"
        busy={save.isPending}
        isDirty={draft.isDirty}
        hidden={!administer}
      >
        <BasicFields draft={draft} error={save.error} disabled={!administer} />
        <Refusal error={save.error} fields={basicFields} />
        {!idp.enabled && (
          <Note tone="grey" icon="minus">
            It is switched off: nothing is sent to any of its connectors, and nobody signs in through it.
          </Note>
        )}
      </Form>
    </Card>
  );
}
