import { posix } from 'node:path';

/** A file of the repository, as the rules see it. `path` is relative to the root, with slashes. */
export type SourceFile = { path: string; text: string };

type Import = { from: string; kind: 'type' | 'value'; names: string };

/**
 * Which room may import which (`design.md` section 2: contract below, implementations above it, list on top; type
 * imports count). A path names a room or a single file of it. Every room may import itself; `src/contract` nothing.
 */
const mayImport: Record<string, readonly string[]> = {
  'src/base': [],
  'src/contract': [],
  'src/config.ts': ['src/base'],
  'src/store': ['src/base'],
  'src/outbound': ['src/base'],
  'src/mapping': ['src/base'],
  'src/protocol': ['src/base'],
  'src/connectors': ['src/outbound', 'src/protocol', 'src/base', 'src/mapping/rows.ts'],
  'src/rules': ['src/protocol', 'src/base'],
  'src/directory': ['src/store', 'src/protocol', 'src/base'],
  'src/provisioning': [
    'src/directory',
    'src/rules',
    'src/mapping',
    'src/connectors/connector.ts',
    'src/outbound',
    'src/protocol',
    'src/store',
    'src/base',
  ],
  'src/inbound': [
    'src/provisioning',
    'src/directory',
    'src/rules',
    'src/mapping',
    'src/connectors/connector.ts',
    'src/protocol',
    'src/outbound',
    'src/store',
    'src/contract',
    'src/base',
  ],
  'src/main.ts': [
    'src/inbound',
    'src/provisioning',
    'src/directory',
    'src/rules',
    'src/connectors',
    'src/mapping',
    'src/protocol',
    'src/outbound',
    'src/store',
    'src/contract',
    'src/config.ts',
    'src/base',
  ],
  'src/cli': ['src/main.ts', 'src/config.ts', 'src/store', 'src/contract', 'src/base'],
};

/** Floors on which single files, not whole rooms, are let in. */
const onlyFrom: readonly { target: string; files: readonly string[]; room: string }[] = [
  {
    room: 'src/cli',
    target: 'src/main.ts',
    files: ['src/cli/serve.ts', 'src/cli/admin.ts', 'src/cli/demo.ts', 'src/cli/demo/'],
  },
  { room: 'src/cli', target: 'src/store', files: ['src/cli/migrate.ts', 'src/cli/demo/server.ts'] },
];

const isInside = (path: string, place: string) => path === place || path.startsWith(`${place.replace(/\/$/, '')}/`);

/** The room of a file: `src/base`, `src/main.ts` …; undefined for what is not a room of the house. */
export function roomOf(path: string): string | undefined {
  return Object.keys(mayImport).find((room) => isInside(path, room));
}

/** What a file imports or re-exports, static and dynamic; local ones as paths from the root. */
export function importsOf({ path, text }: SourceFile): Import[] {
  const found: Import[] = [];
  const add = (specifier: string, kind: Import['kind'], names = '*') => {
    const from = specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : specifier;
    found.push({ from, kind, names });
  };
  const statements = /^[ \t]*(?:import|export)\b([^'"`;=]*?)\bfrom\s*['"]([^'"]+)['"]/gm;
  for (const [, clause, from] of text.matchAll(statements)) {
    add(from!, /^\s*type\b/.test(clause!) ? 'type' : 'value', clause!.trim());
  }
  for (const [, from] of text.matchAll(/^[ \t]*import\s*['"]([^'"]+)['"]/gm)) add(from!, 'value');
  for (const [, from] of text.matchAll(/\b(?:import|require)\(\s*['"]([^'"]+)['"]/g)) add(from!, 'value');
  return found;
}

/** The text without comment lines, for rules about what code does. */
export function codeOf({ text }: SourceFile): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, '')).replace(/(^|\s)\/\/.*$/gm, '$1');
}

/** Imports against the direction of the house. */
export function findWrongImports(files: readonly SourceFile[]): string[] {
  const wrong: string[] = [];
  for (const file of files) {
    if (!file.path.startsWith('src/')) continue;
    const room = roomOf(file.path);
    if (room === undefined) {
      wrong.push(`${file.path} is in no room of the house`);
      continue;
    }
    for (const { from } of importsOf(file)) {
      if (!from.startsWith('src/')) {
        if (from.startsWith('..')) wrong.push(`${file.path} imports ${from}, outside the repository`);
        else if (/^(test|bench|examples|console)\//.test(from)) wrong.push(`${file.path} imports ${from}, outside src`);
        continue;
      }
      if (isInside(from, room)) {
        const why = doorsApart(file.path, from);
        if (why) wrong.push(why);
        continue;
      }
      if (!mayImport[room]!.some((place) => isInside(from, place))) {
        wrong.push(`${file.path} imports ${from}: ${room} may not`);
      }
      const gate = onlyFrom.find((each) => each.room === room && isInside(from, each.target));
      if (gate && !gate.files.some((each) => isInside(file.path, each))) {
        wrong.push(`${file.path} imports ${from}: only ${gate.files.join(', ')} may`);
      }
    }
  }
  return wrong;
}

const consolePackages =
  /^(react|react-dom|@mantine\/(core|hooks)|@tanstack\/react-(query|router)|codemirror|@codemirror\/(lang-xml|language|lint|state|view)|@lezer\/highlight|eventsource|uplot|vite)$/;
/** What builds the console runs on Node, and is no part of it. */
const consoleBuild = ['console/build.ts', 'console/bundle.ts'];

/** The console knows the contract by its types alone, a few packages, and one place that calls the server. */
export function findConsoleTrespasses(files: readonly SourceFile[]): string[] {
  const wrong: string[] = [];
  for (const file of files) {
    if (!file.path.startsWith('console/') || !isScript(file.path) || consoleBuild.includes(file.path)) continue;
    for (const { from, kind } of importsOf(file)) {
      const say = (why: string) => wrong.push(`${file.path} imports ${from}: ${why}`);
      if (from.startsWith('src/contract/')) {
        if (kind !== 'type') say('of the contract the console takes types only');
      } else if (/^(src|test|bench)\//.test(from) || from.startsWith('..')) {
        say('the console knows nothing of this repository but src/contract');
      } else if (!from.startsWith('console/')) {
        const bare = from.replace(/^((?:@[^/]+\/)?[^/]+).*$/, '$1');
        if (!consolePackages.test(bare)) say('it is not one of the packages of the console');
      }
    }
    const code = codeOf(file);
    if (/(?<![.\w])fetch\s*\(|new (WebSocket|EventSource|XMLHttpRequest)\b/.test(code)) {
      if (file.path !== 'console/api/client.ts')
        wrong.push(`${file.path} calls the server by itself: only console/api/client.ts does`);
    }
    if (/dangerouslySetInnerHTML|\.innerHTML\b|\beval\s*\(/.test(code))
      wrong.push(`${file.path} makes markup or code of text`);
  }
  return wrong;
}

/** What several folders of a room are built on. */
const foundations = ['src/connectors/scim'];

/** Doors never import one another; neither do connectors. What all share lies in the room itself. */
function doorsApart(path: string, from: string): string | undefined {
  for (const room of ['src/inbound', 'src/connectors']) {
    if (!isInside(path, room)) continue;
    const folder = (each: string) => {
      const parts = each.slice(room.length + 1).split('/');
      return parts.length > 1 ? parts[0] : undefined;
    };
    const [own, other] = [folder(path), folder(from)];
    if (foundations.includes(`${room}/${other}`)) continue;
    if (own && other && own !== other) return `${path} imports ${from}: the folders of ${room} do not know one another`;
  }
  return undefined;
}

/** Import circles between files, each once, as `a -> b -> a`. */
export function findCircles(files: readonly SourceFile[]): string[] {
  const known = new Set(files.map((file) => file.path));
  const edges = new Map(
    files.map((file) => [file.path, importsOf(file).flatMap(({ from }) => (known.has(from) ? [from] : []))]),
  );
  const circles = new Set<string>();
  const finished = new Set<string>();
  const trail: string[] = [];
  const walk = (path: string) => {
    const at = trail.indexOf(path);
    if (at >= 0) {
      circles.add([...trail.slice(at), path].join(' -> '));
      return;
    }
    if (finished.has(path)) return;
    trail.push(path);
    for (const next of edges.get(path)!) walk(next);
    trail.pop();
    finished.add(path);
  };
  for (const path of edges.keys()) walk(path);
  return [...circles];
}

const drivers = ['pg', 'node:sqlite', 'better-sqlite3', 'sqlite3', 'postgres'];
const waysOut = [
  'undici',
  'node:http',
  'node:https',
  'node:http2',
  'node:net',
  'node:tls',
  'node:dgram',
  'axios',
  'got',
];

/** What `node:net` knows about addresses without talking to anybody. */
const addressNames = /^(type )?\{(\s*(type )?(isIP|isIPv4|isIPv6|BlockList|SocketAddress),?)+\s*\}$/;

/** Packages and globals that only one room may touch. */
export function findTrespasses(files: readonly SourceFile[]): string[] {
  const wrong: string[] = [];
  for (const file of files) {
    if (!file.path.startsWith('src/')) continue;
    const room = roomOf(file.path);
    const serves = room === 'src/inbound' || room === 'src/main.ts';
    for (const { from, kind, names } of importsOf(file)) {
      const say = (why: string) => wrong.push(`${file.path} imports ${from}: ${why}`);
      const bare = from.replace(/^((?:@[^/]+\/)?[^/]+).*$/, '$1');
      if (drivers.includes(bare) && room !== 'src/store') say('only src/store talks to a database driver');
      const pure = from === 'node:net' && addressNames.test(names);
      if (waysOut.includes(bare) && room !== 'src/outbound' && !pure && !(serves && kind === 'type')) {
        say('only src/outbound talks to other servers');
      }
      if (/^(fastify|@fastify\/)/.test(from) && !serves) say('only the doors and main know the HTTP server');
      if (/^(commander|cli-progress)$/.test(bare) && room !== 'src/cli') say('only src/cli knows the terminal');
      if (room === 'src/contract' && !from.startsWith('src/') && bare !== 'typebox') say('contract knows typebox only');
    }
    const code = codeOf(file);
    if (/\bprocess\s*\.\s*env\b|\bprocess\s*\[\s*['"]env|\benv\b[^;]*\bfrom ['"]node:process/.test(code)) {
      if (room !== 'src/config.ts') wrong.push(`${file.path} reads the environment: only src/config.ts does`);
    }
    if (/(?<![.\w])(fetch\s*\(|globalThis\.fetch\b|new (WebSocket|EventSource|XMLHttpRequest)\b)/.test(code)) {
      if (room !== 'src/outbound' && room !== 'src/cli') {
        wrong.push(`${file.path} calls out by itself: only src/outbound (and the command line's client) may`);
      }
    }
  }
  return wrong;
}

const vagueNames = ['util', 'utils', 'helper', 'helpers', 'common', 'lib', 'misc', 'type', 'types', 'interface'];
vagueNames.push('interfaces', 'manager', 'managers', 'service', 'services');

/** Names that say nothing about what lies inside. */
export function findVagueNames(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => path.split('/').some((part) => vagueNames.includes(part.replace(/\..*$/, '').toLowerCase())))
    .map(({ path }) => `${path} has a name that says nothing`);
}

const isScript = (path: string) => /\.(ts|tsx|mts|mjs|js)$/.test(path);
const longest = 500;

export function findLongFiles(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) => {
    const lines = text.split('\n').length - 1;
    return isScript(path) && lines > longest ? [`${path} has ${lines} lines: split it by meaning at ${longest}`] : [];
  });
}

export function findDefaultExports(files: readonly SourceFile[]): string[] {
  return files
    .filter((file) => isScript(file.path) && /^export\s+default\b|^export\b[^;]*\bas\s+default\b/m.test(codeOf(file)))
    .map(({ path }) => `${path} has a default export`);
}

/** State that lives as long as the module: two servers in one process would share it. */
export function findModuleState(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => {
    if (!file.path.startsWith('src/') || !isScript(file.path)) return [];
    const code = codeOf(file);
    const empty =
      /^(?:export )?const (\w+)[^=\n]*= (?:new (?:Map|Set|WeakMap|WeakSet)(?:<.*>)?\(\)|\[\]|\{\}|Object\.create\(null\));/gm;
    const filled = [...code.matchAll(empty)].filter(([, name]) =>
      new RegExp(`\\b${name}(\\.(set|add|push|unshift|splice)\\(|\\[[^\\]]*\\] (\\?\\?)?= )`).test(code),
    );
    const changing = code.match(/^(?:export )?(?:let|var) .*/m);
    return [...(changing ? [changing] : []), ...filled].map((state) => `${file.path} has module state: ${state[0]}`);
  });
}

// Written so that this file does not hold what it forbids.
const strangeWords: readonly [RegExp, string][] = [
  [/(?<![\w.])\/(?:wor[k]|roo[t]|home\/\w+|User[s]\/\w+)\/[\w.]/, 'a path of one machine'],
  [/\/tm[p]\/brief/, 'a path of one machine'],
  [/registry\.(?:npmj[s]|yarnpk[g])\.|npm\.pk[g]\./, 'a package registry'],
  [/\b(?:A[I]|LL[M]|GP[T]-?\d?)\b|\b(?:assistan[t]|co-?pilo[t]|chatbo[t])s?\b/, 'a word that has no place here'],
];

export function findStrangeWords(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) =>
    strangeWords.flatMap(([pattern, what]) => {
      const found = pattern.exec(text);
      if (!found) return [];
      const line = text.slice(0, found.index).split('\n').length;
      return [`${path}:${line} holds ${what}: ${found[0]}`];
    }),
  );
}

/** The lock file must not say from which registry it was made. */
export function findRegistryUrls(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path, text }) => /(^|\/)package-lock\.json$/.test(path) && /"resolved":\s*"(?:https?:|git)/.test(text))
    .map(({ path }) => `${path} has resolved URLs (.npmrc should say omit-lockfile-registry-resolved=true)`);
}
