import assert from 'node:assert/strict';
import { it } from 'node:test';
import { startWholeServer } from '../whole-server.ts';

// A file of its own: the library is loaded with the first request of a process.
it('the authorization server prints nothing on the console, which is for the log', async (test) => {
  const methods = (['debug', 'error', 'info', 'log', 'warn'] as const).map((name) => test.mock.method(console, name));
  await using server = await startWholeServer();
  const answer = await fetch(`${server.url}/oauth2/.well-known/openid-configuration`);
  assert.equal(answer.status, 200);
  assert.deepEqual(
    methods.flatMap(({ mock }) => mock.calls.map((call) => call.arguments)),
    [],
  );
});
