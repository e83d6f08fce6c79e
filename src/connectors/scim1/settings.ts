import type { Secret } from '../../base/secret.ts';
import type { Setting, SettingFault, SettingValues } from '../connector.ts';
import type { Authentication } from '../scim/wire.ts';
import { checkForm, demand, isShown, secretOf, textOf, trimSlash, withDefaults } from '../settings.ts';

const mode = 'scim-authentication-mode';

/** Keys and labels are WSO2's; the authentication mode with its token and the last two settings are ours. */
export const scim1Settings: readonly Setting[] = [
  {
    key: mode,
    label: 'Authentication Mode',
    type: 'choice',
    required: true,
    default: 'basic',
    options: [
      { value: 'basic', label: 'Basic' },
      { value: 'bearer', label: 'Bearer' },
    ],
  },
  { key: 'scim-username', label: 'Username', type: 'text', required: true, when: { key: mode, in: ['basic'] } },
  { key: 'scim-password', label: 'Password', type: 'secret', required: true, when: { key: mode, in: ['basic'] } },
  {
    key: 'scim-access-token',
    label: 'Access Token',
    type: 'secret',
    required: true,
    when: { key: mode, in: ['bearer'] },
  },
  {
    key: 'scim-user-ep',
    label: 'User Endpoint',
    type: 'url',
    system: true,
    required: true,
    help: 'Such as https://partner.example/wso2/scim/Users.',
  },
  {
    key: 'scim-group-ep',
    label: 'Group Endpoint',
    type: 'url',
    system: true,
    required: false,
    help: 'Such as https://partner.example/wso2/scim/Groups. Blank: groups are not sent.',
  },
  {
    key: 'scim-user-store-domain',
    label: 'User Store Domain',
    type: 'text',
    required: false,
    help: 'The user store at the target. It replaces the local domain: SALES/bob is sent as DOMAIN/bob. Blank: other local domains than PRIMARY keep theirs.',
  },
  {
    key: 'scim-enable-pwd-provisioning',
    label: 'Enable Password Provisioning',
    type: 'boolean',
    required: false,
    default: true,
    help: 'Send the password when a user is created, and a new one when it changes. Off: never.',
  },
  {
    key: 'scim-default-pwd',
    label: 'Default Password',
    type: 'secret',
    required: false,
    help: 'Sent on creation when the clear password is not known. Blank: no password is sent then.',
    when: { key: 'scim-enable-pwd-provisioning', in: [true] },
  },
  {
    key: 'scim-patch-by-post',
    label: 'Send PATCH as POST',
    type: 'boolean',
    required: false,
    default: false,
    help: 'For targets behind something that lets no PATCH through: POST with X-HTTP-Method-Override: PATCH.',
  },
  {
    key: 'scim-quote-filter-values',
    label: 'Quote Filter Values',
    type: 'boolean',
    required: false,
    default: true,
    help: 'Search with userName eq "bob", as SCIM 1.1 says. Off: userName Eq bob, for servers that take the quotation marks for a part of the name.',
  },
];

export type Scim1Settings = {
  authentication: Authentication;
  userEndpoint: string;
  /** Undefined: groups are not sent. */
  groupEndpoint: string | undefined;
  userStoreDomain: string | undefined;
  passwordProvisioning: boolean;
  defaultPassword: Secret | undefined;
  patchByPost: boolean;
  quotesFilterValues: boolean;
};

export function checkScim1Settings(given: SettingValues): SettingFault[] {
  const faults = checkForm(scim1Settings, given);
  const values = withDefaults(scim1Settings, given);
  const fault = (key: string, message: string) => {
    const setting = scim1Settings.find((other) => other.key === key)!;
    if (isShown(scim1Settings, values, setting) && !faults.some((known) => known.key === key)) {
      faults.push({ key, message: `${setting.label} ${message}` });
    }
  };
  if (textOf(values, 'scim-username')?.includes(':')) {
    fault('scim-username', 'must not hold a colon (RFC 7617 section 2)');
  }
  const token = textOf(values, 'scim-access-token');
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
    fault('scim-access-token', 'must be ASCII without spaces; was it copied whole?');
  }
  const users = textOf(values, 'scim-user-ep');
  const groups = textOf(values, 'scim-group-ep');
  if (users !== undefined && groups !== undefined && trimSlash(users) === trimSlash(groups)) {
    fault('scim-group-ep', 'is the same as User Endpoint');
  }
  if (textOf(values, 'scim-user-store-domain')?.includes('/')) {
    fault('scim-user-store-domain', 'must not hold a slash; write only its name');
  }
  return faults;
}

/** Reads settings that `checkScim1Settings` found nothing wrong with. */
export function readScim1Settings(given: SettingValues): Scim1Settings {
  const values = withDefaults(scim1Settings, given);
  const groupEndpoint = textOf(values, 'scim-group-ep');
  const passwordProvisioning = values['scim-enable-pwd-provisioning'] === true;
  return {
    authentication:
      values[mode] === 'bearer'
        ? { mode: 'bearer', token: demand(secretOf(values, 'scim-access-token'), 'scim-access-token') }
        : {
            mode: 'basic',
            username: demand(textOf(values, 'scim-username'), 'scim-username'),
            password: demand(secretOf(values, 'scim-password'), 'scim-password'),
          },
    userEndpoint: trimSlash(demand(textOf(values, 'scim-user-ep'), 'scim-user-ep')),
    groupEndpoint: groupEndpoint === undefined ? undefined : trimSlash(groupEndpoint),
    userStoreDomain: textOf(values, 'scim-user-store-domain'),
    passwordProvisioning,
    defaultPassword: passwordProvisioning ? secretOf(values, 'scim-default-pwd') : undefined,
    patchByPost: values['scim-patch-by-post'] === true,
    quotesFilterValues: values['scim-quote-filter-values'] !== false,
  };
}
