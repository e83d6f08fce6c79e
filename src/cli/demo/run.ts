import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Secret } from '../../base/secret.ts';
import type { TokenAnswer } from '../../contract/token.ts';
import { applyFile } from '../apply.ts';
import { readApplyFile } from '../apply-file.ts';
import { CliError, type Client, makeClient } from '../client.ts';
import { countChanges, planChanges } from './changes.ts';
import { compareDirectories, type Difference } from './compare.ts';
import { loadCompany } from './load.ts';
import { makeChanges } from './make-changes.ts';
import { exampleFolder, readCompany } from './people.ts';
import { type Deliveries, followDeliveries, readDeliveries, type Screen } from './progress.ts';
import { type DemoRecord, readRecord, writeRecord } from './record.ts';
import { openScim, type Scim } from './scim.ts';
import { type DemoServer, type DemoServers, openServers } from './servers.ts';

export const defaultPorts = { acme: 9180, partner: 9181 } as const;

export type Summary = {
  users: number;
  groups: number;
  accounts: number;
  done: number;
  pending: number;
  parked: number;
  differences: number;
  seconds: number;
};

export type DemoResult = {
  summary: Summary;
  differences: Difference[];
  held: string[];
  acme: DemoServer;
  partner: DemoServer;
  passwords: DemoRecord['passwords'];
};

export type Demo = {
  folder: string;
  resume: boolean;
  /** Undefined: all, or as many as the demo that is resumed. */
  people: number | undefined;
  everybody: number;
  screen: Screen;
  say: (line: string) => void;
  /** So long without any movement is taken for the end. */
  stallMs: number;
  /** Aborted by whoever interrupts, and by the demo itself when a server dies. */
  interrupt: AbortController;
};

/** Both servers, and how to talk to them. */
type Stage = { acme: DemoServer; partner: DemoServer; admin: Client; acmeScim: Scim; partnerScim: Scim };

/**
 * The whole demo. `show` gets the result while both servers still run; they are stopped when it resolves, and however
 * else this ends. Throws the reason of `interrupt`, or `CliError`.
 */
export async function runDemo(demo: Demo, show: (result: DemoResult) => Promise<void>): Promise<void> {
  const { interrupt, say } = demo;
  const { signal } = interrupt;
  const began = performance.now();
  let record = chooseRecord(demo);
  const company = readCompany(record.people);
  const plan = planChanges(company);
  const servers = openServers({ died: (why) => interrupt.abort(why), say, signal });
  try {
    const stage = await setStage(demo, servers, record);
    record = stage.record;
    const follow = (title: string, total: number, work: (did: () => void) => Promise<void>) =>
      followWork({ demo, client: stage.admin, title, total, work });

    let deliveries: Deliveries | undefined;
    if (record.stage === 'loading') {
      const { people, groups } = company;
      say(`Loading ${people.length} people and ${groups.length} groups through Acme's SCIM door:`);
      deliveries = await follow('load', people.length + groups.length, (did) =>
        loadCompany(stage.acmeScim, company, did),
      );
      record = { ...record, stage: 'changing' };
      writeRecord(demo.folder, record);
    }
    if (record.stage === 'changing') {
      const { changed, renamed, leavers, moved } = plan;
      say(
        `Changing ${changed.length} people, renaming ${renamed.length}, swapping the names of two, moving members of ${moved.length} groups, removing ${leavers.length} people:`,
      );
      deliveries = await follow('change', countChanges(plan), (did) => makeChanges(stage.acmeScim, company, plan, did));
      record = { ...record, stage: 'done' };
      writeRecord(demo.folder, record);
    }
    deliveries ??= await waitForRest(demo, stage.admin);
    say('Comparing both directories through their SCIM doors …');
    let differences = await compareDirectories(stage.acmeScim, stage.partnerScim);
    // What was noted for later, such as that a member arrived, is not counted as pending until it is planned.
    while (differences.length > 0 && deliveries.pending === 0 && (await readDeliveries(stage.admin)).pending > 0) {
      deliveries = await waitForRest(demo, stage.admin);
      differences = await compareDirectories(stage.acmeScim, stage.partnerScim);
    }
    signal.throwIfAborted();
    const { held, ...counts } = deliveries;
    const seconds = Math.round((performance.now() - began) / 100) / 10;
    const summary = { ...counts, differences: differences.length, seconds };
    const { acme, partner } = stage;
    await show({ summary, differences, held, acme, partner, passwords: record.passwords });
  } catch (error) {
    // Whatever fails because the demo is ending, or because a server is gone, fails for that reason; that a process is
    // gone is heard a little later than that its connections are.
    if (!signal.aborted) await sleep(300, undefined, { signal }).catch(() => {});
    signal.throwIfAborted();
    throw error;
  } finally {
    await servers.stop();
  }
}

function chooseRecord({ folder, resume, people, everybody }: Demo): DemoRecord {
  const before = resume ? readRecord(folder) : undefined;
  if (before && people !== undefined && people !== before.people) {
    throw new CliError(
      `the demo in ${folder} has ${before.people} people: leave --people out to resume it, or start anew without --resume`,
    );
  }
  // While it was preparing nobody was loaded, and an administrator's first password may be lost.
  if (before && before.stage !== 'preparing') return before;
  return {
    stage: 'preparing',
    people: people ?? before?.people ?? everybody,
    ports: { ...defaultPorts },
    passwords: { acme: '', partner: '' },
    partnerToken: '',
  };
}

/** Starts both servers, Partner first, since Acme goes on delivering at once, and tells Acme about Partner. */
async function setStage(
  { folder, interrupt, say }: Demo,
  servers: DemoServers,
  before: DemoRecord,
): Promise<Stage & { record: DemoRecord }> {
  const { signal } = interrupt;
  const empty = before.stage === 'preparing';
  const start = async (name: string, key: 'acme' | 'partner') => {
    const server = await servers.start(name, { port: before.ports[key], data: join(folder, key), empty });
    signal.throwIfAborted();
    say(`${name.padEnd(7)} listens on ${server.url}`);
    return server;
  };
  if (!empty) writeRecord(folder, before);
  const partner = await start('Partner', 'partner');
  // Once Partner is there its folder is ours, and so is the record.
  if (empty) writeRecord(folder, before);
  const acme = await start('Acme', 'acme');
  const ports = { acme: portOf(acme), partner: portOf(partner) };
  let record: DemoRecord = { ...before, ports };
  if (empty) {
    record.passwords = { acme: await choosePassword(acme), partner: await choosePassword(partner) };
  }
  const admin = makeClient(acme.url, new Secret(acme.token));
  const partnerAdmin = makeClient(partner.url, new Secret(partner.token));
  if (!(await isAdmitted(partner.url, record.partnerToken))) {
    const wanted = { label: 'provisioning from Acme', scopes: ['scim'] };
    const { answer } = await partnerAdmin.send<TokenAnswer>('POST', '/tokens', wanted);
    record.partnerToken = answer.token;
  }
  await applyExample(partnerAdmin, 'partner.yaml', {}, () => {});
  const given = { PARTNER_URL: partner.url, PARTNER_TOKEN: record.partnerToken };
  await applyExample(admin, 'purvey.yaml', given, (line) => say(`Acme: ${line}`));
  record = { ...record, stage: empty ? 'loading' : record.stage };
  writeRecord(folder, record);
  const acmeScim = openScim(acme.url, acme.token, signal);
  const partnerScim = openScim(partner.url, partner.token, signal);
  return { acme, partner, admin, acmeScim, partnerScim, record };
}

function portOf({ url }: DemoServer): number {
  return Number(new URL(url).port);
}

/** The first password must be changed before anything can be done with it. */
async function choosePassword({ url, firstPassword }: DemoServer): Promise<string> {
  const newPassword = randomBytes(12).toString('base64url');
  const response = await fetch(`${url}/api/password`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`admin:${firstPassword}`).toString('base64')}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ newPassword }),
    signal: AbortSignal.timeout(60_000),
  });
  if (!response.ok) throw new CliError(`${url} refused the first password: ${await response.text()}`);
  return newPassword;
}

async function isAdmitted(url: string, token: string): Promise<boolean> {
  if (token === '') return false;
  const response = await fetch(`${url}/scim2/ServiceProviderConfig`, {
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(60_000),
  });
  await response.arrayBuffer();
  return response.ok;
}

async function applyExample(
  client: Client,
  name: string,
  given: Record<string, string>,
  say: (line: string) => void,
): Promise<void> {
  const file = readApplyFile(readFileSync(join(exampleFolder, name), 'utf8'), name, (variable) => given[variable]);
  // Partner is the same one, also when it listens on another port than the last time.
  await applyFile(client, file, (one) => say(`${one.kind} ${one.name} ${one.change}`), { sameSystem: true });
}

/** Everything was said before; only deliveries may be left. */
async function waitForRest(demo: Demo, client: Client): Promise<Deliveries> {
  const { users, groups } = await readDeliveries(client);
  return followWork({
    demo,
    client,
    title: 'resume',
    total: users + groups,
    async work(did) {
      for (let n = 0; n < users + groups; n++) did();
    },
  });
}

async function followWork(parts: {
  demo: Demo;
  client: Client;
  title: string;
  total: number;
  work: (did: () => void) => Promise<void>;
}): Promise<Deliveries> {
  const { demo, client, title, total, work } = parts;
  let sent = 0;
  const sending = work(() => {
    sent += 1;
  });
  const { screen, stallMs, interrupt } = demo;
  return followDeliveries({
    client,
    screen,
    title,
    total,
    sent: () => sent,
    sending,
    stallMs,
    signal: interrupt.signal,
  });
}
