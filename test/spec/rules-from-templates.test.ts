import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { decideProvisioning } from '../../src/rules/decide.ts';
import { fillRows } from '../../src/rules/rows/fill.ts';
import { readRows } from '../../src/rules/rows/read.ts';
import { fillTemplate } from '../../src/rules/templates/fill.ts';
import { type TemplateForm, templates } from '../../src/rules/templates/form.ts';
import { templateRows } from '../../src/rules/templates/rows.ts';
import { clock, someRequest, texts, zones } from './some-rows.ts';
import { accept, document } from './xacml-case.ts';

const someForm: fc.Arbitrary<TemplateForm> = fc
  .record({
    template: fc.constantFrom(...templates.map((one) => one.kind)),
    serviceProvider: fc.constantFrom('', 'resident', 'hr'),
    identityProvider: fc.constantFrom('', 'partner', 'travel & co'),
    roles: texts,
    claim: fc.constantFrom(
      'title',
      ' emails.value ',
      'http://wso2.org/claims/emailaddress',
      'http://wso2.org/claims/role',
    ),
    values: texts.map((values) => ['', ...values, values[0]!]),
    times: fc.tuple(clock, clock).filter(([from, to]) => full(from) !== full(to)),
    removals: fc.constantFrom('always' as const, 'as-other-operations' as const, undefined),
    description: fc.constantFrom(undefined, 'Whoever <works> here'),
  })
  .map(({ times: [from, to], removals, description, ...rest }) => ({
    policyId: 'p',
    from,
    to,
    ...rest,
    ...(removals === undefined ? {} : { removals }),
    ...(description === undefined ? {} : { description }),
  }));
const full = (time: string) => (time.length === 5 ? `${time}:00` : time);

const form = { template: 'time-and-role', policyId: 'p', roles: ['Sales'], from: '09:00', to: '17:00' } as const;

describe('a template as rows', () => {
  it('decides as its text does, whoever asks and whenever, and says the same', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(
        someForm,
        fc.array(someRequest, { minLength: 8, maxLength: 8 }),
        fc.constantFrom(...zones),
        (filled, requests, zone) => {
          const rows = templateRows(filled);
          assert.ok(rows, JSON.stringify(filled));
          assert.deepEqual(readRows(rows), rows, 'they are as they would be kept');
          const asText = accept(document(fillTemplate(filled), 'evaluated', 'it'));
          const asRows = accept(document(fillRows(rows, 'p'), 'evaluated', 'it'));
          for (const request of requests) {
            const { decidedBy, ...text } = decideProvisioning(asText, request, { zone, whenNotApplicable: 'withhold' });
            const { decidedBy: by, ...row } = decideProvisioning(asRows, request, {
              zone,
              whenNotApplicable: 'withhold',
            });
            assert.deepEqual(row, text);
            assert.equal(by?.says, decidedBy?.says);
            seen.add(`${row.decision} ${row.readsClock}`);
          }
        },
      ),
      { numRuns: 400 },
    );
    assert.deepEqual(
      [...seen].sort(),
      ['deny false', 'deny true', 'not-applicable false', 'permit false', 'permit true'],
      'every decision was met',
    );
  });

  it('is none where rows cannot say all of it', () => {
    assert.ok(templateRows(form));
    const more: Partial<TemplateForm>[] = [
      { version: '2.1' },
      { from: '09:00:00+02:00' },
      { from: '09:00:00.5' },
      { to: '09:00' },
      { roles: ['a\nb'] },
      { serviceProvider: 'a\tb' },
      { description: 'two\nlines' },
      { roles: Array.from({ length: 1_001 }, (_, n) => `role ${n}`) },
      { roles: ['x'.repeat(1_001)] },
    ];
    for (const one of more) {
      assert.ok(fillTemplate({ ...form, ...one }), 'the form is as good as any');
      assert.equal(templateRows({ ...form, ...one }), undefined, JSON.stringify(one).slice(0, 80));
    }
  });
});
