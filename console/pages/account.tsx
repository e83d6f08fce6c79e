import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import type { AccountDetail } from '../../src/contract/account.ts';
import { call, step } from '../api/client.ts';
import { accountQuery, previewQuery } from '../api/queries.ts';
import { Act } from '../parts/act.tsx';
import { Code } from '../parts/code.tsx';
import { Card, Facts, Fold, PageHead, Shown } from '../parts/page.tsx';
import { For } from '../parts/role.tsx';
import { StateTag, stateOf } from '../parts/state.tsx';
import { SubjectLink, TargetLink } from '../parts/subject.tsx';
import { Decide } from './decide.tsx';
import { Walk } from './walk.tsx';

/** Where one subject stands at one target, and every step that led there. */
export function AccountPage() {
  const { target, subject } = useParams({ from: '/accounts/$target/$subject' });
  const account = useQuery(accountQuery(target, subject));
  const preview = useQuery(previewQuery(target, subject));
  const { data } = account;
  const kind = data?.subject.kind ?? 'user';
  return (
    <>
      <PageHead
        title={data ? `${data.subject.name} at ${data.target}` : target}
        says={data && <StateTag state={stateOf(data)} />}
        above={[data?.subject.name ?? 'Users', `/${kind}s/${step(subject)}`]}
        actions={
          data && (
            <For need="operate">
              <Act
                word="Again now"
                icon="retry"
                variant={data.state === 'parked' && !data.left && !data.conflict?.adoptable ? 'filled' : 'default'}
                act={() => call('POST', `/accounts/${step(target)}/${step(subject)}/retry`)}
                stale={['account', 'accounts', 'subject', 'status', 'causes']}
                says={`${data.subject.name} is tried again at ${data.target} now.`}
              />
            </For>
          )
        }
      />
      <Shown query={account}>
        {(found) => (
          <div className="stack">
            <Decide account={found} />
            <Card label="The walk">
              <Walk account={found} preview={preview.data} trouble={preview.error} />
            </Card>
            <About account={found} />
            {found.acknowledged && (
              <Fold title="What the target last acknowledged">
                <Code text={JSON.stringify(found.acknowledged)} label="What the target last acknowledged" />
              </Fold>
            )}
          </div>
        )}
      </Shown>
    </>
  );
}

function About({ account }: { account: AccountDetail }) {
  return (
    <Card title="The account">
      <Facts
        rows={[
          ['Who', <SubjectLink key="who" subject={account.subject} />],
          ['Target', <TargetLink key="target" target={account.target} />],
          ['Remote id', account.remoteId && <span className="mono">{account.remoteId}</span>],
          [
            'Origin',
            account.origin && { created: 'made by Purvey', adopted: 'was there before, taken over' }[account.origin],
          ],
          ['Let in by', account.serviceProvider],
          [
            'In doubt',
            account.inDoubt
              ? 'The last request had no believable answer; it is found out before anything else is sent'
              : null,
          ],
          ['Tries', account.tries > 0 ? account.tries : null],
          ['Waits for', account.waitsFor && <SubjectLink key="waits" subject={account.waitsFor} />],
          ['Password', account.passwordDue ? 'A new one is still to be sent' : account.passwordNote],
          [
            'Deliveries',
            <Link
              key="all"
              to="/deliveries"
              search={{
                target: account.target,
                subject: account.subject.id,
                outcome: undefined,
                text: undefined,
                after: undefined,
              }}
            >
              All of this account
            </Link>,
          ],
        ]}
      />
    </Card>
  );
}
