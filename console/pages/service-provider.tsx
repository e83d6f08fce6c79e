import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import type { ServiceProviderAnswer } from '../../src/contract/service-provider.ts';
import { call, step } from '../api/client.ts';
import { serviceProviderQuery } from '../api/queries.ts';
import { Act, useSay } from '../parts/act.tsx';
import { Form, Refusal, TextField, useDraft } from '../parts/form.tsx';
import { Card, PageHead, Shown } from '../parts/page.tsx';
import { For, useMay } from '../parts/role.tsx';
import { Access } from './access.tsx';
import { Bindings } from './bindings.tsx';
import { Inbound } from './inbound.tsx';
import { RequestedClaims } from './requested-claims.tsx';

export function AddServiceProviderPage() {
  const client = useQueryClient();
  const navigate = useNavigate();
  const say = useSay();
  const { administer } = useMay();
  const draft = useDraft({ name: '', description: '' });
  const register = useMutation({
    mutationFn: () => {
      const { name, description } = draft.values;
      const body = { name: name.trim(), description: description.trim() || null };
      return call<ServiceProviderAnswer>('POST', '/service-providers', { body });
    },
    onSuccess: async ({ name }) => {
      draft.settle();
      say(`${name} is registered.`);
      await client.invalidateQueries({ queryKey: ['service-providers'] });
      await navigate({ to: '/service-providers/$id', params: { id: name }, ignoreBlocker: true });
    },
  });
  const shared = { draft, error: register.error, disabled: !administer };
  return (
    <>
      <PageHead
        title="Add service provider"
        says="An application whose changes come in by its own API token."
        above={['Service Providers', '/service-providers']}
      />
      <Card title="Basic Information">
        <Form
          submit={() => register.mutate()}
          word="Register"
          busy={register.isPending}
          isDirty={draft.isDirty}
          hidden={!administer}
        >
          <div className="form">
            <TextField
              {...shared}
              name="name"
              label="Service Provider Name"
              required
              help="Unique among service providers."
            />
            <TextField {...shared} name="description" label="Description" />
          </div>
          <Refusal error={register.error} fields={['name', 'description']} />
        </Form>
      </Card>
    </>
  );
}

export function ServiceProviderPage() {
  const { id } = useParams({ from: '/service-providers/$id' });
  const provider = useQuery(serviceProviderQuery(id));
  const navigate = useNavigate();
  const isResident = provider.data?.resident ?? id === 'resident';
  return (
    <>
      <PageHead
        title={isResident ? 'Resident service provider' : (provider.data?.name ?? id)}
        says={
          isResident
            ? 'Whatever is changed in this console, and by SCIM with Basic, is changed for it.'
            : provider.data?.description
        }
        above={['Service Providers', '/service-providers']}
        actions={
          !isResident && (
            <For need="administer">
              <Act
                word="Remove"
                icon="trash"
                act={() => call('DELETE', `/service-providers/${step(id)}`)}
                stale={['service-providers', 'status']}
                says={`${id} is removed.`}
                done={() => void navigate({ to: '/service-providers' })}
                confirm={{
                  title: `Remove ${id}?`,
                  says: 'Its bindings and tokens go with it. Accounts that it let in stay where they are.',
                }}
              />
            </For>
          )
        }
      />
      <Shown query={provider}>
        {(found) => (
          <div className="stack" key={found.id}>
            {!found.resident && <BasicForm provider={found} />}
            <Bindings provider={found} />
            <Inbound provider={found} />
            {!found.resident && <RequestedClaims provider={found} />}
            <Access provider={found} />
          </div>
        )}
      </Shown>
    </>
  );
}

function BasicForm({ provider }: { provider: ServiceProviderAnswer }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const say = useSay();
  const { administer } = useMay();
  const draft = useDraft({ name: provider.name, description: provider.description ?? '' });
  const save = useMutation({
    mutationFn: () => {
      const { name, description } = draft.values;
      const body = draft.onlyChanged({ name: name.trim(), description: description.trim() || null });
      return call<ServiceProviderAnswer>('PATCH', `/service-providers/${provider.id}`, { body });
    },
    onSuccess: async (saved) => {
      draft.settle();
      say(`${saved.name} is updated.`);
      if (saved.name !== provider.name) {
        await navigate({ to: '/service-providers/$id', params: { id: saved.name }, ignoreBlocker: true });
      }
      await client.invalidateQueries({ queryKey: ['service-providers'] });
    },
  });
  const shared = { draft, error: save.error, disabled: !administer };
  return (
    <Card title="Basic Information">
      <Form
        submit={() => save.mutate()}
        word="Update"
        busy={save.isPending}
        isDirty={draft.isDirty}
        hidden={!administer}
      >
        <div className="form">
          <TextField {...shared} name="name" label="Service Provider Name" required />
          <TextField {...shared} name="description" label="Description" />
        </div>
        <Refusal error={save.error} fields={['name', 'description']} />
      </Form>
    </Card>
  );
}
