import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useCallback, useState } from 'react';
import type { ConnectorKindAnswer } from '../../src/contract/connector-kind.ts';
import type { FederationAnswer, FederationInput } from '../../src/contract/federation.ts';
import type { IdentityProviderAnswer } from '../../src/contract/identity-provider.ts';
import type { StatusAnswer } from '../../src/contract/status.ts';
import type { TargetAnswer } from '../../src/contract/target.ts';
import { ApiError, call, step } from '../api/client.ts';
import { connectorKindsQuery, statusQuery } from '../api/queries.ts';
import { useSay } from '../parts/act.tsx';
import { Form, Refusal, useDraft } from '../parts/form.tsx';
import { Card, Fold, PageHead, Shown, together } from '../parts/page.tsx';
import { useMay } from '../parts/role.tsx';
import { type ConnectorDraft, ConnectorFields, draftOf, toInput } from './connector.tsx';
import { FederationSections } from './federation.tsx';
import { Registering } from './federation-section.tsx';
import { BasicFields, basicFields, basicOf, toIdentityProvider } from './identity-provider.tsx';

/** The order of the seed: basic information, how people sign in, outbound provisioning connectors, Register. */
export function AddIdentityProviderPage() {
  const status = useQuery(statusQuery);
  const kinds = together(useQuery(connectorKindsQuery), status);
  return (
    <>
      <PageHead title="Add identity provider" above={['Identity Providers', '/identity-providers']} />
      <Shown query={kinds} rows={12}>
        {({ items }) => <AddForm kinds={items} status={status.data} />}
      </Shown>
    </>
  );
}

type Parts = Record<string, Partial<FederationInput>>;
/** What was about to be made when something was refused: the provider itself, its sign-in, or a connector of that kind. */
type Place = 'basic' | 'federation' | { kind: string };

function AddForm({ kinds, status }: { kinds: readonly ConnectorKindAnswer[]; status: StatusAnswer | undefined }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const say = useSay();
  const { administer } = useMay();
  const basic = useDraft(basicOf());
  const [connectors, setConnectors] = useState<Record<string, ConnectorDraft>>(() =>
    Object.fromEntries(kinds.map((kind) => [kind.type, { ...draftOf(kind), enabled: false }])),
  );
  const [parts, setParts] = useState<Parts>({});
  const fill = useCallback((title: string, part: Partial<FederationInput> | undefined) => {
    setParts(({ [title]: _, ...rest }) => (part === undefined ? rest : { ...rest, [title]: part }));
  }, []);
  const [at, setAt] = useState<Place>('basic');
  const register = useMutation({
    mutationFn: async () => {
      setAt('federation');
      const federation = federationOf(parts);
      setAt('basic');
      const idp = await call<IdentityProviderAnswer>('POST', '/identity-providers', {
        body: toIdentityProvider(basic.values),
      });
      const made: TargetAnswer[] = [];
      try {
        if (federation) {
          setAt('federation');
          await call('PATCH', `/identity-providers/${idp.id}/federation`, { body: federation });
        }
        for (const kind of kinds) {
          const draft = connectors[kind.type]!;
          if (!draft.enabled) continue;
          setAt({ kind: kind.type });
          const body = { type: kind.type, ...toInput(kind, draft) };
          made.push(await call<TargetAnswer>('POST', `/identity-providers/${idp.id}/targets`, { body }));
        }
      } catch (error) {
        await takeBack(idp, made, error as Error);
        throw error;
      }
      return idp;
    },
    onSuccess: async (idp) => {
      say(`${idp.name} is registered.`);
      basic.settle();
      await client.invalidateQueries();
      await navigate({ to: '/identity-providers/$id', params: { id: idp.name }, ignoreBlocker: true });
    },
  });
  const { error } = register;
  const errorAt = (place: 'basic' | 'federation') => (at === place ? error : null);
  const isTouched =
    basic.isDirty || Object.keys(parts).length > 0 || Object.values(connectors).some((one) => one.enabled);
  return (
    <Form
      submit={() => register.mutate()}
      word="Register"
      busy={register.isPending}
      isDirty={isTouched}
      hidden={!administer}
    >
      <div className="stack">
        <Card title="Basic Information">
          <BasicFields draft={basic} error={errorAt('basic')} disabled={!administer} />
        </Card>
        <Registering value={{ fill, error: errorAt('federation') }}>
          <FederationSections federation={blankOf(basic.values.name.trim(), status)} />
        </Registering>
        <h2 className="card-title">Outbound Provisioning Connectors</h2>
        {kinds.map((kind) => (
          <Fold
            key={kind.type}
            title={`${kind.label} Provisioning Configuration`}
            open={connectors[kind.type]!.enabled}
            beside={connectors[kind.type]!.enabled && <span className="muted small">to be registered</span>}
          >
            <ConnectorFields
              kind={kind}
              draft={connectors[kind.type]!}
              change={(draft) => setConnectors((all) => ({ ...all, [kind.type]: draft }))}
              error={typeof at === 'object' && at.kind === kind.type ? error : null}
              disabled={!administer}
            />
          </Fold>
        ))}
        <Refusal error={error && whole(error)} fields={[]} />
      </div>
    </Form>
  );
}

/** The form is long: at its end it says what became of all of it. What a field is refused for is said there. */
function whole(error: Error): Error {
  if (!(error instanceof ApiError)) return error;
  if (error.code === 'halfway') return error;
  const isAtField = shownFields.test(error.field ?? '');
  return new Error(
    `Nothing is registered yet${isAtField ? ': one field is refused, and marked.' : `. ${error.message}`}`,
  );
}

const shownFields = new RegExp(
  `^(${basicFields.join('|')}|roleClaim|linkBy|domains)$|^(settings|policy|authenticator|jit)\\.|^(claims|roles)\\[`,
);

/** All sections in one; undefined where nothing of them is filled in. An identity provider is asked one way. */
function federationOf(parts: Parts): FederationInput | undefined {
  const given = Object.values(parts);
  if (given.filter(({ authenticator }) => authenticator).length > 1) {
    const detail =
      'OpenID Connect and SAML2 Web SSO are both filled in, and an identity provider is asked one way: leave one of them blank.';
    throw new ApiError({ status: 400, detail, code: 'invalidValue', field: 'authenticator' });
  }
  return given.length === 0 ? undefined : Object.assign({}, ...given);
}

/** All of it or nothing: what is left is to be registered again when the form is right. */
async function takeBack(idp: IdentityProviderAnswer, made: readonly TargetAnswer[], why: Error): Promise<void> {
  try {
    for (const target of made) await call('DELETE', `/targets/${target.id}`);
    await call('DELETE', `/identity-providers/${idp.id}`);
  } catch (error) {
    const detail = `${why.message} What was made of ${idp.name} before could not be taken back (${(error as Error).message}): open it under Identity Providers, and go on there.`;
    throw new ApiError({ status: 0, detail, code: 'halfway' });
  }
}

/** What one has whose sign-in nothing was said of yet. */
function blankOf(name: string, status: StatusAnswer | undefined): FederationAnswer {
  const here = `${status?.server.publicUrl ?? location.origin}/login`;
  const called = name === '' ? 'NAME' : step(name);
  return {
    identityProvider: { id: 0, name },
    redirectUri: `${here}/${called}/callback`,
    metadataUrl: `${here}/saml/${called}/metadata`,
    authenticator: null,
    domains: [],
    linkBy: 'none',
    claims: [],
    roleClaim: null,
    roles: [],
    jit: { enabled: false, domain: 'PRIMARY', updateAttributes: 'always', groups: 'off', prompt: 'silent' },
    modifiedAt: null,
  };
}
