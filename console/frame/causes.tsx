import { Link } from '@tanstack/react-router';
import type { BannerAnswer, TargetStatus } from '../../src/contract/status.ts';
import { Icon } from '../parts/icon.tsx';
import { Ago } from '../parts/time.tsx';
import { plural } from '../parts/words.ts';

/** Why targets get nothing, once for each cause, with the fix where one is known. `isAlone`: on the target's own page. */
export function Causes({ targets, isAlone = false }: { targets: readonly TargetStatus[]; isAlone?: boolean }) {
  const all = targets.flatMap((target) => target.banners.map((banner) => ({ target, banner })));
  if (all.length === 0) return null;
  const waiting = all.reduce((sum, { banner }) => sum + banner.waiting, 0);
  return (
    <section className="stack tight" aria-label="Causes">
      <h2 className="card-title">
        {plural(waiting, 'account waits', 'accounts wait')}, {plural(all.length, 'cause')}
      </h2>
      {all.map(({ target, banner }) => (
        <Banner
          key={`${target.id} ${banner.kinds.join()} ${banner.reason}`}
          target={target}
          banner={banner}
          isAlone={isAlone}
        />
      ))}
    </section>
  );
}

/** Another sentence follows. */
const whole = (reason: string) => (/[.!?]$/.test(reason) ? reason : `${reason}.`);

function Banner(props: { target: TargetStatus; banner: BannerAnswer; isAlone: boolean }) {
  const { target, banner, isAlone } = props;
  const { fix } = banner;
  return (
    <div className={`note ${banner.throttled ? 'tone-blue' : 'tone-orange'}`}>
      <Icon name={banner.throttled ? 'clock' : 'warning'} />
      <div className="grow">
        <strong>{target.name}</strong> gets no {banner.kinds.map((kind) => `${kind}s`).join(' and no ')}:{' '}
        {whole(banner.reason)}
        <div>
          It began <Ago time={banner.since} />; {plural(banner.waiting, 'account waits', 'accounts wait')} behind it.
          {banner.nextTryAt && (
            <>
              {' '}
              Next try <Ago time={banner.nextTryAt} />.
            </>
          )}
          {fix && ` ${fix}`}
        </div>
      </div>
      {isAlone ? (
        <Link to="/identity-providers/$id" params={{ id: target.name.slice(0, target.name.lastIndexOf(':')) }}>
          Connector settings
        </Link>
      ) : (
        <Link to="/targets/$target" params={{ target: target.name }}>
          Look<span className="unseen"> at {target.name}</span>
        </Link>
      )}
    </div>
  );
}
