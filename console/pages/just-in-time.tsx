import { useQuery } from '@tanstack/react-query';
import type { FederationAnswer } from '../../src/contract/federation.ts';
import { domainsQuery } from '../api/queries.ts';
import { ChoiceField, useDraft } from '../parts/form.tsx';
import { FederationSection } from './federation-section.tsx';

const no = '';

export function JustInTime({ federation }: { federation: FederationAnswer }) {
  const { jit } = federation;
  const domains = useQuery(domainsQuery);
  const draft = useDraft({
    domain: jit.enabled ? jit.domain : no,
    updateAttributes: jit.updateAttributes,
    groups: jit.groups,
    prompt: jit.prompt,
  });
  const names = [...new Set([...(domains.data?.items.map(({ name }) => name) ?? []), jit.domain])].toSorted();
  const isOff = draft.values.domain === no;
  return (
    <FederationSection
      title="Just-in-Time Provisioning"
      isSet={jit.enabled}
      federation={federation}
      draft={draft}
      fields={['jit.domain', 'jit.updateAttributes', 'jit.groups', 'jit.prompt']}
      toInput={({ domain, ...rest }) => ({
        jit: { enabled: domain !== no, domain: domain === no ? jit.domain : domain, ...rest },
      })}
    >
      {(shared) => (
        <div className="form">
          <ChoiceField
            {...shared}
            name="domain"
            field="jit.domain"
            label="Users who sign in for the first time"
            help="They are made as a change of the application that is signed in to."
            options={[
              { value: no, label: 'No provisioning' },
              ...names.map((name) => ({ value: name, label: `Always provision to User Store Domain ${name}` })),
            ]}
          />
          <ChoiceField
            {...shared}
            name="prompt"
            field="jit.prompt"
            label="Before they are made"
            disabled={shared.disabled || isOff}
            help="A page shows them what will be known of them, and asks. Whoever is known already is not asked."
            options={[
              { value: 'userName', label: 'Prompt for username, password and consent' },
              { value: 'password', label: 'Prompt for password and consent' },
              { value: 'consent', label: 'Prompt for consent' },
              { value: 'silent', label: 'Provision silently' },
            ]}
          />
          <ChoiceField
            {...shared}
            name="updateAttributes"
            field="jit.updateAttributes"
            label="Attributes are written"
            disabled={shared.disabled || isOff}
            options={[
              { value: 'always', label: 'at every sign-in' },
              { value: 'first', label: 'when somebody is made' },
            ]}
          />
          <ChoiceField
            {...shared}
            name="groups"
            field="jit.groups"
            label="Groups"
            disabled={shared.disabled || isOff}
            help="Nobody is taken out of a group that somebody else put them into."
            options={[
              { value: 'off', label: 'are left alone' },
              { value: 'add', label: 'are joined as roles say' },
              { value: 'sync', label: 'are joined and left as roles say' },
            ]}
          />
        </div>
      )}
    </FederationSection>
  );
}
