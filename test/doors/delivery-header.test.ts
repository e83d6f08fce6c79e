import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { describeDeliveries, failureOfDeliveries, readPreferredWait } from '../../src/inbound/delivery.ts';
import type { Delivery } from '../../src/provisioning/wait.ts';

const delivery = (target: string, more: Partial<Delivery> = {}): Delivery => ({
  targetId: 1,
  target,
  onFailure: 'fail',
  outcome: 'pending',
  reason: null,
  ...more,
});

describe('the header Purvey-Delivery', () => {
  const texts: [what: string, reason: string, written: string][] = [
    ['quotes and backslashes', 'say "no" \\ never', 'reason="say \\"no\\" \\\\ never"'],
    ['line ends', 'first\r\nSet-Cookie: a=b', 'reason="first Set-Cookie: a=b"'],
    ['other letters', 'für 100%', 'reason=%"f%c3%bcr 100%25"'],
    ['half a surrogate pair', 'a\ud800', 'reason=%"a%ef%bf%bd"'],
    ['control characters', 'a\u0007"', 'reason=%"a%07%22"'],
  ];
  for (const [what, reason, written] of texts) {
    it(`writes ${what} so that any HTTP library takes it`, () => {
      assert.equal(describeDeliveries([delivery('p:SCIM2', { reason })]), `"p:SCIM2";outcome=pending;${written}`);
    });
  }

  it('writes names that are not ASCII', () => {
    assert.equal(describeDeliveries([delivery('zoë:SCIM2', { outcome: 'done' })]), '%"zo%c3%ab:SCIM2";outcome=done');
  });

  for (const count of [1, 3, 20, 100, 1_000]) {
    it(`stays below 4,096 characters with ${count} targets that say much`, () => {
      const reason = '"€'.repeat(5_000);
      const header = describeDeliveries(
        Array.from({ length: count }, (_, n) => delivery(`identity provider ${n}:SCIM2`, { reason })),
      );
      assert.ok(header.length <= 4_096, `${header.length}`);
      assert.match(header, /^[\x20-\x7e]+$/);
      const named = header.match(/outcome=pending/g)!.length;
      const left = Number(/and-more;count=(\d+)$/.exec(header)?.[1] ?? 0);
      assert.equal(named + left, count);
    });
  }
});

describe('a request that fails although its change is stored', () => {
  it('fails for bindings that say so and targets that have a say', () => {
    const fails = (...all: Delivery[]) => failureOfDeliveries(all)?.status;
    assert.equal(fails(delivery('a', { outcome: 'done' }), delivery('b', { outcome: 'none' })), undefined);
    assert.equal(fails(delivery('a', { onFailure: 'report', outcome: 'parked' })), undefined);
    assert.equal(fails(delivery('a'), delivery('b', { onFailure: 'report', outcome: 'parked' })), 504);
    assert.equal(fails(delivery('a'), delivery('b', { outcome: 'parked' })), 502);
    assert.equal(fails(delivery('a', { outcome: 'withheld' })), 502);
  });

  it('names those that failed, a few of many', () => {
    const { detail } = failureOfDeliveries(Array.from({ length: 12 }, (_, n) => delivery(`t${n}:SCIM2`)))!;
    assert.match(detail, /^The change is stored here\. t0:SCIM2 does not have it yet\./);
    assert.match(detail, /t4:SCIM2 .* And 7 more targets\. .*delivery goes on by itself\.$/);
  });
});

describe('Prefer: wait', () => {
  const headers: [header: string | undefined, ms: number | undefined][] = [
    [undefined, undefined],
    ['wait=0', 0],
    ['respond-async, wait=5', 5_000],
    ['Wait="3"; x=y, return=minimal', 3_000],
    ['wait=soon', undefined],
    ['await=3', undefined],
    ['wait=-1', undefined],
  ];
  for (const [header, ms] of headers) {
    it(`${header} is ${ms}`, () => assert.equal(readPreferredWait(header), ms));
  }
});
