import { type Command, InvalidArgumentError } from 'commander';
import type { OAuthClientAnswer, OAuthClientMade, OAuthKeyList } from '../contract/oauth-client.ts';
import { asClientCommand, openCommand, readCount } from './command.ts';
import { type Output, printFields, printJson, printRows } from './output.ts';

type Options = { json?: boolean; url?: string; data?: string };
type CreateOptions = Options & {
  scope: string[];
  grant?: string[];
  redirectUri?: string[];
  postLogoutRedirectUri?: string[];
  consent?: string;
  authMethod?: string;
  tokenSeconds?: number;
};
const listOf = (text: string) => text.split(',');
type RenewOptions = Options & { overlapHours?: number };

const pathOf = (name: string) => `/service-providers/${encodeURIComponent(name)}/oauth-client`;

/** `purvey oauth create|show|renew|keys|rotate-keys|remove`. */
export function addOAuth(program: Command): void {
  const group = program.command('oauth').description('OAuth 2.0 clients of service providers');

  const create = group
    .command('create')
    .argument('<service-provider>', 'id or name')
    .description('make the OAuth client of a service provider; its secret is shown this one time')
    .requiredOption(
      '--scope <scopes>',
      'scim.read, scim.write, admin.read, admin.operate, admin; of who signs in openid, profile, email, groups, offline_access; several with commas',
      listOf,
    )
    .option('--grant <grants>', 'client_credentials (if none is given), authorization_code, refresh_token', listOf)
    .option('--redirect-uri <addresses>', 'where people are sent back to who signed in', listOf)
    .option('--post-logout-redirect-uri <addresses>', 'where people may be sent back to who signed out', listOf)
    .option('--consent <how>', 'ask (if nothing is said) or none: whether people are asked')
    .option('--auth-method <how>', 'client_secret_basic (if nothing is said), client_secret_post, none')
    .option('--token-seconds <seconds>', 'how long its tokens are good: 60 to 86400, else 3600', readCount(60));
  asClientCommand(create, 'purvey oauth create hr-suite --scope scim.read,scim.write').action(
    async (name: string, given: CreateOptions) => {
      const { scope, grant, redirectUri, postLogoutRedirectUri, consent, authMethod, tokenSeconds, ...options } = given;
      const { client, out } = openCommand(options);
      // What is undefined is not sent.
      const input = {
        scopes: scope,
        grants: grant,
        redirectUris: redirectUri,
        postLogoutRedirectUris: postLogoutRedirectUri,
        consent,
        authMethod,
        tokenSeconds,
      };
      const { answer } = await client.send<OAuthClientMade>('POST', pathOf(name), input);
      printMade(out, answer);
    },
  );

  const show = group.command('show').argument('<service-provider>', 'id or name').description('its client, no secret');
  asClientCommand(show, 'purvey oauth show hr-suite').action(async (name: string, options: Options) => {
    const { client, out } = openCommand(options);
    const answer = await client.get<OAuthClientAnswer>(pathOf(name));
    printFields(out, answer, fieldsOf(answer));
  });

  const renew = group
    .command('renew')
    .argument('<service-provider>', 'id or name')
    .description('give its client a new secret, shown this one time')
    .option('--overlap-hours <hours>', 'how long the secret before is good still: 0 to 720, else 24', readHours);
  asClientCommand(renew, 'purvey oauth renew hr-suite --overlap-hours 48').action(
    async (name: string, { overlapHours, ...options }: RenewOptions) => {
      const { client, out } = openCommand(options);
      const input = overlapHours === undefined ? {} : { overlapHours };
      const { answer } = await client.send<OAuthClientMade>('POST', `${pathOf(name)}/secret`, input);
      printMade(out, answer);
    },
  );

  const rotate = group
    .command('rotate-keys')
    .description('make a new key that tokens are signed with; it signs a minute later, when every server has it');
  asClientCommand(rotate, 'purvey oauth rotate-keys').action(async (options: Options) => {
    const { client, out } = openCommand(options);
    printKeys(out, (await client.send<OAuthKeyList>('POST', '/oauth/keys/rotate')).answer);
  });

  const keys = group.command('keys').description('the keys that tokens are signed with, and where each stands');
  asClientCommand(keys, 'purvey oauth keys').action(async (options: Options) => {
    const { client, out } = openCommand(options);
    printKeys(out, await client.get<OAuthKeyList>('/oauth/keys'));
  });

  const remove = group
    .command('remove')
    .argument('<service-provider>', 'id or name')
    .description('remove its client: its tokens are refused within two seconds');
  asClientCommand(remove, 'purvey oauth remove hr-suite').action(async (name: string, options: Options) => {
    const { client, out } = openCommand(options);
    await client.send('DELETE', pathOf(name));
    if (out.json) printJson(out, { serviceProvider: name, removed: true });
    else out.write(`the OAuth client of ${name} is removed; its tokens are refused within two seconds\n`);
  });
}

function readHours(text: string): number {
  if (!/^\d{1,3}(\.\d+)?$/.test(text)) throw new InvalidArgumentError('It must be a number of hours.');
  return Number(text);
}

function fieldsOf(answer: OAuthClientAnswer): [string, string | number][] {
  const [latest, before] = answer.secrets;
  return [
    ['service provider', answer.serviceProvider],
    ['client id', answer.clientId],
    ['gets tokens by', answer.grants.join(' ')],
    ['scopes', answer.scopes.join(' ')],
    ...(answer.authorizationEndpoint
      ? ([
          ['signs people in at', answer.authorizationEndpoint],
          ['sends them back to', answer.redirectUris.join(' ')],
          ['asks them', answer.consent === 'ask' ? 'yes' : 'no'],
          ['signs them out at', answer.endSessionEndpoint],
          ['sends them then to', answer.postLogoutRedirectUris.join(' ') || 'nowhere'],
        ] as [string, string][])
      : []),
    ['shows itself by', answer.authMethod],
    ['tokens are good for', `${answer.tokenSeconds} s`],
    ['token endpoint', answer.tokenEndpoint],
    ['secret made', latest?.createdAt ?? 'it has none'],
    ...(before?.expiresAt ? [['secret before ends', before.expiresAt] as [string, string]] : []),
  ];
}

function printKeys(out: Output, list: OAuthKeyList): void {
  printRows(out, list, list.items, [
    { head: 'key', value: ({ kid }) => kid },
    { head: 'state', value: ({ state }) => state },
    { head: 'signs from', value: ({ signsFrom }) => signsFrom },
    { head: 'published until', value: ({ publishedUntil }) => publishedUntil },
  ]);
}

function printMade(out: Output, answer: OAuthClientMade): void {
  const secret: [string, string][] = answer.clientSecret === null ? [] : [['client secret', answer.clientSecret]];
  printFields(out, answer, [...secret, ...fieldsOf(answer)]);
  if (secret.length > 0 && out.terminal && !out.json) out.write('\nThe secret is not shown again.\n');
}
