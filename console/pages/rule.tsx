import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import type { RulePolicyAnswer } from '../../src/contract/policy.ts';
import { call, step } from '../api/client.ts';
import { policiesQuery } from '../api/queries.ts';
import { Act } from '../parts/act.tsx';
import { saveFile } from '../parts/files.ts';
import { Icon, type IconName } from '../parts/icon.tsx';
import { Card, Empty, Loading, PageHead, Shown } from '../parts/page.tsx';
import { For, useMay } from '../parts/role.tsx';
import { StateTag } from '../parts/state.tsx';
import { Ago } from '../parts/time.tsx';
import { RuleEditor } from './rule-editor.tsx';
import type { RuleSearch } from './rule-search.ts';

/** A new policy: how it is made is chosen first. */
export function AddRulePage() {
  const search = useSearch({ from: '/rules/add' });
  const { administer } = useMay();
  const navigate = useNavigate();
  const turn = (change: RuleSearch, replace = false) =>
    void navigate({ to: '/rules/add', search: { ...search, ...change }, replace });
  return (
    <>
      <PageHead
        title="Add policy"
        above={['Rules', '/rules']}
        says="It is tried before it is saved, and nothing is sent by trying."
      />
      {!administer ? (
        <Card>
          <Empty icon="rules" title="Administrators add policies">
            What is there can be read and tried by everybody who may sign in.
          </Empty>
        </Card>
      ) : search.view === undefined ? (
        <Ways />
      ) : (
        <RuleEditor search={search} turn={turn} />
      )}
    </>
  );
}

const ways: readonly { view: RuleSearch['view']; icon: IconName; word: string; says: string }[] = [
  {
    view: 'rows',
    icon: 'changes',
    word: 'From rows',
    says: 'Who, where, which operation and when, chosen from lists. The first row that applies decides. Good for nearly everything.',
  },
  {
    view: 'template',
    icon: 'copy',
    word: 'From a template',
    says: 'One of five ready-made policies, by role, attribute or time of day, filled in from a form. It opens as rows.',
  },
  {
    view: 'text',
    icon: 'rules',
    word: 'As text',
    says: 'XACML 3.0, for what rows cannot say, or to paste what another server had.',
  },
];

function Ways() {
  return (
    <ul className="ways">
      {ways.map(({ view, icon, word, says }) => (
        <li key={word}>
          <Link to="/rules/add" search={{ view }} className="answer">
            <span className="row">
              <Icon name={icon} />
              <strong>{word}</strong>
            </span>
            <span className="muted">{says}</span>
          </Link>
        </li>
      ))}
    </ul>
  );
}

export function RulePage() {
  const { id } = useParams({ from: '/rules/$id' });
  const search = useSearch({ from: '/rules/$id' });
  const navigate = useNavigate();
  const query = useQuery(policiesQuery);
  const policy = query.data?.items.find((one) => one.name.toLowerCase() === id.toLowerCase() || String(one.id) === id);
  const turn = (change: RuleSearch, replace = false) =>
    void navigate({ to: '/rules/$id', params: { id }, search: { ...search, ...change }, replace });
  return (
    <>
      <PageHead
        title={policy?.name ?? id}
        above={['Rules', '/rules']}
        says={policy && <Standing policy={policy} />}
        actions={policy && <Actions policy={policy} />}
      />
      <Shown query={query}>
        {() =>
          policy ? (
            <RuleEditor key={policy.id} policy={policy} search={search} turn={turn} />
          ) : query.isFetching ? (
            // It may have been added a moment ago.
            <Loading />
          ) : (
            <Card>
              <Empty icon="rules" title={`There is no policy ${id}`} />
            </Card>
          )
        }
      </Shown>
    </>
  );
}

function Standing({ policy }: { policy: RulePolicyAnswer }) {
  return (
    <>
      {policy.enabled ? 'In force' : <StateTag state="off" />}
      {policy.use === 'referenced' && ', only where others refer to it'} · version {policy.version} ·{' '}
      <Ago time={policy.modifiedAt} /> by {policy.modifiedBy}
    </>
  );
}

export function switching(policy: Pick<RulePolicyAnswer, 'id' | 'name' | 'enabled'>) {
  const word = policy.enabled ? 'Switch off' : 'Switch on';
  return {
    word,
    act: () => call('PATCH', `/policies/${step(policy.id)}`, { body: { enabled: !policy.enabled } }),
    stale: ['policies', 'status', 'account'],
    says: `${policy.name} is ${policy.enabled ? 'off' : 'in force'}.`,
    confirm: {
      title: `${word} ${policy.name}?`,
      says: 'Accounts of bindings with Enable Rules are asked about again, and sent what they may have now.',
    },
  };
}

function Actions({ policy }: { policy: RulePolicyAnswer }) {
  const navigate = useNavigate();
  return (
    <>
      <Button
        variant="default"
        leftSection={<Icon name="download" size={15} />}
        onClick={() => saveFile(`${policy.name}.xml`, policy.document, 'application/xml')}
      >
        Export
      </Button>
      <For need="administer">
        <Act {...switching(policy)} />
        <Act
          word="Remove"
          icon="trash"
          act={() => call('DELETE', `/policies/${step(policy.id)}`)}
          stale={['policies', 'status']}
          says={`${policy.name} is removed; its versions are kept.`}
          done={() => void navigate({ to: '/rules', ignoreBlocker: true })}
          confirm={{ title: `Remove ${policy.name}?`, says: 'It is asked no more. What it was before is kept.' }}
        />
      </For>
    </>
  );
}
