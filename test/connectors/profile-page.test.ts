import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readProfilePage, writeProfilePage } from './profile-page.ts';

test('the page of the profiles says what the code says (npx node test/connectors/profile-page.ts writes it)', () => {
  const page = readProfilePage();
  assert.equal(page, writeProfilePage(page));
});
