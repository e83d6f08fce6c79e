import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, test } from 'node:test';
import {
  findCircles,
  findConsoleTrespasses,
  findDefaultExports,
  findLongFiles,
  findModuleState,
  findRegistryUrls,
  findStrangeWords,
  findTrespasses,
  findVagueNames,
  findWrongImports,
  type SourceFile,
} from './house.ts';

const root = resolve(import.meta.dirname, '../..');

const repository: readonly SourceFile[] = globSync('**/*', { cwd: root, exclude: leaveOut, withFileTypes: true })
  .filter((entry) => entry.isFile() && isText(entry.name))
  .map((entry) => join(entry.parentPath, entry.name))
  .concat([join(root, '.ci/run'), join(root, '.npmrc')])
  .map((file) => ({ path: file.slice(root.length + 1), text: readFileSync(file, 'utf8') }));

function leaveOut(entry: { name: string }): boolean {
  return ['node_modules', '.git', 'dist', 'data', '.data'].includes(entry.name);
}

function isText(name: string): boolean {
  return /\.(ts|tsx|mts|mjs|js|md|json|yaml|yml|csv|css|html|sh|xml|txt)$/.test(name);
}

const file = (path: string, text: string): SourceFile => ({ path, text });

type Rule = {
  name: string;
  find: (files: readonly SourceFile[]) => string[];
  /** Each is wrong by itself. */
  bad: readonly SourceFile[][];
  good: readonly SourceFile[];
};

const rules: readonly Rule[] = [
  {
    name: 'imports go down only',
    find: findWrongImports,
    bad: [
      [file('src/base/a.ts', `import { b } from '../store/b.ts';`)],
      [file('src/base/a.ts', `import type { B } from '../store/b.ts';`)],
      [file('src/store/a.ts', `export { b } from '../directory/b.ts';`)],
      [file('src/store/a.ts', `import {\n  b,\n  type C,\n} from '../directory/b.ts';`)],
      [file('src/directory/a.ts', `import { deliver } from '../provisioning/deliver.ts';`)],
      [file('src/directory/a.ts', `const late = await import('../provisioning/deliver.ts');`)],
      [file('src/rules/a.ts', `import { x } from '../store/store.ts';`)],
      [file('src/connectors/x/a.ts', `import { x } from '../../mapping/apply.ts';`)],
      [file('src/provisioning/a.ts', `import { x } from '../connectors/scim2/connector.ts';`)],
      [file('src/inbound/scim/a.ts', `import { x } from '../../connectors/index.ts';`)],
      [file('src/inbound/scim/a.ts', `import { x } from '../admin/b.ts';`)],
      [file('src/connectors/scim2/a.ts', `import { x } from '../spml/b.ts';`)],
      [file('src/connectors/scim/a.ts', `import { x } from '../scim2/b.ts';`)],
      [file('src/contract/a.ts', `import { x } from '../base/problem.ts';`)],
      [file('src/inbound/door.ts', `import { x } from '../main.ts';`)],
      [file('src/main.ts', `import { x } from './cli/serve.ts';`)],
      [file('src/cli/users.ts', `import { x } from '../main.ts';`)],
      [file('src/cli/serve.ts', `import { x } from '../store/open.ts';`)],
      [file('src/cli/users.ts', `import { x } from '../directory/users.ts';`)],
      [file('src/main.ts', `import { x } from '../test/clock.ts';`)],
      [file('src/main.ts', `import { x } from '../../elsewhere/x.ts';`)],
      [file('src/attic/a.ts', ``)],
    ],
    good: [
      file('src/connectors/scim2/a.ts', `import type { Row } from '../../mapping/rows.ts';`),
      file('src/connectors/index.ts', `import { scim2 } from './scim2/connector.ts';`),
      file('src/connectors/scim2/b.ts', `import { x } from '../scim/wire.ts';`),
      file('src/inbound/scim/users.ts', `import { openDoor } from '../door.ts';`),
      file('src/provisioning/a.ts', `import { parseFilter } from '../protocol/scim/filter.ts';`),
      file('src/cli/serve.ts', `import { startPurvey } from '../main.ts';`),
      file('src/cli/migrate.ts', `import { openStore } from '../store/open.ts';`),
    ],
  },
  {
    name: 'the console knows the contract, its packages and one way to the server',
    find: findConsoleTrespasses,
    bad: [
      [file('console/pages/a.tsx', `import { x } from '../../src/base/problem.ts';`)],
      [file('console/pages/a.tsx', `import { operations } from '../../src/contract/operations.ts';`)],
      [file('console/pages/a.tsx', `import { readFileSync } from 'node:fs';`)],
      [file('console/pages/a.tsx', `import { Type } from 'typebox';`)],
      [file('console/pages/a.tsx', `const answer = await fetch('/api/status');`)],
      [file('console/pages/a.tsx', `const events = new EventSource('/api/events');`)],
      [file('console/pages/a.tsx', `const b = <p dangerouslySetInnerHTML={{ __html: text }} />;`)],
    ],
    good: [
      file('console/pages/a.tsx', `import type { StatusAnswer } from '../../src/contract/status.ts';`),
      file('console/pages/b.tsx', `import { Button } from '@mantine/core';\nimport '../theme/console.css';`),
      file('console/api/client.ts', `const response = await fetch(where);`),
      file('console/bundle.ts', `import { globSync } from 'node:fs';`),
    ],
  },
  {
    name: 'no import circle',
    find: findCircles,
    bad: [
      [file('src/base/a.ts', `import './b.ts';`), file('src/base/b.ts', `import type { A } from './a.ts';`)],
      [file('src/base/a.ts', `import './a.ts';`)],
      [
        file('src/base/a.ts', `import './b.ts';`),
        file('src/base/b.ts', `export * from './c.ts';`),
        file('src/base/c.ts', `import type { A } from './a.ts';`),
      ],
    ],
    good: [
      file('src/base/a.ts', `import './b.ts';\nimport './c.ts';`),
      file('src/base/b.ts', `import './c.ts';`),
      file('src/base/c.ts', ''),
    ],
  },
  {
    name: 'drivers, ways out and the environment belong to one room each',
    find: findTrespasses,
    bad: [
      [file('src/directory/a.ts', `import pg from 'pg';`)],
      [file('src/main.ts', `import type { DatabaseSync } from 'node:sqlite';`)],
      [file('src/connectors/x/a.ts', `import { request } from 'undici';`)],
      [file('src/inbound/a.ts', `import { request } from 'node:https';`)],
      [file('src/rules/a.ts', `import { connect, isIP } from 'node:net';`)],
      [file('src/provisioning/a.ts', `const answer = await fetch(url);`)],
      [file('src/provisioning/a.ts', `const answer = await globalThis.fetch(url);`)],
      [file('src/store/a.ts', `const url = process.env.DATABASE_URL;`)],
      [file('src/store/a.ts', `const url = process['env'].DATABASE_URL;`)],
      [file('src/store/a.ts', `import { env } from 'node:process';`)],
      [file('src/provisioning/a.ts', `import type { FastifyInstance } from 'fastify';`)],
      [file('src/contract/a.ts', `import { z } from 'zod';`)],
      [file('src/store/a.ts', `import { Command } from 'commander';`)],
    ],
    good: [
      file('src/store/a.ts', `import pg from 'pg';`),
      file('src/config.ts', `const url = process.env.DATABASE_URL;`),
      file('src/outbound/a.ts', `import { request } from 'undici';`),
      file('src/cli/client.ts', `const answer = await fetch(url);`),
      file('src/rules/a.ts', `import { BlockList, isIPv4 } from 'node:net';`),
      file('src/inbound/a.ts', `import type { IncomingMessage } from 'node:http';`),
      file('src/provisioning/a.ts', `// never fetch(x) here, nor process.env\nawait cache.fetch(x);`),
    ],
  },
  {
    name: 'names say what lies inside',
    find: findVagueNames,
    bad: ['src/base/utils.ts', 'src/lib/a.ts', 'test/helpers/a.ts', 'src/store/types.ts', 'src/x/Manager.ts'].map(
      (path) => [file(path, '')],
    ),
    good: [file('src/provisioning/service-providers.ts', ''), file('src/rules/datatypes/table.ts', '')],
  },
  {
    name: 'no file is longer than 500 lines',
    find: findLongFiles,
    bad: [[file('src/base/a.ts', 'x\n'.repeat(501))], [file('test/a.test.ts', 'x\n'.repeat(501))]],
    good: [file('src/base/a.ts', 'x\n'.repeat(500)), file('examples/a.csv', 'x\n'.repeat(1000))],
  },
  {
    name: 'no default export',
    find: findDefaultExports,
    bad: [
      [file('src/base/a.ts', `export default function a() {}`)],
      [file('src/base/a.ts', `export { a as default };`)],
    ],
    good: [file('src/base/a.ts', `// export default is not used\nexport function a() {}`)],
  },
  {
    name: 'no module has state',
    find: findModuleState,
    bad: [
      [file('src/base/a.ts', `let count = 0;`)],
      [file('src/base/a.ts', `const cache = new Map<string, string>();\nfunction f() {\n  cache.set('a', 'b');\n}`)],
      [file('src/base/a.ts', `export const seen: string[] = [];\nfunction f() {\n  seen.push('a');\n}`)],
    ],
    good: [
      file(
        'src/base/a.ts',
        `const table = new Map([['a', 1]]);\nconst none: string[] = [];\nfunction f() {\n  let count = 0;\n}`,
      ),
    ],
  },
  {
    name: 'nothing names one machine, one registry or one tool',
    find: findStrangeWords,
    bad: [
      [file('docs/a.md', ['', 'work', 'main', 'x.ts'].join('/'))],
      [file('docs/a.md', `see (${['', 'root', 'x'].join('/')})`)],
      [file('docs/a.md', ['https://registry', 'npmjs', 'org'].join('.'))],
      [file('docs/a.md', `written by an ${'A'}${'I'}`)],
      [file('docs/a.md', `an assis${'tant'} wrote it`)],
    ],
    good: [file('docs/a.md', 'work/main, ./data, /scim2/Users, https://example.com/root/x, MAIN, AIX')],
  },
  {
    name: 'the lock file names no registry',
    find: findRegistryUrls,
    bad: [[file('package-lock.json', `"resolved": "https://example.org/a.tgz"`)]],
    good: [file('package-lock.json', `"integrity": "sha512-x"`)],
  },
];

describe('the house', () => {
  test('the files are there to be judged', () => {
    for (const path of ['package.json', 'package-lock.json', 'src/store/store.ts', 'test/structure/house.ts']) {
      assert.ok(
        repository.some((each) => each.path === path),
        `${path} was not read`,
      );
    }
  });

  for (const rule of rules) {
    test(rule.name, () => assert.deepEqual(rule.find(repository), []));
    test(`${rule.name}: the rule can fail`, () => {
      for (const bad of rule.bad) {
        assert.notDeepEqual(
          rule.find(bad),
          [],
          `not seen: ${bad.map((each) => `${each.path}: ${each.text}`).join('\n')}`,
        );
      }
      assert.deepEqual(rule.find(rule.good), []);
    });
  }
});
