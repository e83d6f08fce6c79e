import type { FederationAnswer } from '../contract/federation.ts';
import type { IdentityProviderAnswer } from '../contract/identity-provider.ts';
import type { OAuthClientAnswer } from '../contract/oauth-client.ts';
import type { List } from '../contract/page.ts';
import type { RulePolicyAnswer } from '../contract/policy.ts';
import type { ServiceProviderAnswer } from '../contract/service-provider.ts';
import type { DomainAnswer } from '../contract/subject.ts';
import type { TargetAnswer } from '../contract/target.ts';
import type { ApplyFile } from './apply-file.ts';
import { CliError, type Client } from './client.ts';

export type AppliedKind =
  | 'user store domain'
  | 'identity provider'
  | 'federation'
  | 'target'
  | 'service provider'
  | 'bindings'
  | 'OAuth client'
  | 'policy';

/** An object of the file. */
export type Step = {
  kind: AppliedKind;
  name: string;
  /** Objects of the file that have to be there before, as `kind name`. */
  needs: string[];
  /** Asks what there is, and answers with the request that makes it what the file says. */
  look(client: Client): Promise<StepRequest>;
};

export type StepRequest = {
  /** As it is on the server; undefined when it is not there. */
  before: Record<string, unknown> | undefined;
  method: 'POST' | 'PUT' | 'PATCH';
  path: string;
  /** Undefined: the file says nothing about it, so that there is nothing to send. */
  body: Record<string, unknown> | undefined;
};

/** `sameSystem`: a changed address of a target is the same system's. */
export type StepOptions = { sameSystem?: boolean };

/** The file as steps, in the order in which they can be done. */
export function stepsOf(file: ApplyFile, options: StepOptions = {}): Step[] {
  return [
    // Before the bindings: nothing may slip out between rules being enabled and there being any.
    ...file.policies.map(policyStep),
    ...file.userStoreDomains.map(domainStep),
    ...file.identityProviders.flatMap(({ fields, connectors, federation }) => [
      identityProviderStep(fields),
      ...(federation === undefined ? [] : [federationStep(fields.name, federation, file.userStoreDomains)]),
      ...connectors.map((connector) => targetStep(fields.name, connector, options)),
    ]),
    ...file.serviceProviders.flatMap(({ fields, outboundProvisioning, oauthClient }) => [
      serviceProviderStep(fields),
      ...(outboundProvisioning === undefined ? [] : [bindingsStep(fields.name, outboundProvisioning)]),
      ...(oauthClient === undefined ? [] : [oauthClientStep(fields.name, oauthClient)]),
    ]),
  ];
}

export const keyOf = (kind: AppliedKind, name: string) => `${kind} ${name}`.toLowerCase();

function domainStep(name: string): Step {
  return {
    kind: 'user store domain',
    name,
    needs: [],
    async look(client) {
      const { items } = await client.get<List<DomainAnswer>>('/user-store-domains');
      const before = items.find((one) => one.name === name.toUpperCase());
      return { before, method: 'POST', path: '/user-store-domains', body: { name } };
    },
  };
}

function policyStep(policy: ApplyFile['policies'][number]): Step {
  const path = pathOf('policies', policy.name);
  return {
    kind: 'policy',
    name: policy.name,
    needs: [],
    async look(client) {
      const before = await readIfThere<RulePolicyAnswer>(client, path);
      return before
        ? { before, method: 'PUT', path, body: policy }
        : { before, method: 'POST', path: '/policies', body: policy };
    },
  };
}

function identityProviderStep(fields: ApplyFile['identityProviders'][number]['fields']): Step {
  const path = pathOf('identity-providers', fields.name);
  return {
    kind: 'identity provider',
    name: fields.name,
    needs: [],
    async look(client) {
      const before = await readIfThere<IdentityProviderAnswer>(client, path);
      return before
        ? { before, method: 'PUT', path, body: fields }
        : { before, method: 'POST', path: '/identity-providers', body: fields };
    },
  };
}

function federationStep(provider: string, body: Record<string, unknown>, domains: readonly string[]): Step {
  const path = `${pathOf('identity-providers', provider)}/federation`;
  return {
    kind: 'federation',
    name: provider,
    needs: [keyOf('identity provider', provider), ...domains.map((name) => keyOf('user store domain', name))],
    async look(client) {
      const found = await readIfThere<FederationAnswer>(client, path);
      return { before: found && found.modifiedAt !== null ? found : undefined, method: 'PUT', path, body };
    },
  };
}

function targetStep(
  provider: string,
  connector: ApplyFile['identityProviders'][number]['connectors'][number],
  { sameSystem }: StepOptions,
): Step {
  const path = `${pathOf('identity-providers', provider)}/targets`;
  return {
    kind: 'target',
    name: `${provider}:${connector.type}`,
    needs: [keyOf('identity provider', provider)],
    async look(client) {
      const list = await readIfThere<List<TargetAnswer>>(client, path);
      const before = list?.items.find((target) => target.type === connector.type);
      return before
        ? {
            before,
            method: 'PUT',
            path: `/targets/${before.id}${sameSystem ? '?sameSystem=true' : ''}`,
            body: connector,
          }
        : { before, method: 'POST', path, body: connector };
    },
  };
}

function serviceProviderStep(fields: ApplyFile['serviceProviders'][number]['fields']): Step {
  const path = pathOf('service-providers', fields.name);
  const { userStoreDomain } = fields;
  return {
    kind: 'service provider',
    name: fields.name,
    needs: typeof userStoreDomain === 'string' ? [keyOf('user store domain', userStoreDomain)] : [],
    async look(client) {
      const before = await readIfThere<ServiceProviderAnswer>(client, path);
      if (!before) return { before, method: 'POST', path: '/service-providers', body: fields };
      const { name: _, ...rest } = fields;
      return { before, method: 'PATCH', path, body: Object.keys(rest).length === 0 ? undefined : rest };
    },
  };
}

function bindingsStep(
  provider: string,
  rows: NonNullable<ApplyFile['serviceProviders'][number]['outboundProvisioning']>,
): Step {
  const path = pathOf('service-providers', provider);
  const bindings = rows.map(({ identityProvider, connector, ...flags }) => ({
    target: `${identityProvider}:${connector}`,
    ...flags,
  }));
  return {
    kind: 'bindings',
    name: provider,
    needs: [keyOf('service provider', provider), ...bindings.map((row) => keyOf('target', row.target))],
    async look(client) {
      const found = await readIfThere<ServiceProviderAnswer>(client, path);
      const before = found && { bindings: found.bindings };
      return { before, method: 'PUT', path: `${path}/bindings`, body: { bindings } };
    },
  };
}

/** Settings only: a secret is made with the client, and never in a file. */
function oauthClientStep(provider: string, settings: Record<string, unknown>): Step {
  const path = `${pathOf('service-providers', provider)}/oauth-client`;
  return {
    kind: 'OAuth client',
    name: provider,
    needs: [keyOf('service provider', provider)],
    async look(client) {
      const before = await readIfThere<OAuthClientAnswer>(client, path);
      return { before, method: before ? 'PATCH' : 'POST', path, body: settings };
    },
  };
}

function pathOf(collection: string, name: string): string {
  return `/${collection}/${encodeURIComponent(name)}`;
}

export async function readIfThere<T>(client: Client, path: string): Promise<T | undefined> {
  try {
    return await client.get<T>(path);
  } catch (error) {
    if (error instanceof CliError && error.status === 404) return undefined;
    throw error;
  }
}
