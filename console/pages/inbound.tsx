import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { ServiceProviderAnswer, ServiceProviderChanged } from '../../src/contract/service-provider.ts';
import type { Offer } from '../../src/contract/wave.ts';
import { call } from '../api/client.ts';
import { domainsQuery } from '../api/queries.ts';
import { useSay } from '../parts/act.tsx';
import { ChoiceField, Form, Refusal, SwitchField, useDraft } from '../parts/form.tsx';
import { Card } from '../parts/page.tsx';
import { useMay } from '../parts/role.tsx';
import { Offers } from './offers.tsx';

/** What becomes of what is made for a service provider: where it is kept, if it is, and by whose bindings it goes. */
export function Inbound({ provider }: { provider: ServiceProviderAnswer }) {
  const client = useQueryClient();
  const say = useSay();
  const { administer } = useMay();
  const domains = useQuery(domainsQuery).data?.items ?? [];
  const { resident, forwardOnly, fallback } = provider;
  const [offers, setOffers] = useState<readonly Offer[]>([]);
  const draft = useDraft({ userStoreDomain: provider.userStoreDomain ?? '', forwardOnly, fallback });
  const save = useMutation({
    mutationFn: () => {
      const { fallback, userStoreDomain, ...rest } = draft.values;
      const all = { ...rest, userStoreDomain: userStoreDomain || null, ...(resident ? {} : { fallback }) };
      const body = draft.onlyChanged(all);
      return call<ServiceProviderChanged>('PATCH', `/service-providers/${provider.id}`, { body });
    },
    onSuccess: async (saved) => {
      draft.settle();
      setOffers(saved.offers);
      say(`The inbound settings of ${saved.name} are updated.`);
      await client.invalidateQueries({ queryKey: ['service-providers'] });
    },
  });
  const shared = { draft, error: save.error, disabled: !administer };
  const names = domains.map(({ name }) => name);
  return (
    <Card title="Inbound Provisioning">
      <Form
        submit={() => save.mutate()}
        word="Update"
        busy={save.isPending}
        isDirty={draft.isDirty}
        hidden={!administer}
      >
        <div className="form">
          <ChoiceField
            {...shared}
            name="userStoreDomain"
            label="User Store Domain"
            help="Where SCIM makes users and groups for it. With one chosen, a name with another is refused."
            options={[
              { value: '', label: 'The one that a name says, else PRIMARY' },
              ...names.map((name) => ({ value: name, label: name })),
            ]}
          />
          {!resident && (
            <ChoiceField
              {...shared}
              name="fallback"
              label="Without Bindings of Its Own"
              help="Where its calls go while nothing is chosen below. People who sign in to it go by its own bindings alone."
              options={[
                { value: 'resident', label: 'Its calls go where those of the resident service provider go' },
                { value: 'none', label: 'Its calls go nowhere' },
              ]}
            />
          )}
          <SwitchField
            {...shared}
            name="forwardOnly"
            label="Forward-only"
            help="What SCIM makes for it goes to its targets and is not kept here (dumb mode)."
          />
        </div>
        <Refusal error={save.error} fields={['userStoreDomain', 'fallback']} />
      </Form>
      <Offers offers={offers} done={(offer) => setOffers((all) => all.filter((one) => one !== offer))} />
    </Card>
  );
}
