import { Button, Skeleton } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useEffect } from 'react';
import { ApiError } from '../api/client.ts';
import { useHeadingFocus } from './focus.ts';
import { Icon, type IconName } from './icon.tsx';
import { sentence } from './words.ts';

export function PageHead(props: { title: string; says?: ReactNode; actions?: ReactNode; above?: [string, string] }) {
  const { title, says, actions, above } = props;
  const heading = useHeadingFocus();
  useEffect(() => {
    document.title = `${title} · Purvey`;
  }, [title]);
  return (
    <div className="page-head">
      <div className="grow">
        {above && (
          <nav className="crumbs" aria-label="Above this page">
            <Link to={above[1] as '/'}>{above[0]}</Link>
            <span aria-hidden="true">/</span>
          </nav>
        )}
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        {says && <p role="status">{says}</p>}
      </div>
      {actions && <div className="row wrap">{actions}</div>}
    </div>
  );
}

/** Keeps the layout still while something is loaded. */
export function Loading({ rows = 6 }: { rows?: number }) {
  return (
    <div className="card card-body stack" role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, n) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they are all alike
        <Skeleton key={n} height={20} width={`${92 - ((n * 17) % 40)}%`} />
      ))}
    </div>
  );
}

/** What failed, and the way to try again. */
export function Failed({ error, again }: { error: Error; again?: () => void }) {
  const isKnown = error instanceof ApiError;
  return (
    <div className="note tone-orange" role="alert">
      <Icon name="warning" />
      <div className="grow">
        <strong>{isKnown && error.status === 404 ? 'It is not there.' : 'This could not be loaded.'}</strong>
        <div>{sentence(error.message)}</div>
      </div>
      {again && (
        <Button variant="default" onClick={again}>
          Try again
        </Button>
      )}
    </div>
  );
}

/** Nothing there yet: says what it would be, and what to do next. */
export function Empty(props: { icon: IconName; title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className="empty">
      <Icon name={props.icon} size={28} />
      <h2 className="card-title">{props.title}</h2>
      {props.children && <p>{props.children}</p>}
      {props.action}
    </div>
  );
}

type Loaded<T> = { data: T | undefined; error: Error | null; refetch: () => unknown };

/**
 * What is shown in one go, so that nothing moves when the next part comes: `first` counts as loaded when all the others
 * are, or have failed.
 */
export function together<T>(
  first: Loaded<T>,
  ...others: readonly Pick<Loaded<unknown>, 'data' | 'error'>[]
): Loaded<T> {
  const isWhole = others.every(({ data, error }) => data !== undefined || error);
  return isWhole ? first : { ...first, data: undefined };
}

/** One of the three: still loading, failed, or `children` with what was loaded. */
export function Shown<T>(props: { query: Loaded<T>; rows?: number; children: (data: T) => ReactNode }) {
  const { data, error, refetch } = props.query;
  if (data !== undefined) return props.children(data);
  if (error) return <Failed error={error} again={() => void refetch()} />;
  return <Loading {...(props.rows === undefined ? {} : { rows: props.rows })} />;
}

export function Card(props: {
  title?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  bare?: boolean;
  label?: string;
}) {
  return (
    <section className="card" aria-label={props.label ?? (typeof props.title === 'string' ? props.title : undefined)}>
      {props.title && (
        <header>
          <h2 className="card-title">{props.title}</h2>
          {props.actions && <div className="row wrap">{props.actions}</div>}
        </header>
      )}
      {props.bare ? props.children : <div className="card-body">{props.children}</div>}
    </section>
  );
}

/** A section that can be folded away. */
export function Fold(props: { title: string; beside?: ReactNode; open?: boolean; children: ReactNode }) {
  return (
    <details className="card fold" open={props.open}>
      <summary>
        <Icon name="chevron" size={16} />
        <span className="grow">{props.title}</span>
        {props.beside}
      </summary>
      <div className="card-body">{props.children}</div>
    </details>
  );
}

/** Pairs of a word and its value; those without a value are left out. */
export function Facts(props: { rows: readonly (readonly [string, ReactNode])[]; pairs?: true }) {
  return (
    <dl className={props.pairs ? 'facts pairs' : 'facts'}>
      {props.rows
        .filter(([, value]) => value !== null && value !== undefined && value !== '')
        .map(([word, value]) => (
          <div key={word} style={{ display: 'contents' }}>
            <dt>{word}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}

export function Note({
  tone,
  icon,
  children,
}: {
  tone: 'blue' | 'orange' | 'grey' | 'teal';
  icon: IconName;
  children: ReactNode;
}) {
  return (
    <div className={`note tone-${tone}`}>
      <Icon name={icon} />
      <div className="grow">{children}</div>
    </div>
  );
}
