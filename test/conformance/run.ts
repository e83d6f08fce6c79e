import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { judgeEntra } from './entra.ts';
import { describeConformance } from './page.ts';
import { runScim } from './scim.ts';
import { findXacmlCases, runXacmlCase } from './xacml.ts';

// `npm run conformance [-- SUITE [PATH]]`: without a name, the SCIM table. The exit code is 0 when nothing failed.

const suites: Readonly<Record<string, (path: string | undefined) => number | Promise<number>>> = {
  scim: runScim,
  entra: judgeEntra,
  xacml: runXacml,
  page() {
    process.stdout.write(describeConformance());
    return 0;
  },
};

/** Prints each failing case and a last line `xacml: PASSED/TOTAL`; the answer is the exit code. */
function runXacml(folder = join(import.meta.dirname, '../../../shared/conformance/xacml')): number {
  if (!existsSync(folder)) {
    console.error(`There is no folder ${folder}. Name the folder with the cases: run.ts xacml DIR`);
    return 2;
  }
  const cases = findXacmlCases(folder);
  let passed = 0;
  for (const one of cases) {
    const failure = runXacmlCase(one);
    if (failure === undefined) passed++;
    else console.log(`${one.id}: ${failure}`);
  }
  console.log(`xacml: ${passed}/${cases.length}`);
  return passed === cases.length && passed > 0 ? 0 : 1;
}

const [name = 'scim', path] = process.argv.slice(2);
const run = suites[name];
if (run === undefined) {
  console.error(`There is no suite "${name}". Usage: run.ts [${Object.keys(suites).join('|')} [PATH]]`);
  process.exitCode = 2;
} else process.exitCode = await run(path);
