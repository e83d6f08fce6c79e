import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Problem } from '../../base/problem.ts';
import { Secret } from '../../base/secret.ts';
import type { PasswordKeeping } from '../../directory/clear-passwords.ts';
import { primaryDomain } from '../../directory/domains.ts';
import { preparePassword } from '../../directory/passwords.ts';
import type { ResourceTypes } from '../../protocol/scim/schema.ts';
import type { JitPrompt } from '../../provisioning/federation-settings.ts';
import type { Federation } from '../../provisioning/federations.ts';
import { readServiceProvider } from '../../provisioning/service-providers.ts';
import type { Store } from '../../store/store.ts';
import { isStorable } from '../door.ts';
import { type Asks, loginPath, lookAt, takeOver, takeOverIn } from '../sign-in-handover.ts';
import { sendPage, writeOnwardPage } from '../sign-in-page.ts';
import { isOfBrowser } from './browser.ts';
import type { Mapped } from './claims.ts';
import type { NameGuesses } from './name-guesses.ts';
import { type Faults, isAsked, shortestPassword, writeNewcomerPage } from './newcomer-page.ts';
import { findGroups, type NewPassword, type Settled } from './person.ts';
import { readGiven, settle } from './settle.ts';

const longestPassword = 1_024;
const longestShown = 200;

/** Where somebody new is asked. `word`: of the hand-over `asks`. */
export function newcomerPath(idpName: string, word: string): string {
  return `${loginPath}/${encodeURIComponent(idpName)}/new/${word}`;
}

/**
 * Asks somebody new, as `jit.prompt` says, before they are made. What the identity provider said of them waits in the
 * database, for the browser that began, and is taken in the transaction that makes them: after something was wrong with
 * what they typed it is still there.
 */
export function addNewcomerRoutes(
  app: FastifyInstance,
  parts: {
    store: Store;
    types: ResourceTypes;
    guesses: NameGuesses;
    passwords: PasswordKeeping;
    /** The identity provider, while people may sign in through it. Refusals of the request lead back to `asks.place`. */
    open(request: FastifyRequest, asks: Asks): Promise<Federation>;
    /** Where the browser goes on when they are known. */
    goOn(asks: Asks, federation: Federation, settled: Settled): Promise<string>;
  },
): void {
  const { store, passwords } = parts;
  const over = () => new Problem('notFound', 'This sign-in is over, or was begun in another browser.');

  const find = async (request: FastifyRequest): Promise<{ word: string; asks: Asks; federation: Federation }> => {
    const { word } = request.params as { word: string };
    const asks = await store.read((reading) => lookAt(reading, 'asks', word));
    if (!asks || !isOfBrowser(request.headers.cookie, asks.browser)) throw over();
    return { word, asks, federation: await parts.open(request, asks) };
  };

  const show = async (
    reply: FastifyReply,
    { word, asks, federation }: { word: string; asks: Asks; federation: Federation },
    typed?: { userName: string; agreed: boolean; faults: Faults; status: number },
  ): Promise<FastifyReply> => {
    const { idp, settings } = federation;
    const { mapped } = readGiven(federation, asks, parts);
    const { application, groups } = await store.read(async (reading) => ({
      application: (await readServiceProvider(reading, asks.spId)).name,
      groups: await findGroups(reading, mapped.groups ?? []),
    }));
    const page = writeNewcomerPage({
      label: idp.displayName ?? idp.name,
      application,
      address: newcomerPath(idp.name, word),
      prompt: settings.jit.prompt,
      userName: typed?.userName ?? mapped.userName,
      domain: settings.jit.domain === primaryDomain ? undefined : settings.jit.domain,
      shows: describe(
        mapped,
        groups.map(({ fullName }) => fullName),
      ),
      agreed: typed?.agreed ?? false,
      faults: typed?.faults ?? {},
    });
    return sendPage(reply.code(typed?.status ?? 200), page);
  };

  app.get(`${loginPath}/:idp/new/:word`, async (request, reply) => show(reply, await find(request)));

  app.post(`${loginPath}/:idp/new/:word`, async (request, reply) => {
    const found = await find(request);
    const { word, asks, federation } = found;
    const { prompt } = federation.settings.jit;
    const form = request.body instanceof URLSearchParams ? request.body : new URLSearchParams();
    const [userName, password] = [(form.get('userName') ?? '').trim(), form.get('password') ?? ''];
    const agreed = form.get('agree') === 'yes';
    const faults = judge({ userName, password, again: form.get('again') ?? '', agreed }, prompt);
    const again = (why: Faults, status = 400) => show(reply, found, { userName, agreed, faults: why, status });
    if (Object.keys(faults).length > 0) return again(faults);
    const choosesName = isAsked(prompt, 'userName');
    const chosen = {
      ...(choosesName ? { userName } : {}),
      ...(isAsked(prompt, 'password') ? { password: await readPassword(password) } : {}),
    };
    let settled: Settled | undefined;
    try {
      settled = await settle(store, { ...readGiven(federation, asks, parts), chosen }, async (tx) => {
        if (!(await takeOverIn(tx, 'asks', word))) throw over();
      });
    } catch (error) {
      if (!(error instanceof Problem) || error.field !== 'userName' || !choosesName) throw error;
      if (error.code === 'tooManyRequests') return again({ userName: error.message }, error.status);
      const isTaken = error.code === 'uniqueness';
      return again({ userName: isTaken ? 'Somebody here has this user name already: choose another.' : error.message });
    }
    const address = await parts.goOn(asks, federation, settled!);
    return sendPage(reply, writeOnwardPage({ title: 'One moment', says: 'You go on to the application.', address }));
  });

  app.post(`${loginPath}/:idp/new/:word/cancel`, async (request, reply) => {
    const { word, asks } = await find(request);
    await takeOver(store, 'asks', word);
    const says = 'Nothing was made. You may sign in another way.';
    return sendPage(reply, writeOnwardPage({ title: 'One moment', says, address: `${asks.place}?choose=here` }));
  });

  /** As that of any user, with what targets may get of it; hashed before the transaction. */
  async function readPassword(password: string): Promise<NewPassword> {
    const passwordHash = await preparePassword((work) => store.read(work), password);
    return { passwordHash: passwordHash!, clearPassword: { password: new Secret(password), keeping: passwords } };
  }
}

function judge(
  { userName, password, again, agreed }: { userName: string; password: string; again: string; agreed: boolean },
  prompt: JitPrompt,
): Faults {
  const faults: Faults = {};
  if (isAsked(prompt, 'userName')) {
    if (userName === '') faults.userName = 'A user name is needed.';
    else if (!isStorable(userName)) faults.userName = 'There is something in it that is no character.';
  }
  if (isAsked(prompt, 'password')) {
    if ([...password].length < shortestPassword) {
      faults.password = `It must have at least ${shortestPassword} characters.`;
    } else if (password.length > longestPassword || !isStorable(password)) {
      faults.password = `It must have at most ${longestPassword} characters, and nothing in it that is no character.`;
    } else if (password !== again) faults.again = 'This is another password than the one above: type both again.';
  }
  if (!agreed) faults.agree = 'Without this nothing is made.';
  return faults;
}

/** What will be known of them, as people say it. */
function describe({ attributes }: Mapped, groups: readonly string[]): [label: string, text: string][] {
  const name = (attributes.name ?? {}) as Record<string, unknown>;
  const parts = [name.givenName, name.familyName].filter((part) => part !== undefined).join(' ');
  const emails = ((attributes.emails ?? []) as { value?: unknown }[]).map(({ value }) => value).join(', ');
  const whole = attributes.displayName ?? name.formatted ?? parts;
  const rows: [string, unknown][] = [
    ['Name', whole],
    ['E-mail address', emails],
    ['Groups', groups.join(', ')],
  ];
  return rows.flatMap(([label, said]) => {
    const text = String(said ?? '');
    if (text === '') return [];
    return [[label, text.length > longestShown ? `${text.slice(0, longestShown)}…` : text]];
  });
}
