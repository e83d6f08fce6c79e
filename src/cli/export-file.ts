import { isDeepStrictEqual } from 'node:util';
import { stringify } from 'yaml';
import type { FederationAnswer } from '../contract/federation.ts';
import type { IdentityProviderAnswer } from '../contract/identity-provider.ts';
import type { OAuthClientAnswer } from '../contract/oauth-client.ts';
import type { RulePolicyAnswer } from '../contract/policy.ts';
import type { BindingAnswer, ServiceProviderAnswer } from '../contract/service-provider.ts';
import type { DomainAnswer } from '../contract/subject.ts';
import type { TargetAnswer } from '../contract/target.ts';
import { readApplyFile } from './apply-file.ts';
import { CliError } from './client.ts';

/** What the server has, as its API answers. */
export type Configuration = {
  domains: DomainAnswer[];
  identityProviders: IdentityProviderAnswer[];
  /** Those for which something was set. */
  federations: FederationAnswer[];
  targets: TargetAnswer[];
  serviceProviders: ServiceProviderAnswer[];
  oauthClients: OAuthClientAnswer[];
  policies: RulePolicyAnswer[];
};

/** A secret that is not in the file: the variable that stands for it, and what it is, of a target or an identity provider. */
export type Placeholder = { name: string; target: string; setting: string };

/** How a text, and a secret in its place, is put into the file. */
type Write = { text(value: string): string; secret(placeholder: Placeholder): string };

/**
 * The file that `purvey apply` reads, as YAML or JSON: with `${NAME}` for every secret, and `$${` for `${` in any other
 * text. Throws `CliError` when what is there cannot be written so that it is read back the same.
 */
export function writeApplyFile(
  configuration: Configuration,
  form: 'yaml' | 'json',
): { text: string; placeholders: Placeholder[] } {
  const placeholders = placeholdersOf(secretsOf(configuration));
  const document = describe(configuration, placeholders, {
    text: (value) => value.replaceAll('${', () => '$${'),
    secret: ({ name }) => `\${${name}}`,
  });
  const text =
    form === 'json'
      ? `${JSON.stringify(document, null, 2)}\n`
      : introduce(placeholders) + stringify(document, { lineWidth: 0, aliasDuplicateObjects: false });
  const meant = describe(configuration, placeholders, { text: (value) => value, secret: ({ name }) => `<${name}>` });
  const read = readApplyFile(text, 'the export', (name) => `<${name}>`);
  if (!isDeepStrictEqual(read, asRead(meant))) {
    throw new CliError(
      'the configuration holds a text that the file of apply cannot hold: look for ${ or U+E000 in it',
    );
  }
  return { text, placeholders };
}

function describe(configuration: Configuration, placeholders: readonly Placeholder[], write: Write) {
  const { domains, identityProviders, federations, targets, serviceProviders, oauthClients, policies } = configuration;
  return {
    userStoreDomains: domains.filter((one) => one.name !== 'PRIMARY').map((one) => write.text(one.name)),
    identityProviders: identityProviders.map(({ id, createdAt: _, modifiedAt: __, enabled, ...fields }) => ({
      ...written(fields, write),
      name: write.text(fields.name),
      ...(enabled ? {} : { enabled }),
      ...describeFederation(
        federations.find((one) => one.identityProvider.id === id),
        placeholders,
        write,
      ),
      connectors: targets
        .filter((target) => target.identityProvider.id === id)
        .map((target) => ({
          type: target.type,
          ...(target.enabled ? {} : { enabled: false }),
          settings: settingsOf(target, placeholders, write),
          policy: written(target.policy, write),
        })),
    })),
    serviceProviders: serviceProviders.map(
      ({ name, description, forwardOnly, fallback, userStoreDomain, requestedClaims, bindings }) => ({
        name: write.text(name),
        ...written({ description }, write),
        ...(forwardOnly ? { forwardOnly } : {}),
        ...(fallback === 'resident' ? {} : { fallback }),
        ...written({ userStoreDomain }, write),
        ...(requestedClaims.length > 0 ? { requestedClaims } : {}),
        outboundProvisioning: bindings.map((binding) => describeBinding(binding, write)),
        ...describeClient(
          oauthClients.find((one) => one.serviceProvider === name),
          write,
        ),
      }),
    ),
    policies: policies.map(({ name, position, enabled, use, document, rows }) => ({
      name: write.text(name),
      position,
      ...(enabled ? {} : { enabled }),
      ...(use === 'evaluated' ? {} : { use }),
      ...(rows ? { rows: writtenDeep(rows, write) } : { document: write.text(document) }),
    })),
  };
}

/** What each kind of authenticator keeps secret, and what the variable for it is called after. */
const authenticatorSecrets = { oidc: ['clientSecret', 'client_secret'], saml: ['ownKey', 'own_key'] } as const;
const wordOfSecret = new Map<string, string>(
  Object.values(authenticatorSecrets).map(([name, word]) => [`authenticator.${name}`, word]),
);

function describeFederation(
  federation: FederationAnswer | undefined,
  placeholders: readonly Placeholder[],
  write: Write,
): { federation?: Record<string, unknown> } {
  if (!federation) return {};
  const { identityProvider, authenticator, roleClaim, claims, domains, linkBy, roles, jit } = federation;
  return {
    federation: {
      ...(authenticator === null
        ? {}
        : { authenticator: describeAuthenticator(identityProvider.name, authenticator, placeholders, write) }),
      ...(writtenDeep({ domains, linkBy, roles, jit }, write) as object),
      ...written({ roleClaim }, write),
      claims: claims.map((row) => written(row, write)),
    },
  };
}

function describeAuthenticator(
  provider: string,
  authenticator: NonNullable<FederationAnswer['authenticator']>,
  placeholders: readonly Placeholder[],
  write: Write,
): Record<string, unknown> {
  const [name] = authenticatorSecrets[authenticator.type];
  const secret = placeholders.find((one) => one.target === provider && one.setting === `authenticator.${name}`);
  const shown = { ...authenticator, [name]: undefined };
  return { ...written(shown, write), ...(secret ? { [name]: write.secret(secret) } : {}) };
}

function settingsOf(target: TargetAnswer, placeholders: readonly Placeholder[], write: Write) {
  const entries = Object.entries(target.settings).map(([key, value]): [string, unknown] => {
    if (typeof value !== 'object') return [key, typeof value === 'string' ? write.text(value) : value];
    return [key, write.secret(placeholders.find((one) => one.target === target.name && one.setting === key)!)];
  });
  return Object.fromEntries(entries);
}

function describeBinding({ target, blocking, onFailure, rules, jit, enabled }: BindingAnswer, write: Write) {
  const colon = target.indexOf(':');
  return {
    identityProvider: write.text(target.slice(0, colon)),
    connector: target.slice(colon + 1),
    ...(blocking ? { blocking } : {}),
    ...(onFailure === 'report' ? {} : { onFailure }),
    ...(rules ? { rules } : {}),
    ...(jit ? { jit } : {}),
    ...(enabled ? {} : { enabled }),
  };
}

/** Its settings: whoever applies the file where there is none is told a new secret. */
function describeClient(client: OAuthClientAnswer | undefined, write: Write) {
  if (!client) return {};
  const { grants, redirectUris, postLogoutRedirectUris, consent, scopes, authMethod, jwks, tokenSeconds } = client;
  const settings = {
    grants,
    ...(redirectUris.length > 0 ? { redirectUris } : {}),
    ...(postLogoutRedirectUris.length > 0 ? { postLogoutRedirectUris } : {}),
    consent,
    scopes,
    authMethod,
    ...(jwks ? { jwks } : {}),
    tokenSeconds,
  };
  return { oauthClient: writtenDeep(settings, write) as Record<string, unknown> };
}

/** Without what is null: that is what leaving it out means. */
function written(fields: Record<string, unknown>, write: Write): Record<string, unknown> {
  const given = Object.entries(fields).filter(([, value]) => value !== null && value !== undefined);
  const text = (value: unknown) => (typeof value === 'string' ? write.text(value) : value);
  return Object.fromEntries(given.map(([key, value]) => [key, Array.isArray(value) ? value.map(text) : text(value)]));
}

function writtenDeep(value: unknown, write: Write): unknown {
  if (typeof value === 'string') return write.text(value);
  if (Array.isArray(value)) return value.map((each) => writtenDeep(each, write));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, writtenDeep(inner, write)]));
}

function asRead({ userStoreDomains, identityProviders, serviceProviders, policies }: ReturnType<typeof describe>) {
  return {
    policies,
    userStoreDomains,
    identityProviders: identityProviders.map(({ connectors, federation, ...fields }) => ({
      fields,
      connectors,
      ...(federation === undefined ? {} : { federation }),
    })),
    serviceProviders: serviceProviders.map(({ outboundProvisioning, oauthClient, ...fields }) => ({
      fields,
      outboundProvisioning,
      ...(oauthClient ? { oauthClient } : {}),
    })),
  };
}

type HiddenSecret = { provider: string; target: string; setting: string };

function secretsOf({ federations, targets }: Configuration): HiddenSecret[] {
  return [
    ...targets.flatMap(({ name, identityProvider, settings }) =>
      Object.entries(settings).flatMap(([setting, value]) =>
        typeof value === 'object' ? [{ provider: identityProvider.name, target: name, setting }] : [],
      ),
    ),
    ...federations.flatMap(({ identityProvider: { name }, authenticator }) => {
      if (authenticator === null) return [];
      const isSet = authenticator.type === 'oidc' ? authenticator.clientSecret : authenticator.ownKey;
      const setting = `authenticator.${authenticatorSecrets[authenticator.type][0]}`;
      return isSet ? [{ provider: name, target: name, setting }] : [];
    }),
  ];
}

/** `PARTNER_SCIM2_ACCESS_TOKEN` for `scim2-access-token` of `partner:SCIM2`; a name that is taken gets a number. */
function placeholdersOf(secrets: readonly HiddenSecret[]): Placeholder[] {
  const taken = new Set<string>();
  return secrets.map(({ provider, target, setting }) => {
    const word = wordOfSecret.get(setting) ?? setting;
    const wish = `${provider}_${word}`.toUpperCase().replace(/[^A-Z0-9]+/g, '_');
    const base = /^[0-9]/.test(wish) ? `_${wish}` : wish;
    let name = base;
    for (let n = 2; taken.has(name); n++) name = `${base}_${n}`;
    taken.add(name);
    return { name, target, setting };
  });
}

function introduce(placeholders: readonly Placeholder[]): string {
  const lines = placeholders.map(({ name, target, setting }) => {
    return `#   ${name}  ${setting} of ${JSON.stringify(target)}`;
  });
  const secrets =
    lines.length === 0 ? [] : ['#', '# Secrets are not exported. Give them in these environment variables:', ...lines];
  return `${['# The configuration of Purvey, for purvey apply.', ...secrets].join('\n')}\n\n`;
}
