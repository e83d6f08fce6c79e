import { useQuery } from '@tanstack/react-query';
import { connectorKindsQuery, identityProvidersQuery, serviceProvidersQuery } from '../api/queries.ts';
import { ValuesInput } from '../parts/choose.tsx';
import type { PolicyDraft, places } from './rule-draft.ts';

type Place = (typeof places)[number];

/** Identity providers, connectors and service providers, chosen from those there are; none asks nothing. */
export function Places(props: {
  where: PolicyDraft['where'];
  /** What they belong to, for those who hear it. */
  label: string;
  change: (more: Partial<PolicyDraft['where']>) => void;
  fault: (place: Place) => string | undefined;
  disabled: boolean;
}) {
  const { where, label, change, fault, disabled } = props;
  const providers = useQuery(identityProvidersQuery).data?.items.map((one) => one.name) ?? [];
  const kinds = useQuery(connectorKindsQuery).data?.items.map((one) => one.type) ?? [];
  const services = useQuery(serviceProvidersQuery).data?.items.map((one) => one.name) ?? [];
  const known: [Place, string, string, string[]][] = [
    ['identityProviders', 'Identity providers', 'anywhere', providers],
    ['connectorTypes', 'Connectors', 'any kind', kinds],
    ['serviceProviders', 'Service providers', 'for whomever', services],
  ];
  return (
    <div className="thirds">
      {known.map(([place, word, none, all]) => (
        <ValuesInput
          key={place}
          label={word}
          aria-label={`${label}, ${word.toLowerCase()}`}
          placeholder={none}
          known={all}
          values={where[place]}
          set={(values) => change({ [place]: values })}
          error={fault(place)}
          disabled={disabled}
        />
      ))}
    </div>
  );
}
