import { Problem } from '../../base/problem.ts';
import { findRowFaults } from '../rows/check.ts';
import { readRows } from '../rows/read.ts';
import type { PolicyRows, Row } from '../rows/rows.ts';
import { type TemplateForm, templates } from './form.ts';

/**
 * The rows that decide exactly as what `fillTemplate` writes of the form; undefined when rows cannot say it: a version of
 * its own, a time with a zone or fractions of a second, a value with a line break. Of a form that `fillTemplate` takes.
 */
export function templateRows(form: TemplateForm): PolicyRows | undefined {
  if ((form.version ?? '1.0') !== '1.0') return undefined;
  try {
    const rows = readRows({
      description: form.description,
      where: {
        identityProviders: listed(form.identityProvider),
        serviceProviders: listed(form.serviceProvider),
      },
      removals: form.removals ?? 'always',
      list: [rowOf(form)],
      otherwise: 'withhold',
    });
    return findRowFaults(rows).length === 0 ? rows : undefined;
  } catch (error) {
    if (error instanceof Problem) return undefined;
    throw error;
  }
}

const listed = (text: string | undefined) => (text === undefined || text === '' ? [] : [text]);

/** Whom the form lets through. */
export function rowOf(form: TemplateForm): Row {
  const fields: readonly string[] = templates.find((one) => one.kind === form.template)?.fields ?? [];
  const given = (values: readonly string[] = []) => [...new Set(values)].filter((value) => value !== '');
  const who = [
    ...(fields.includes('roles') ? [{ about: 'group', is: 'one-of', values: given(form.roles) } as const] : []),
    ...(fields.includes('claim')
      ? [{ about: 'attribute', attribute: form.claim?.trim() ?? '', is: 'one-of', values: given(form.values) } as const]
      : []),
  ];
  const when = fields.includes('from') ? { from: form.from?.trim() ?? '', to: form.to?.trim() ?? '' } : undefined;
  return { effect: 'let-through', ...(who.length > 0 ? { who } : {}), ...(when ? { when } : {}) };
}
