import { types } from '../datatypes/table.ts';
import { clockAttributes, environmentCategory } from '../identifiers.ts';
import { apply, attributeValue, designator, function1, function3, indent, type Lines } from '../write-policy.ts';
import { type Day, days } from './rows.ts';

/**
 * XACML has no day of the week, but it has all to compute it exactly: the date as text, parts of a text, and whole
 * numbers. Years begin in March here, so that the leap day is their last; the rest is how many days the years and
 * months before hold, modulo 7.
 */
export function dayOfWeekVariables(): Lines {
  const whole = (n: number) => [attributeValue('integer', String(n))];
  const reference = (id: string) => [`<VariableReference VariableId="${id}"/>`];
  const part = (from: number, to: number) =>
    apply(`${function3}integer-from-string`, [
      apply(`${function3}string-substring`, [reference('date_text'), whole(from), whole(to)]),
    ]);
  const sum = (...args: Lines[]) => apply(`${function1}integer-add`, args);
  const times = (...args: Lines[]) => apply(`${function1}integer-multiply`, args);
  const minus = (a: Lines, b: Lines) => apply(`${function1}integer-subtract`, [a, b]);
  const over = (a: Lines, b: number) => apply(`${function1}integer-divide`, [a, whole(b)]);
  const year = reference('year_from_march');
  const today = apply(`${function1}date-one-and-only`, [
    [designator(environmentCategory, clockAttributes.date, types.date.id)],
  ]);
  return [
    ['date_text', apply(`${function3}string-from-date`, [today])],
    // 1 in January and February, else 0.
    ['early', over(minus(whole(14), part(5, 7)), 12)],
    ['year_from_march', minus(part(0, 4), reference('early'))],
    ['month_from_march', minus(sum(part(5, 7), times(whole(12), reference('early'))), whole(2))],
    [
      'day_of_week',
      apply(`${function1}integer-mod`, [
        sum(
          part(8, 10),
          year,
          over(year, 4),
          minus(over(year, 400), over(year, 100)),
          over(times(whole(31), reference('month_from_march')), 12),
        ),
        whole(7),
      ]),
    ],
  ].flatMap(([id, expression]) => [
    `<VariableDefinition VariableId="${id}">`,
    ...indent(expression as Lines),
    '</VariableDefinition>',
  ]);
}

export function isOnDays(some: readonly Day[]): Lines {
  const bag = apply(
    `${function1}integer-bag`,
    some.map((day) => [attributeValue('integer', String(days.indexOf(day)))]),
  );
  return apply(`${function1}integer-is-in`, [['<VariableReference VariableId="day_of_week"/>'], bag]);
}
