import { Button, Checkbox, MultiSelect, NativeSelect, NumberInput, Switch, Textarea } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { OAuthClientAnswer, OAuthClientInput } from '../../src/contract/oauth-client.ts';
import type { ServiceProviderAnswer } from '../../src/contract/service-provider.ts';
import { ApiError, call } from '../api/client.ts';
import { errorOf, Refusal } from '../parts/form.tsx';

const scopes = [
  { value: 'scim.read', label: 'scim.read: read people by SCIM' },
  { value: 'scim.write', label: 'scim.write: change people by SCIM' },
  { value: 'admin.read', label: 'admin.read: what an auditor may' },
  { value: 'admin.operate', label: 'admin.operate: what an operator may' },
  { value: 'admin', label: 'admin: everything an administrator may' },
];

const personScopes = [
  { value: 'openid', label: 'openid: who signed in' },
  { value: 'profile', label: 'profile: name, user name, language' },
  { value: 'email', label: 'email: e-mail address' },
  { value: 'groups', label: 'groups: the groups they are in' },
  { value: 'offline_access', label: 'offline_access: also while they are away' },
];

/** The fields that say themselves what is wrong with them. */
const shown = ['grants', 'redirectUris', 'postLogoutRedirectUris', 'scopes', 'authMethod', 'jwks', 'tokenSeconds'];

const addressesOf = (text: string) => text.split(/\s+/).filter((one) => one !== '');

/** Makes the client of a service provider, or changes the one that is there (`before`). */
export function OAuthClientForm<T extends OAuthClientAnswer>(props: {
  provider: ServiceProviderAnswer;
  before?: OAuthClientAnswer;
  done: (client: T) => void;
}) {
  const { provider, before, done } = props;
  const client = useQueryClient();
  const [isOwn, setOwn] = useState(before?.grants.includes('client_credentials') ?? true);
  const [signsIn, setSignsIn] = useState(before?.grants.includes('authorization_code') ?? false);
  const [redirects, setRedirects] = useState(before?.redirectUris.join('\n') ?? '');
  const [ends, setEnds] = useState(before?.postLogoutRedirectUris.join('\n') ?? '');
  const [isAsked, setAsked] = useState(before?.consent !== 'none');
  const [chosen, setChosen] = useState<string[]>(before?.scopes ?? ['scim.read', 'scim.write']);
  const [authMethod, setAuthMethod] = useState<string>(before?.authMethod ?? 'client_secret_basic');
  const [seconds, setSeconds] = useState<string | number>(before?.tokenSeconds ?? 3_600);
  const [keys, setKeys] = useState(before?.jwks ? JSON.stringify(before.jwks, null, 2) : '');
  // Whoever signed people in without refresh tokens goes on so.
  const renews = !before?.grants.includes('authorization_code') || before.grants.includes('refresh_token');
  const make = useMutation({
    mutationFn: () => {
      const known = [...(isOwn ? scopes : []), ...(signsIn ? personScopes : [])].map(({ value }) => value);
      const body = {
        grants: [
          ...(isOwn ? ['client_credentials'] : []),
          ...(signsIn ? ['authorization_code'] : []),
          ...(signsIn && renews ? ['refresh_token'] : []),
        ],
        redirectUris: signsIn ? addressesOf(redirects) : [],
        postLogoutRedirectUris: signsIn ? addressesOf(ends) : [],
        consent: isAsked ? 'ask' : 'none',
        scopes: chosen.filter((scope) => known.includes(scope)),
        authMethod,
        tokenSeconds: Number(seconds),
        jwks: authMethod === 'private_key_jwt' ? readKeys(keys) : null,
      } as OAuthClientInput;
      return call<T>(before ? 'PATCH' : 'POST', `/service-providers/${provider.id}/oauth-client`, { body });
    },
    onSuccess: async (made) => {
      await client.invalidateQueries({ queryKey: ['service-providers'] });
      done(made);
    },
  });
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        make.mutate();
      }}
    >
      <Checkbox
        label="It calls by itself"
        description="Client credentials: what it does is done for this service provider."
        checked={isOwn}
        error={errorOf(make.error, 'grants')}
        onChange={(event) => setOwn(event.currentTarget.checked)}
      />
      <Checkbox
        label="People sign in to it here"
        description="Authorization code with PKCE, and refresh tokens."
        checked={signsIn}
        onChange={(event) => {
          setSignsIn(event.currentTarget.checked);
          if (event.currentTarget.checked) setChosen((all) => [...new Set([...all, 'openid', 'profile', 'email'])]);
        }}
      />
      {signsIn && (
        <>
          <Textarea
            label="Where they are sent back to"
            description="Whole addresses, one in a line."
            autosize
            minRows={2}
            spellCheck={false}
            value={redirects}
            error={errorOf(make.error, 'redirectUris')}
            onChange={(event) => setRedirects(event.currentTarget.value)}
          />
          <Textarea
            label="And after signing out"
            description="The same. It may be empty: then a page here says that they are signed out."
            autosize
            minRows={1}
            spellCheck={false}
            value={ends}
            error={errorOf(make.error, 'postLogoutRedirectUris')}
            onChange={(event) => setEnds(event.currentTarget.value)}
          />
          <Switch
            label="They are asked first"
            description="Off for an application of your own."
            checked={isAsked}
            onChange={(event) => setAsked(event.currentTarget.checked)}
          />
        </>
      )}
      <MultiSelect
        label="What it may do"
        data={[...(isOwn ? scopes : []), ...(signsIn ? personScopes : [])]}
        value={chosen}
        error={errorOf(make.error, 'scopes')}
        onChange={setChosen}
      />
      <NativeSelect
        label="How it shows who it is"
        data={[
          { value: 'client_secret_basic', label: 'a secret, by Basic' },
          { value: 'client_secret_post', label: 'a secret, in the form' },
          { value: 'private_key_jwt', label: 'a key of its own that it signs with' },
          { value: 'none', label: 'not at all: an app that keeps no secret' },
        ]}
        value={authMethod}
        error={errorOf(make.error, 'authMethod')}
        onChange={(event) => setAuthMethod(event.currentTarget.value)}
      />
      {authMethod === 'private_key_jwt' && (
        <Textarea
          label="Its public keys"
          description="A JWK set, as JSON."
          autosize
          minRows={4}
          maxRows={12}
          spellCheck={false}
          value={keys}
          error={errorOf(make.error, 'jwks')}
          onChange={(event) => setKeys(event.currentTarget.value)}
        />
      )}
      <NumberInput
        label="How long a token is good"
        description="In seconds, 60 to 86,400."
        value={seconds}
        error={errorOf(make.error, 'tokenSeconds')}
        onChange={setSeconds}
      />
      <Refusal error={make.error} fields={shown} />
      <div className="row" style={{ justifyContent: 'flex-end' }}>
        <Button type="submit" loading={make.isPending}>
          {before ? 'Update' : 'Make it'}
        </Button>
      </div>
    </form>
  );
}

function readKeys(text: string): OAuthClientInput['jwks'] {
  try {
    return JSON.parse(text);
  } catch {
    throw new ApiError({ status: 400, detail: 'They are not JSON.', code: 'invalidValue', field: 'jwks' });
  }
}
