import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { findXacmlCases, runXacmlCase } from '../conformance/xacml.ts';

const folder = join(import.meta.dirname, '../../../shared/conformance/xacml');
const absent = existsSync(folder) ? false : `there are no cases at ${folder}`;
if (absent) console.log(`skipped: ${absent}`);

describe('XACML 3.0 conformance cases', { skip: absent }, () => {
  it('are all answered as expected', () => {
    const cases = findXacmlCases(folder);
    assert.ok(cases.length > 300, `only ${cases.length} cases were found`);
    const failures = cases.flatMap((one) => {
      const failure = runXacmlCase(one);
      return failure === undefined ? [] : [`${one.id}: ${failure}`];
    });
    assert.deepEqual(failures, []);
  });
});
