import type { Secret } from '../../base/secret.ts';
import type { Setting, SettingFault, SettingValues } from '../connector.ts';
import type { Authentication } from '../scim/wire.ts';
import { checkForm, demand, isShown, secretOf, textOf, trimSlash, withDefaults } from '../settings.ts';
import { overrideProfile, readOverrides } from './overrides.ts';
import type { Profile } from './profile.ts';
import { findProfile, profileFiles } from './profiles.ts';

const mode = 'scim2-authentication-mode';

/** Keys and labels are WSO2's; `oauth2ClientCredentials` and its five settings are ours. */
export const scim2Settings: readonly Setting[] = [
  {
    key: mode,
    label: 'Authentication Mode',
    type: 'choice',
    required: true,
    default: 'basic',
    options: [
      { value: 'basic', label: 'Basic' },
      { value: 'bearer', label: 'Bearer' },
      { value: 'apiKey', label: 'API Key' },
      { value: 'oauth2ClientCredentials', label: 'OAuth 2.0 Client Credentials' },
    ],
  },
  { key: 'scim2-username', label: 'Username', type: 'text', required: true, when: { key: mode, in: ['basic'] } },
  { key: 'scim2-password', label: 'Password', type: 'secret', required: true, when: { key: mode, in: ['basic'] } },
  {
    key: 'scim2-access-token',
    label: 'Access Token',
    type: 'secret',
    required: true,
    when: { key: mode, in: ['bearer'] },
  },
  {
    key: 'scim2-api-key-header',
    label: 'API Key Header Name',
    type: 'text',
    required: true,
    help: 'The request header that carries the key, such as X-API-Key.',
    when: { key: mode, in: ['apiKey'] },
  },
  {
    key: 'scim2-api-key-value',
    label: 'API Key Value',
    type: 'secret',
    required: true,
    when: { key: mode, in: ['apiKey'] },
  },
  {
    key: 'scim2-token-endpoint',
    label: 'Token Endpoint',
    type: 'url',
    required: true,
    help: 'Where access tokens are fetched with the client credentials grant.',
    when: { key: mode, in: ['oauth2ClientCredentials'] },
  },
  {
    key: 'scim2-client-id',
    label: 'Client ID',
    type: 'text',
    required: true,
    when: { key: mode, in: ['oauth2ClientCredentials'] },
  },
  {
    key: 'scim2-client-secret',
    label: 'Client Secret',
    type: 'secret',
    required: true,
    when: { key: mode, in: ['oauth2ClientCredentials'] },
  },
  {
    key: 'scim2-client-authentication',
    label: 'Client Authentication',
    type: 'choice',
    required: false,
    default: 'basic',
    help: 'How client id and secret are presented to the token endpoint.',
    options: [
      { value: 'basic', label: 'Authorization header (client_secret_basic)' },
      { value: 'post', label: 'Form fields (client_secret_post)' },
    ],
    when: { key: mode, in: ['oauth2ClientCredentials'] },
  },
  {
    key: 'scim2-scope',
    label: 'Scope',
    type: 'text',
    required: false,
    help: 'Scopes to ask for, separated by spaces. Blank: none is asked for.',
    when: { key: mode, in: ['oauth2ClientCredentials'] },
  },
  {
    key: 'scim2-user-ep',
    label: 'User Endpoint',
    type: 'url',
    system: true,
    required: true,
    help: 'Such as https://partner.example/scim2/Users.',
  },
  {
    key: 'scim2-group-ep',
    label: 'Group Endpoint',
    type: 'url',
    system: true,
    required: false,
    help: 'Such as https://partner.example/scim2/Groups. Blank: groups are not sent.',
  },
  {
    key: 'scim2-target-profile',
    label: 'Target Profile',
    type: 'choice',
    required: false,
    default: profileFiles[0]!.name,
    help: 'What the target takes: how it is changed, what it is sent, what it refuses, how fast it may be asked.',
    options: profileFiles.map(({ name, label }) => ({ value: name, label })),
  },
  {
    key: 'scim2-profile-overrides',
    label: 'Profile Overrides',
    type: 'text',
    multiline: true,
    required: false,
    help: 'Lines of the profile that are otherwise for this target, in YAML or JSON, such as membersPerRequest: 50.',
  },
  {
    key: 'scim2-user-store-domain',
    label: 'User Store Domain',
    type: 'text',
    required: false,
    help: 'The user store at the target. It replaces the local domain: SALES/bob is sent as DOMAIN/bob. Blank: other local domains than PRIMARY keep theirs.',
  },
  {
    key: 'scim2-enable-pwd-provisioning',
    label: 'Enable Password Provisioning',
    type: 'boolean',
    required: false,
    default: true,
    help: 'Send the password when a user is created, and a new one when it changes. Off: never.',
  },
  {
    key: 'scim2-default-pwd',
    label: 'Default Password',
    type: 'secret',
    required: false,
    help: 'Sent on creation when the clear password is not known. Blank: no password is sent then.',
    when: { key: 'scim2-enable-pwd-provisioning', in: [true] },
  },
];

const profileKey = 'scim2-target-profile';
const overridesKey = 'scim2-profile-overrides';

export type Scim2Settings = {
  authentication: Authentication;
  userEndpoint: string;
  /** Undefined: groups are not sent. */
  groupEndpoint: string | undefined;
  userStoreDomain: string | undefined;
  passwordProvisioning: boolean;
  defaultPassword: Secret | undefined;
  profile: Profile;
};

/** Headers that carry the request itself, or belong to the connection: no place for a key. */
const takenHeaders = /^(?:host|connection|content-.*|transfer-encoding|accept.*|te|trailer|upgrade|expect|keep-alive)$/;

export function checkScim2Settings(given: SettingValues): SettingFault[] {
  const faults = checkForm(scim2Settings, given);
  const values = withDefaults(scim2Settings, given);
  const fault = (key: string, message: string) => {
    const setting = scim2Settings.find((other) => other.key === key)!;
    if (isShown(scim2Settings, values, setting) && !faults.some((known) => known.key === key)) {
      faults.push({ key, message: `${setting.label} ${message}` });
    }
  };
  if (textOf(values, 'scim2-username')?.includes(':')) {
    fault('scim2-username', 'must not hold a colon (RFC 7617 section 2)');
  }
  const header = textOf(values, 'scim2-api-key-header')?.toLowerCase();
  if (header !== undefined && (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(header) || takenHeaders.test(header))) {
    fault('scim2-api-key-header', 'must be the name of a request header that is free to use, such as X-API-Key');
  }
  for (const key of ['scim2-access-token', 'scim2-api-key-value']) {
    const value = textOf(values, key);
    if (value !== undefined && !/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(value)) {
      fault(key, 'must be ASCII without spaces around it; was it copied whole?');
    }
  }
  const users = textOf(values, 'scim2-user-ep');
  const groups = textOf(values, 'scim2-group-ep');
  if (users !== undefined && groups !== undefined && trimSlash(users) === trimSlash(groups)) {
    fault('scim2-group-ep', 'is the same as User Endpoint');
  }
  const domain = textOf(values, 'scim2-user-store-domain');
  if (domain?.includes('/')) fault('scim2-user-store-domain', 'must not hold a slash; write only its name');
  const overrides = readOverrides(textOf(values, overridesKey) ?? '');
  if ('faults' in overrides) fault(overridesKey, overrides.faults.join('; '));
  return faults;
}

/** Reads settings that `checkScim2Settings` found nothing wrong with. */
export function readScim2Settings(given: SettingValues): Scim2Settings {
  const values = withDefaults(scim2Settings, given);
  const groupEndpoint = textOf(values, 'scim2-group-ep');
  const profile = readProfile(values);
  const passwordProvisioning = values['scim2-enable-pwd-provisioning'] === true && profile.passwords;
  return {
    authentication: readAuthentication(values),
    userEndpoint: trimSlash(demand(textOf(values, 'scim2-user-ep'), 'scim2-user-ep')),
    groupEndpoint: groupEndpoint === undefined ? undefined : trimSlash(groupEndpoint),
    userStoreDomain: textOf(values, 'scim2-user-store-domain'),
    passwordProvisioning,
    defaultPassword: passwordProvisioning ? secretOf(values, 'scim2-default-pwd') : undefined,
    profile,
  };
}

/** The chosen profile with the operator's lines over its own, from settings in which nothing was found wrong. */
export function readProfile(given: SettingValues): Profile {
  const values = withDefaults(scim2Settings, given);
  const profile = findProfile(demand(textOf(values, profileKey), profileKey));
  const overrides = readOverrides(textOf(values, overridesKey) ?? '');
  if ('faults' in overrides)
    throw new Error(`${overridesKey} ${overrides.faults[0]}; check the settings before opening`);
  return overrideProfile(profile, overrides.lines);
}

function readAuthentication(values: SettingValues): Authentication {
  const text = (key: string) => demand(textOf(values, key), key);
  const secret = (key: string) => demand(secretOf(values, key), key);
  switch (values[mode]) {
    case 'bearer':
      return { mode: 'bearer', token: secret('scim2-access-token') };
    case 'apiKey':
      return {
        mode: 'apiKey',
        header: text('scim2-api-key-header').toLowerCase(),
        value: secret('scim2-api-key-value'),
      };
    case 'oauth2ClientCredentials': {
      const scope = textOf(values, 'scim2-scope');
      return {
        mode: 'oauth2ClientCredentials',
        tokenEndpoint: text('scim2-token-endpoint'),
        clientId: text('scim2-client-id'),
        clientSecret: secret('scim2-client-secret'),
        clientAuthentication: textOf(values, 'scim2-client-authentication') === 'post' ? 'post' : 'basic',
        ...(scope === undefined ? {} : { scope }),
      };
    }
    default:
      return { mode: 'basic', username: text('scim2-username'), password: secret('scim2-password') };
  }
}
