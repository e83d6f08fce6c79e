import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import type { StatusAnswer, TargetStatus } from '../../src/contract/status.ts';
import { causesQuery, changesQuery, statusQuery } from '../api/queries.ts';
import { Causes } from '../frame/causes.tsx';
import { healthOf, isBehind, StateBar, toLookAt } from '../parts/health.tsx';
import { Icon } from '../parts/icon.tsx';
import { Card, PageHead, Shown, together } from '../parts/page.tsx';
import { StateTag } from '../parts/state.tsx';
import { SubjectLink } from '../parts/subject.tsx';
import { Ago } from '../parts/time.tsx';
import { doorWord, plural, showCount, showSpan } from '../parts/words.ts';
import { Guide } from './guide.tsx';
import { Throughput } from './throughput.tsx';
import { Troubles } from './troubles.tsx';

export function HomePage() {
  const status = useQuery(statusQuery);
  const all = together(status, useQuery(causesQuery), useQuery(changesQuery({ limit: 8 })));
  return (
    <>
      <PageHead title="Home" says="Is everybody where they should be?" />
      <Shown query={all} rows={16}>
        {(data) => <Answers status={data} />}
      </Shown>
    </>
  );
}

function Answers({ status }: { status: StatusAnswer }) {
  const { targets } = status;
  const { span } = useSearch({ from: '/' });
  const navigate = useNavigate();
  const parked = targets.reduce((sum, target) => sum + toLookAt(target), 0);
  const left = targets.reduce((sum, target) => sum + target.left, 0);
  const behind = targets.filter(isBehind);
  const pending = targets.reduce((sum, target) => sum + target.pending, 0);
  const worst = targets.toSorted((a, b) => toLookAt(b) - toLookAt(a))[0];
  return (
    <div className="stack">
      <div className="answers">
        <Link
          className="answer"
          to={parked > 0 && worst ? '/targets/$target' : '/deliveries'}
          params={{ target: worst?.name ?? '' }}
          search={parked > 0 ? { state: 'parked' } : {}}
        >
          <span className="question">
            <Icon name="pause" size={16} />
            Is anything parked?
          </span>
          <span className={`figure ${parked > 0 ? 'text-orange' : 'text-teal'}`}>
            {parked > 0 ? showCount(parked) : 'Nothing'}
          </span>
          <span className="muted">
            {parked > 0 ? `${plural(parked, 'account')} to look at` : 'No account waits for a person'}
            {left > 0 && `, ${showCount(left)} left parked`}
          </span>
        </Link>
        <Link
          className="answer"
          to={behind[0] ? '/targets/$target' : '/deliveries'}
          params={{ target: behind[0]?.name ?? '' }}
        >
          <span className="question">
            <Icon name="hourglass" size={16} />
            Is any target behind?
          </span>
          <span className={`figure ${behind.length > 0 ? 'text-orange' : 'text-teal'}`}>
            {behind.length > 0 ? (
              <>
                {showCount(behind.length)} <span className="unit">of {showCount(targets.length)}</span>
              </>
            ) : (
              'None'
            )}
          </span>
          <span className="muted">
            {pending > 0 ? `${plural(pending, 'account')} still to be delivered` : 'Everything is delivered'}
          </span>
        </Link>
        <Latest />
      </div>
      <Guide status={status} />
      <Causes targets={targets} />
      <Troubles />
      <div className="home-main">
        <section aria-label="Targets" id="targets" className="stack">
          {/* Where there is none the first steps say how one comes to be. */}
          {targets.length > 0 && (
            <div className="tiles">
              {targets.map((target) => (
                <Tile key={target.id} target={target} />
              ))}
            </div>
          )}
          {targets.length > 0 && (
            <Throughput
              span={span ?? 'hour'}
              show={(wanted) =>
                void navigate({ to: '/', search: { span: wanted === 'day' ? 'day' : undefined }, resetScroll: false })
              }
            />
          )}
        </section>
        <Recent />
      </div>
    </div>
  );
}

function Latest() {
  const { data } = useQuery(changesQuery({ limit: 8 }));
  const last = data?.items.at(-1);
  return (
    <Link className="answer" to="/changes">
      <span className="question">
        <Icon name="changes" size={16} />
        What changed lately?
      </span>
      <span className="figure">{last ? <Ago time={last.at} /> : 'Nothing yet'}</span>
      <span className="muted">
        {last ? `${last.subject.name}, by ${last.actor}` : 'The log begins with the first person'}
      </span>
    </Link>
  );
}

function Tile({ target }: { target: TargetStatus }) {
  return (
    <article className="card tile" aria-label={target.name}>
      <div className="row apart">
        <h3>
          <Link to="/targets/$target" params={{ target: target.name }}>
            {target.name}
          </Link>
        </h3>
        <StateTag state={healthOf(target)} />
      </div>
      <StateBar target={target} />
      <div className="tile-figures">
        <Figure value={showCount(target.accounts)} word="accounts" />
        <Figure value={showCount(target.pending)} word="to deliver" />
        <Figure value={showCount(toLookAt(target))} word="parked" />
      </div>
      <span className="muted small">{sayings(target).join('. ')}</span>
    </article>
  );
}

/** How fast it goes, how long it takes still, and what holds it. */
function sayings(target: TargetStatus): string[] {
  const { oldestPendingMs, perSecond, secondsLeft, held, pending, boundBy, waves } = target;
  const kinds = held.filter((lane) => !lane.throttled).map((lane) => `${lane.kind}s`);
  const wave = waves.find((one) => one.state === 'running');
  const said = [
    ...(kinds.length > 0 ? [`Held: no ${kinds.join(', no ')}, but one at a time to see whether it works again`] : []),
    ...(perSecond === null ? [] : [`${showCount(perSecond)} a second`]),
    ...(secondsLeft === null ? [] : [`about ${showSpan(secondsLeft * 1_000)} left`]),
    ...(pending > 0 && oldestPendingMs !== null ? [`The longest waits ${showSpan(oldestPendingMs)}`] : []),
    ...(wave ? [`Looks through ${showCount(wave.seen)} of ${showCount(wave.total)}`] : []),
  ];
  return said.length > 0 ? said : [`Bound by ${boundBy.join(', ') || 'nobody yet'}`];
}

function Figure({ value, word }: { value: string; word: string }) {
  return (
    <div>
      <div className="value">{value}</div>
      <div className="word">{word}</div>
    </div>
  );
}

function Recent() {
  const { data } = useQuery(changesQuery({ limit: 8 }));
  const items = data?.items.toReversed() ?? [];
  if (items.length === 0) return null;
  return (
    <Card title="Latest changes" actions={<Link to="/changes">All changes</Link>} bare>
      <ol className="lately">
        {items.map((change) => (
          <li key={change.seq}>
            <span className="clip">
              <SubjectLink subject={change.subject} />
              {change.other && (
                <>
                  {' '}
                  <span className="muted">member</span> <SubjectLink subject={change.other} />
                </>
              )}
            </span>
            <Ago time={change.at} />
            <span className="muted small">
              by {change.actor}, through {doorWord(change.door)}
            </span>
          </li>
        ))}
      </ol>
    </Card>
  );
}
