import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Secret } from '../../base/secret.ts';
import type { ChangeAnswer } from '../../contract/change.ts';
import type { OAuthClientMade } from '../../contract/oauth-client.ts';
import type { AgingPage } from '../../contract/page.ts';
import type { TokenAnswer } from '../../contract/token.ts';
import { CliError, type Client, makeClient } from '../client.ts';
import { type Deliveries, readDeliveries } from './progress.ts';
import type { Demo, Summary } from './run.ts';
import { openScim, type Scim, type ScimResource, userUrns } from './scim.ts';
import { type DemoServer, type DemoServers, openServers } from './servers.ts';
import { type Application, openApplication } from './sign-in.ts';

export const jitPorts = { acme: 9182, partner: 9183, training: 9184 } as const;
/** Where the sample application listens, if somebody starts it. */
const samplePort = 9190;
/** Nothing answers there: whoever is sent there has arrived. */
const redirectUri = 'http://127.0.0.1:9/back';

export type JitResult = {
  summary: Summary;
  differences: string[];
  servers: Stage['servers'];
  /** For whoever wants to sign in themselves. */
  sample: { issuer: string; clientId: string; clientSecret: string; port: number };
  people: { name: string; password: string }[];
};

type Stage = {
  servers: { acme: DemoServer; partner: DemoServer; training: DemoServer };
  admin: Client;
  training: Scim;
  application: Application;
  sample: JitResult['sample'];
  password: string;
};

const people = [
  { userName: 'grace', displayName: 'Grace Hopper', email: 'grace@partner.example' },
  { userName: 'heidi', displayName: 'Heidi Klein', email: 'heidi@partner.example' },
] as const;

/**
 * People of Partner sign in to an application of Acme: who is new is made at Acme, and stands at Training while the
 * application's binding has *Enable JIT*. `show` gets the result while the servers run.
 */
export async function runJitDemo(demo: Demo, show: (result: JitResult) => Promise<void>): Promise<void> {
  const { interrupt, say } = demo;
  const { signal } = interrupt;
  const began = performance.now();
  const servers = openServers({ died: (why) => interrupt.abort(why), say, signal });
  try {
    const stage = await setStage(demo, servers);
    const differences = [
      ...(await withJit(stage, say, signal)),
      ...(await withoutJit(stage, say, signal)),
      ...(await byItself(stage, say, signal)),
    ];
    signal.throwIfAborted();
    const { held: _, ...counts } = await readDeliveries(stage.admin);
    const seconds = Math.round((performance.now() - began) / 100) / 10;
    const summary = { ...counts, differences: differences.length, seconds };
    const known = people.map(({ userName }) => ({ name: userName, password: stage.password }));
    await show({ summary, differences, servers: stage.servers, sample: stage.sample, people: known });
  } catch (error) {
    if (!signal.aborted) await sleep(300, undefined, { signal }).catch(() => {});
    signal.throwIfAborted();
    throw error;
  } finally {
    await servers.stop();
  }
}

async function setStage({ folder, interrupt, say }: Demo, servers: DemoServers): Promise<Stage> {
  const { signal } = interrupt;
  const start = async (name: string, key: keyof typeof jitPorts, what: string) => {
    const server = await servers.start(name, { port: jitPorts[key], data: join(folder, 'jit', key), empty: true });
    signal.throwIfAborted();
    say(`${name.padEnd(8)} listens on ${server.url}, ${what}`);
    return server;
  };
  const partner = await start('Partner', 'partner', 'where people have their accounts');
  const training = await start('Training', 'training', 'a target');
  const acme = await start('Acme', 'acme', 'whose application "travel" they sign in to');
  const clientOf = ({ url, token }: DemoServer) => makeClient(url, new Secret(token));
  const [admin, upstream, target] = [clientOf(acme), clientOf(partner), clientOf(training)];

  const password = randomBytes(12).toString('base64url');
  for (const { userName, displayName, email } of people) {
    const emails = [{ value: email, primary: true }];
    await upstream.send('POST', '/users', { userName, displayName, emails, password });
  }
  await upstream.send('POST', '/service-providers', { name: 'acme' });
  const known = await makeOAuthClient(upstream, 'acme', {
    grants: ['authorization_code'],
    redirectUris: [`${acme.url}/login/partner/callback`],
    scopes: ['openid', 'profile', 'email'],
    consent: 'none',
  });
  await admin.send('POST', '/identity-providers', { name: 'partner', displayName: 'Partner', homeRealmId: 'partner' });
  const { issuer, clientId, clientSecret } = known;
  await admin.send('PUT', '/identity-providers/partner/federation', {
    authenticator: { type: 'oidc', issuer, clientId, clientSecret },
    jit: { enabled: true },
  });
  say('Acme trusts Partner: who signs in there and is not known here is made here (just-in-time provisioning)');

  const wanted = { label: 'provisioning from Acme', scopes: ['scim'] };
  const { answer: token } = await target.send<TokenAnswer>('POST', '/tokens', wanted);
  await admin.send('POST', '/identity-providers', { name: 'training', displayName: 'Training' });
  await admin.send('POST', '/identity-providers/training/targets', {
    type: 'SCIM2',
    settings: {
      'scim2-authentication-mode': 'bearer',
      'scim2-access-token': token.token,
      'scim2-user-ep': `${training.url}/scim2/Users`,
    },
  });
  await admin.send('POST', '/service-providers', { name: 'travel' });
  const sampleUrl = `http://127.0.0.1:${samplePort}`;
  const application = await makeOAuthClient(admin, 'travel', {
    grants: ['client_credentials', 'authorization_code'],
    redirectUris: [redirectUri, `${sampleUrl}/back`],
    postLogoutRedirectUris: [`${sampleUrl}/signed-out`],
    scopes: ['scim.write', 'openid', 'profile', 'email', 'groups'],
    consent: 'none',
  });
  await bind(admin, true);
  say('Its application travel is bound to training:SCIM2 with Enable JIT; the resident service provider is not');
  const origins = [acme.url, partner.url];
  const credentials = {
    issuer: application.issuer,
    clientId: application.clientId,
    clientSecret: application.clientSecret!,
  };
  return {
    servers: { acme, partner, training },
    admin,
    training: openScim(training.url, training.token, signal),
    application: await openApplication({ ...credentials, redirectUri, origins, signal }),
    sample: { ...credentials, port: samplePort },
    password,
  };
}

async function makeOAuthClient(admin: Client, name: string, input: object): Promise<OAuthClientMade> {
  return (await admin.send<OAuthClientMade>('POST', `/service-providers/${name}/oauth-client`, input)).answer;
}

async function bind(admin: Client, jit: boolean): Promise<void> {
  const bindings = [{ target: 'training:SCIM2', jit }];
  await admin.send('PUT', '/service-providers/travel/bindings', { bindings });
}

type Say = Demo['say'];

async function withJit(stage: Stage, say: Say, signal: AbortSignal): Promise<string[]> {
  const [grace] = people;
  const { sub } = await signIn(stage, grace.userName);
  say(`grace signs in to travel through Partner. ${await tellChange(stage.admin, sub)}`);
  const there = await waitForRest(stage, signal, (users) => users.some((user) => user.externalId === sub));
  const found = there.find((user) => user.externalId === sub);
  if (!found) return ['grace is not at Training'];
  const wrong = [
    ...(found.userName === grace.userName ? [] : [`grace is called ${String(found.userName)} at Training`]),
    ...(found.displayName === grace.displayName ? [] : [`grace is shown as ${String(found.displayName)} at Training`]),
    ...(emailOf(found) === grace.email ? [] : [`the address of grace is ${emailOf(found)} at Training`]),
  ];
  if (wrong.length === 0) say('  She stands at Training, with the name and the address that Partner knows');
  return wrong;
}

async function withoutJit(stage: Stage, say: Say, signal: AbortSignal): Promise<string[]> {
  await bind(stage.admin, false);
  const { sub } = await signIn(stage, 'heidi');
  say(`Enable JIT is switched off, and heidi signs in the same way. ${await tellChange(stage.admin, sub)}`);
  const there = await waitForRest(stage, signal, () => true);
  if (there.some((user) => user.externalId === sub)) return ['heidi is at Training, though nothing lets her in'];
  say('  Training does not have her');
  return [];
}

/** What the application does with its own credentials goes by its bindings whether or not they have *Enable JIT*. */
async function byItself({ servers, application, ...stage }: Stage, say: Say, signal: AbortSignal): Promise<string[]> {
  const scim = openScim(servers.acme.url, await application.getToken(), signal);
  const { id } = await scim.create('Users', { schemas: [userUrns.core], userName: 'ivan' });
  say(
    `The application adds ivan through Acme's SCIM door with its own credentials. ${await tellChange(stage.admin, id)}`,
  );
  const there = await waitForRest(stage, signal, (users) => users.some((user) => user.externalId === id));
  if (!there.some((user) => user.externalId === id)) return ['ivan is not at Training'];
  say('  He stands at Training: the binding counts for what the application does, also without Enable JIT');
  return [];
}

async function signIn({ application, password }: Stage, name: string): Promise<{ sub: string }> {
  return application.signIn({ realm: 'partner', name, password });
}

async function tellChange(admin: Client, subject: string): Promise<string> {
  const { items } = await admin.get<AgingPage<ChangeAnswer>>('/changes', { subject, limit: 10 });
  const first = items[0];
  if (!first) throw new CliError(`nothing is written down about ${subject} at Acme`);
  return `Acme wrote it down: door ${first.door}, by ${first.actor}, for ${first.serviceProvider}`;
}

const patienceMs = 30_000;
const pollMs = 200;

/** The users of Training once nothing is left to deliver and `isThere` holds, or after half a minute. */
async function waitForRest(
  { admin, training }: Pick<Stage, 'admin' | 'training'>,
  signal: AbortSignal,
  isThere: (users: readonly ScimResource[]) => boolean,
): Promise<ScimResource[]> {
  for (const began = performance.now(); ; await sleep(pollMs, undefined, { signal })) {
    const { pending }: Deliveries = await readDeliveries(admin);
    const users = pending === 0 ? await training.list('Users') : [];
    if ((pending === 0 && isThere(users)) || performance.now() - began > patienceMs) return users;
  }
}

function emailOf(user: ScimResource): string {
  const [first] = (user.emails ?? []) as { value?: string }[];
  return String(first?.value);
}
