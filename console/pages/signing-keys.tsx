import { useQuery } from '@tanstack/react-query';
import type { OAuthKeyAnswer, OAuthKeyList } from '../../src/contract/oauth-client.ts';
import { call } from '../api/client.ts';
import { oauthKeysQuery } from '../api/queries.ts';
import { Act } from '../parts/act.tsx';
import { Card, Shown } from '../parts/page.tsx';
import { For } from '../parts/role.tsx';
import { Table } from '../parts/table.tsx';
import { Ago } from '../parts/time.tsx';

const standings: Record<OAuthKeyAnswer['state'], string> = {
  coming: 'coming: published, and signs nothing yet',
  signs: 'signs',
  leaving: 'leaving: what it signed is good still',
};

/** The keys that tokens are signed with, which take turns. */
export function SigningKeys() {
  const query = useQuery(oauthKeysQuery);
  return (
    <Card title="OAuth signing keys">
      <div className="stack">
        <Shown query={query} rows={2}>
          {({ items }) => (
            <>
              <Table
                label="OAuth signing keys"
                rows={items}
                keyOf={(row) => row.kid}
                columns={[
                  { head: 'Key', cell: (row) => <span className="mono">{row.kid}</span> },
                  { head: 'State', cell: (row) => standings[row.state] },
                  { head: 'Signs from', on: 'wide', cell: (row) => <Ago time={row.signsFrom} /> },
                  {
                    head: 'Published until',
                    on: 'wide',
                    cell: (row) =>
                      row.publishedUntil ? (
                        <Ago time={row.publishedUntil} />
                      ) : (
                        <span className="muted">another takes its place</span>
                      ),
                  },
                ]}
              />
              <For need="administer">
                <div>
                  <Rotate isComing={items.some(({ state }) => state === 'coming')} />
                </div>
              </For>
            </>
          )}
        </Shown>
      </div>
    </Card>
  );
}

function Rotate({ isComing }: { isComing: boolean }) {
  return (
    <div className="row wrap">
      <Act
        word="Rotate now"
        icon="retry"
        disabled={isComing}
        act={() => call<OAuthKeyList>('POST', '/oauth/keys/rotate')}
        stale={['oauth-keys']}
        says="The new key is published. It signs in a minute."
        confirm={{
          title: 'Make a new signing key?',
          says: (
            <>
              <p>It is published at once, and signs after a minute, on every server. No server is restarted.</p>
              <p>
                ID tokens that were signed before stay good until they end: the key that signed them is published for 61
                minutes more. Nobody is signed out, and access and refresh tokens go on: those are not signed.
              </p>
            </>
          ),
        }}
      />
      {isComing && <span className="muted">The next one can be made when the one that is coming signs.</span>}
    </div>
  );
}
