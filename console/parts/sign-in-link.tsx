import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { FederationAnswer } from '../../src/contract/federation.ts';
import type { SignInLinkAnswer } from '../../src/contract/sign-in-link.ts';
import { call, step } from '../api/client.ts';
import { federationQuery } from '../api/queries.ts';
import { Act } from './act.tsx';
import { Shown } from './page.tsx';
import type { Column } from './table.tsx';
import { Ago } from './time.tsx';

/** What lists of sign-in links have in common, on a user's page and on that of an identity provider. */

const rules = {
  jit: 'made just in time',
  prompt: 'made just in time, when asked',
  verifiedEmail: 'found by the verified address',
};

const none = <span className="muted">–</span>;
const labelOf = ({ identityProvider: { displayName, name } }: SignInLinkAnswer) => displayName ?? name;

/** Of one that counts for nothing now: why. */
export function WhyNot({ link: { works, whyNot, ended } }: { link: SignInLinkAnswer }) {
  if (works) return null;
  return (
    <div className="muted small" style={{ maxWidth: 280 }}>
      {ended ? (
        <>
          unlinked by {ended.by}, <Ago time={ended.at} />
        </>
      ) : (
        `does not work: ${whyNot}`
      )}
    </div>
  );
}

export const providerColumn: Column<SignInLinkAnswer> = {
  head: 'Identity provider',
  cell: (row) => (
    <>
      <div className="clip">
        <Link to="/identity-providers/$id" params={{ id: row.identityProvider.name }}>
          {labelOf(row)}
        </Link>
      </div>
      <WhyNot link={row} />
    </>
  ),
};

export const linkColumns: readonly Column<SignInLinkAnswer>[] = [
  {
    head: 'Is there',
    cell: (row) => (
      <div className="mono clip" style={{ maxWidth: 240 }} title={`${row.subject} of ${row.issuer}`}>
        {row.subject}
      </div>
    ),
  },
  {
    head: 'How',
    on: 'wide',
    cell: (row) => {
      if (row.rule === null) return none;
      const how = row.rule === 'hand' ? `by hand, ${row.by}` : rules[row.rule];
      return (
        <div className="clip" style={{ maxWidth: 200 }} title={how}>
          {how}
        </div>
      );
    },
  },
  { head: 'Linked', on: 'wide', cell: (row) => <Ago time={row.linkedAt} /> },
  {
    head: 'Last came',
    on: 'wide',
    cell: (row) => (row.lastSignInAt === null ? none : <Ago time={row.lastSignInAt} />),
  },
];

export const unlinkColumn: Column<SignInLinkAnswer> = {
  head: 'Unlink',
  right: true,
  cell: (row) => (row.ended ? none : <Unlink link={row} />),
};

function Unlink({ link }: { link: SignInLinkAnswer }) {
  const { user, subject } = link;
  return (
    <Act
      word="Unlink"
      variant="subtle"
      act={() => call('DELETE', `/users/${step(user.id)}/links/${link.id}`)}
      stale={['sign-in-links']}
      says={`${user.name} is not ${subject} of ${labelOf(link)} any more.`}
      confirm={{ title: `Unlink ${user.name} from ${labelOf(link)}?`, says: <WhatNext link={link} /> }}
    />
  );
}

/** What becomes of whoever comes by it next, as it is set now. */
function WhatNext({ link }: { link: SignInLinkAnswer }) {
  const query = useQuery(federationQuery(link.identityProvider.id));
  return (
    <div className="stack">
      <Shown query={query} rows={2}>
        {(federation) => (
          <div>
            Whoever comes next as <span className="mono">{link.subject}</span> is unknown.{' '}
            {foresee(federation, link.user.name)}
          </div>
        )}
      </Shown>
      <div>
        Sessions and tokens that are there go on until they end, and groups stay. To keep {link.user.name} out, disable
        the user.
      </div>
    </div>
  );
}

function foresee({ linkBy, jit }: FederationAnswer, name: string): string {
  const parts = [
    linkBy === 'verifiedEmail' ? `They are linked to ${name} again if their verified address is that of ${name}.` : '',
    jit.enabled
      ? `${linkBy === 'none' ? 'S' : 'Else s'}omebody new is made${jit.prompt === 'silent' ? '' : ', after they were asked'}; with a user name that somebody has they are refused.`
      : `${linkBy === 'none' ? 'T' : 'Else t'}hey are refused, until they are linked again.`,
  ];
  return parts.join(' ').trim();
}
