import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { describeConformance } from './page.ts';

it('docs/conformance.md is what npm run conformance -- page prints', () => {
  const written = readFileSync(join(import.meta.dirname, '../../docs/conformance.md'), 'utf8');
  assert.equal(written, describeConformance(), 'npm run -s conformance -- page > docs/conformance.md');
});
