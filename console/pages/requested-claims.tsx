import { MultiSelect } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { RequestedClaim, ServiceProviderAnswer } from '../../src/contract/service-provider.ts';
import { call } from '../api/client.ts';
import { useSay } from '../parts/act.tsx';
import { errorOf, Form, Refusal, useDraft } from '../parts/form.tsx';
import { Card } from '../parts/page.tsx';
import { useMay } from '../parts/role.tsx';

const labels: Record<RequestedClaim, string> = {
  name: 'name: the name as it is shown',
  given_name: 'given_name: given name',
  family_name: 'family_name: family name',
  preferred_username: 'preferred_username: user name',
  locale: 'locale: language',
  zoneinfo: 'zoneinfo: time zone',
  updated_at: 'updated_at: when they were last changed',
  email: 'email: e-mail address',
  groups: 'groups: the groups they are in',
};

/** What an application is told of people who sign in to it. */
export function RequestedClaims({ provider }: { provider: ServiceProviderAnswer }) {
  const client = useQueryClient();
  const say = useSay();
  const { administer } = useMay();
  const draft = useDraft({ requestedClaims: provider.requestedClaims });
  const save = useMutation({
    mutationFn: () => call<ServiceProviderAnswer>('PATCH', `/service-providers/${provider.id}`, { body: draft.values }),
    onSuccess: async (saved) => {
      draft.settle();
      say(`The requested claims of ${saved.name} are updated.`);
      await client.invalidateQueries({ queryKey: ['service-providers'] });
    },
  });
  return (
    <Card title="Claim Configuration">
      <Form
        submit={() => save.mutate()}
        word="Update"
        busy={save.isPending}
        isDirty={draft.isDirty}
        hidden={!administer}
      >
        <MultiSelect
          label="Requested Claims"
          description="What it is told of people who sign in to it, as far as its scopes go. Without any: all that they tell."
          data={Object.entries(labels).map(([value, label]) => ({ value, label }))}
          value={draft.values.requestedClaims}
          error={errorOf(save.error, 'requestedClaims')}
          disabled={!administer}
          onChange={(chosen) => draft.set('requestedClaims', chosen as RequestedClaim[])}
        />
        <Refusal error={save.error} fields={['requestedClaims']} />
      </Form>
    </Card>
  );
}
