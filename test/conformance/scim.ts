import { openSession } from '../spec/scim/client.ts';
import { describeVerdict, judgeRow, type Verdict } from '../spec/scim/judge.ts';
import type { Version } from '../spec/scim/row.ts';
import { table } from '../spec/scim/table.ts';
import { startWholeServer } from '../whole-server.ts';

const versions: readonly Version[] = ['2.0', '1.1'];

/**
 * Asks a server of its own every row of the SCIM table and prints each section, what failed, a count for each version
 * and a last line `N passed, M failed`. The answer is the exit code.
 */
export async function runScim(): Promise<number> {
  await using server = await startWholeServer();
  const session = openSession(server.peer);
  const verdicts: Verdict[] = [];
  for (const row of table) verdicts.push(await judgeRow(session, row));
  for (const [section, there] of Map.groupBy(verdicts, ({ row }) => `${row.document} ${row.section}`)) {
    const [passed, failed] = count(there);
    console.log(`${section.padEnd(20)} ${failed === 0 ? 'pass' : 'FAIL'}  ${passed} passed, ${failed} failed`);
    for (const verdict of there) if (verdict.failure !== undefined) console.log(describeVerdict(verdict));
  }
  console.log('');
  for (const version of versions) {
    const [passed, failed] = count(verdicts.filter(({ row }) => row.version === version));
    console.log(`SCIM ${version}: ${passed} passed, ${failed} failed`);
  }
  const [passed, failed] = count(verdicts);
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0 ? 0 : 1;
}

function count(verdicts: readonly Verdict[]): [passed: number, failed: number] {
  const failed = verdicts.filter(({ failure }) => failure !== undefined).length;
  return [verdicts.length - failed, failed];
}
