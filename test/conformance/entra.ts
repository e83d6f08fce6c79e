import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { startWholeServer } from '../whole-server.ts';
import { entraExceptions } from './entra-exceptions.ts';

const require = createRequire(import.meta.url);

/** Where the collection is, when it is there; it is no part of the project. */
export const entraCollection = join(import.meta.dirname, '../../../shared/conformance/entra/PostmanCollection.json');

export const hasEntraCollection = (): boolean => existsSync(entraCollection);

export type EntraRequest = {
  /** `Folder / Request`, with a number where the folder has several of one name. */
  name: string;
  status: number | undefined;
  /** The assertions that did not hold, and errors of sending or of the collection's scripts. */
  failures: string[];
};

/** Runs the collection against a SCIM base such as `http://127.0.0.1:9080/scim2`. */
export async function runEntra(collection: string, base: string, token: string): Promise<EntraRequest[]> {
  // Loaded here: it takes a second, and without the collection nobody needs it.
  const newman = require('newman') as Newman;
  const { protocol, hostname, port, pathname } = new URL(base);
  const values = {
    Protocol: protocol.slice(0, -1),
    Server: hostname,
    Port: `:${port}`,
    Api: pathname.slice(1),
    ownToken: token,
  };
  const asked = JSON.parse(readFileSync(collection, 'utf8'));
  // Its first request fetches a token in a way of its own; with ours the others can be asked all the same.
  const script = { type: 'text/javascript', exec: ["pm.environment.set('token', pm.environment.get('ownToken'));"] };
  asked.event = [...(asked.event ?? []), { listen: 'prerequest', script }];
  const summary = await new Promise<Summary>((resolve, reject) => {
    const environment = { values: Object.entries(values).map(([key, value]) => ({ key, value, enabled: true })) };
    newman.run({ collection: asked, environment, reporters: [] }, (error, result) =>
      error ? reject(error) : resolve(result),
    );
  });
  const seen = new Map<string, number>();
  return summary.run.executions.map(({ item, response, assertions = [], requestError }) => {
    const folder = item.parent()?.name;
    const plain = `${folder && folder !== 'SCIM Tests' ? `${folder} / ` : ''}${item.name}`;
    const times = (seen.get(plain) ?? 0) + 1;
    seen.set(plain, times);
    const failures = assertions.flatMap(({ assertion, error }) => (error ? [`${assertion}: ${error.message}`] : []));
    if (requestError) failures.push(requestError.message);
    // Some of its requests ask for nothing; they have to be done all the same.
    if (assertions.length === 0 && !(response && response.code < 400)) failures.push(`answered ${response?.code}`);
    return { name: times === 1 ? plain : `${plain} (${times})`, status: response?.code, failures };
  });
}

type Newman = { run(options: object, done: (error: Error | null, summary: Summary) => void): void };
type Summary = {
  run: {
    executions: {
      item: { name: string; parent(): { name?: string } | undefined };
      response?: { code: number };
      assertions?: { assertion: string; error?: { message: string } }[];
      requestError?: Error;
    }[];
  };
};

/**
 * Runs the collection against a server of its own; prints what failed, and why where that has to be so, and a last line
 * with the counts. What passes and should not counts as failed.
 */
export async function judgeEntra(collection = entraCollection): Promise<number> {
  if (!existsSync(collection)) {
    console.error(`There is no collection at ${collection}. Name one: run.ts entra FILE`);
    return 2;
  }
  await using server = await startWholeServer();
  const requests = await runEntra(collection, `${server.url}/scim2`, server.token);
  let wrong = 0;
  for (const { name, failures } of requests) {
    const exception = entraExceptions[name];
    if (failures.length > 0) console.log(`${exception ? 'as it should' : 'FAILED'}: ${name}: ${failures.join('; ')}`);
    if (exception && failures.length > 0) console.log(`  ${exception.section}: ${exception.reason}`);
    if (exception && failures.length === 0) console.log(`FAILED: ${name} passes, and is listed as one that cannot`);
    if ((exception !== undefined) !== failures.length > 0) wrong++;
  }
  const excepted = Object.keys(entraExceptions).length;
  console.log(
    `entra: ${requests.filter(({ failures }) => failures.length === 0).length} passed, ${excepted} fail as they have to, ${wrong} failed`,
  );
  return wrong === 0 && requests.length > 0 ? 0 : 1;
}
