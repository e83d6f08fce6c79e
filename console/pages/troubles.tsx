import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { CauseAnswer } from '../../src/contract/cause.ts';
import { causesQuery } from '../api/queries.ts';
import { Icon } from '../parts/icon.tsx';
import { Card } from '../parts/page.tsx';
import { For } from '../parts/role.tsx';
import { TargetLink } from '../parts/subject.tsx';
import { Ago } from '../parts/time.tsx';
import { plural, sentence, showCount } from '../parts/words.ts';
import { RetryMany } from './retry-many.tsx';

const shown = 8;
/** Of what happened at about the same time one moment is enough. */
const aWhileMs = 60_000;

/** Accounts that are parked or fail, once for each cause. Nothing where there are none. `target`: only those there. */
export function Troubles({ target }: { target?: string }) {
  const { data } = useQuery(causesQuery);
  const items = (data?.items ?? []).filter((one) => target === undefined || one.target === target);
  if (!data || items.length === 0) return null;
  const accounts = target === undefined ? data.accounts : items.reduce((sum, one) => sum + countOf(one), 0);
  const causes = target === undefined ? data.causes : items.length;
  const rest = causes - Math.min(items.length, shown);
  return (
    <Card
      bare
      label="Failures by cause"
      title={`${data.more ? 'At least ' : ''}${plural(accounts, 'failure')}, ${plural(causes, 'cause')}`}
    >
      <ul className="troubles">
        {items.slice(0, shown).map((one) => (
          <Trouble key={`${one.targetId} ${one.key}`} trouble={one} more={data.more} isAlone={target !== undefined} />
        ))}
      </ul>
      {rest > 0 && <p className="muted card-body">{plural(rest, 'smaller cause')} besides.</p>}
    </Card>
  );
}

const countOf = ({ parked, failing }: CauseAnswer) => parked + failing;

function Trouble({ trouble, more, isAlone }: { trouble: CauseAnswer; more: boolean; isAlone: boolean }) {
  const { target, key, cause, parked, failing, since, latest, example, fix } = trouble;
  const count = countOf(trouble);
  const states = [
    ...(parked > 0 ? [`${showCount(parked)} parked`] : []),
    ...(failing > 0 ? [`${showCount(failing)} tried again`] : []),
  ];
  return (
    <li>
      <span className={`dot ${parked > 0 ? 'tone-orange' : 'tone-blue'}`}>
        <Icon name={parked > 0 ? 'pause' : 'clock'} size={14} />
      </span>
      <div className="grow">
        <div>
          {!isAlone && (
            <>
              <TargetLink target={target} />:{' '}
            </>
          )}
          <span className="cause">{isAlone ? sentence(cause) : cause}</span>
        </div>
        <div className="muted small">
          {states.join(', ')}
          {since && (
            <>
              , the first <Ago time={since} />
              {latest && Date.parse(latest) - Date.parse(since) > aWhileMs && (
                <>
                  , last <Ago time={latest} />
                </>
              )}
            </>
          )}
          , such as{' '}
          <Link to="/accounts/$target/$subject" params={{ target, subject: example.subject.id }}>
            {example.subject.name}
          </Link>
          .{fix && ` ${fix}`}
        </div>
      </div>
      <div className="row">
        <Link to="/targets/$target" params={{ target }} search={{ cause: key }}>
          {count === 1 ? 'Show it' : `Show all ${showCount(count)}`}
          <span className="unseen"> of this cause: {cause}</span>
        </Link>
        <For need="operate">
          <RetryMany
            chosen={{ target, cause: key }}
            count={count}
            more={more}
            word="Again now"
            says={`Every account of ${target} that is in trouble by this cause`}
          />
        </For>
      </div>
    </li>
  );
}
