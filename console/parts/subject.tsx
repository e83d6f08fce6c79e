import { Link } from '@tanstack/react-router';
import type { SubjectRef } from '../../src/contract/page.ts';
import type { Kind } from '../api/queries.ts';
import { quote } from './words.ts';

/** By the beginning of a name: what the directory has an index for. Undefined: everybody. */
export function nameFilter(kind: Kind, text: string): string | undefined {
  if (text === '') return undefined;
  return kind === 'user'
    ? `userName sw ${quote(text)} or displayName sw ${quote(text)}`
    : `displayName sw ${quote(text)}`;
}

export function SubjectLink({ subject }: { subject: SubjectRef }) {
  if (subject.life === 'gone' && subject.name === subject.id) return <span className="mono muted">{subject.id}</span>;
  const to = subject.kind === 'user' ? '/users/$id' : '/groups/$id';
  return (
    <Link to={to} params={{ id: subject.id }}>
      {subject.name}
      {subject.life === 'gone' && <span className="muted"> (deleted)</span>}
    </Link>
  );
}

export function TargetLink({ target }: { target: string }) {
  return (
    <Link to="/targets/$target" params={{ target }}>
      {target}
    </Link>
  );
}
