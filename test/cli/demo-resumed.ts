import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { planChanges } from '../../src/cli/demo/changes.ts';
import { readCompany } from '../../src/cli/demo/people.ts';
import type { DemoBed, Summary } from './demo-process.ts';

export const people = 150;
const company = readCompany(people);
const { leavers } = planChanges(company);
const groups = company.groups.length;

/** How many users a server has that runs at the moment; 0 while it does not answer. */
async function countUsers(bed: DemoBed, name: 'acme' | 'partner'): Promise<number> {
  try {
    const { ports } = JSON.parse(readFileSync(join(bed.folder, 'demo.json'), 'utf8'));
    const token = readFileSync(join(bed.folder, name, 'admin-token'), 'utf8').trim();
    const response = await fetch(`http://127.0.0.1:${ports[name]}/api/status`, {
      headers: { authorization: `Bearer ${token}` },
    });
    return ((await response.json()) as { users: number }).users;
  } catch {
    return 0;
  }
}

export async function waitForUsers(
  bed: DemoBed,
  name: 'acme' | 'partner',
  wanted: (count: number) => boolean,
): Promise<void> {
  for (const since = performance.now(); !wanted(await countUsers(bed, name)); await sleep(5)) {
    if (performance.now() - since > 30_000) throw new Error(`the users at ${name} do not come along`);
  }
}

/** `--resume` ends well: nothing lost, nothing made twice: not even something that was made twice and then removed again. */
export async function assertResumes(bed: DemoBed): Promise<void> {
  const { code, stdout, stderr } = await bed.run('--resume', '--once').ended;
  assert.equal(code, 0, `${stdout}${stderr}`);
  const { seconds: _, ...counts } = JSON.parse(stdout) as Summary;
  const accounts = people - leavers.length + groups;
  assert.deepEqual(counts, {
    users: people - leavers.length,
    groups,
    accounts,
    done: accounts,
    pending: 0,
    parked: 0,
    differences: 0,
  });
  const subjects = {
    'user live': people - leavers.length,
    'user gone': leavers.length,
    'group live': groups,
  };
  assert.deepEqual(bed.countSubjects('acme'), subjects);
  assert.deepEqual(bed.countSubjects('partner'), subjects);
}
