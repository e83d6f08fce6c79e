import { Button } from '@mantine/core';
import type { ReactNode } from 'react';
import { idle } from './focus.ts';

export type Column<R> = {
  head: string;
  /** Shown in place of `head`. */
  top?: ReactNode;
  cell: (row: R) => ReactNode;
  /** `wide`: left out where there is little room. */
  on?: 'wide';
  right?: true;
};

/**
 * Dense, with a head that stays. `label` says to a screen reader what is listed. Another page of a list takes another `key`,
 * so that it begins at its first row.
 */
export function Table<R>(props: {
  label: string;
  rows: readonly R[];
  columns: readonly Column<R>[];
  keyOf: (row: R) => string | number;
}) {
  const classOf = ({ on, right }: Column<R>) =>
    [on === 'wide' ? 'hide-narrow' : '', right ? 'right' : ''].join(' ').trim();
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section className="table-box" tabIndex={0} aria-label={props.label}>
      <table className="table">
        <thead>
          <tr>
            {props.columns.map((column) => (
              <th key={column.head} scope="col" className={classOf(column)}>
                {column.top ?? column.head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {props.rows.map((row) => (
            <tr key={props.keyOf(row)}>
              {props.columns.map((column) => (
                <td key={column.head} className={classOf(column)}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** `back` and `on` undefined: there is nothing in that direction. */
export function Pager(props: { says: ReactNode; back?: (() => void) | undefined; on?: (() => void) | undefined }) {
  return (
    <div className="pager">
      <span className="num" role="status">
        {props.says}
      </span>
      <span className="row">
        <Button variant="default" {...idle(!props.back)} onClick={props.back}>
          Back
        </Button>
        <Button variant="default" {...idle(!props.on)} onClick={props.on}>
          Next
        </Button>
      </span>
    </div>
  );
}

/** The way through a list on a card that is longer than a page; nothing where it is not. `after`: where the page begins. */
export function CardPager(props: {
  count: number;
  after: string | undefined;
  next: string | null;
  turn: (to: { after: string }) => unknown;
}) {
  const { count, after, next, turn } = props;
  if (next === null && after === undefined) return null;
  return (
    <div style={{ padding: '0 16px 12px' }}>
      <Pager
        says={`${count} on this page`}
        back={after === undefined ? undefined : () => history.back()}
        on={next === null ? undefined : () => turn({ after: next })}
      />
    </div>
  );
}
