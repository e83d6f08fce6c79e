import { relative } from 'node:path';
import type { JitResult } from './jit.ts';
import type { DemoResult } from './run.ts';

const mostShown = 20;

/** What is printed when the demo is over. */
export function describeDemo(result: DemoResult, { stays }: { stays: boolean }): string {
  const { summary, differences, held, acme, partner, passwords } = result;
  const lines: string[] = [];
  const { users, groups, accounts, done, pending, parked, seconds } = summary;
  lines.push(
    '',
    `Acme has ${users} users and ${groups} groups; of ${accounts} accounts at Partner ${done} are done, ${pending} pending, ${parked} parked.`,
  );
  for (const each of held) lines.push(`Held: ${each}`);
  if (differences.length === 0) {
    lines.push(`Differences between both directories: none (after ${seconds} s).`);
  } else {
    lines.push(`Differences between both directories: ${differences.length} (after ${seconds} s):`);
    for (const { kind, name, what } of differences.slice(0, mostShown)) lines.push(`  ${kind} ${name} ${what}`);
    if (differences.length > mostShown) lines.push(`  and ${differences.length - mostShown} more`);
  }
  if (!stays) return lines.join('\n');
  const row = (head: string, a: string, b: string) => lines.push(`  ${head.padEnd(14)} ${a.padEnd(34)} ${b}`.trimEnd());
  lines.push('');
  row('', 'Acme', 'Partner');
  row('console', `${acme.url}/console`, `${partner.url}/console`);
  row('SCIM 2.0', `${acme.url}/scim2`, `${partner.url}/scim2`);
  row('admin API', `${acme.url}/api`, `${partner.url}/api`);
  row('administrator', 'admin', 'admin');
  row('password', passwords.acme, passwords.partner);
  row('data folder', here(acme.data), here(partner.data));
  const ada = `'{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada.lovelace","name":{"givenName":"Ada","familyName":"Lovelace"}}'`;
  lines.push(
    '',
    'Open the console of Acme: Home says whether anything is parked or behind; open partner:SCIM2, then anybody, then "why".',
    'Create somebody at Acme, in the console or by',
    `  curl -u admin:${passwords.acme} -H 'content-type: application/scim+json' \\`,
    `    -d ${ada} \\`,
    `    ${acme.url}/scim2/Users`,
    'and find her at Partner:',
    `  curl -u admin:${passwords.partner} '${partner.url}/scim2/Users?filter=userName%20eq%20%22ada.lovelace%22'`,
    'Watch Acme:',
    `  npx purvey status --url ${acme.url} --data ${here(acme.data)}`,
    '',
    'Both run until Ctrl-C.',
  );
  return lines.join('\n');
}

/** The same for people who sign in. */
export function describeJitDemo(result: JitResult, { stays }: { stays: boolean }): string {
  const { summary, differences, servers, sample, people } = result;
  const lines = [
    '',
    `Differences from what should be: ${differences.length === 0 ? 'none' : differences.length} (after ${summary.seconds} s).`,
  ];
  for (const each of differences) lines.push(`  ${each}`);
  if (!stays) return lines.join('\n');
  lines.push('', 'Sign in yourself: start the sample application,');
  lines.push(
    `  ISSUER=${sample.issuer} CLIENT_ID=${sample.clientId} CLIENT_SECRET=${sample.clientSecret} PORT=${sample.port} npm run example-app`,
    `open http://127.0.0.1:${sample.port}, choose "Sign in with Partner", and be one of these there:`,
    ...people.map(({ name, password }) => `  ${name}  ${password}`),
    '',
    `The console of Acme is at ${servers.acme.url}/console (as admin, whose one-time password is ${servers.acme.firstPassword ?? 'changed already'}):`,
    'Changes shows who came through the door login; Service Providers > travel has Enable JIT.',
    '',
    'All three run until Ctrl-C.',
  );
  return lines.join('\n');
}

function here(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith('..') ? path : short;
}
