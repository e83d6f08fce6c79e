import type { Offer } from '../../src/contract/wave.ts';
import { call } from '../api/client.ts';
import { Act } from '../parts/act.tsx';
import { Note } from '../parts/page.tsx';
import { plural } from '../parts/words.ts';

export function whoOf({ missing: { users, groups, more } }: Offer): string {
  const parts = [...(users > 0 ? [plural(users, 'user')] : []), ...(groups > 0 ? [plural(groups, 'group')] : [])];
  return `${more ? 'at least ' : ''}${parts.join(' and ')}`;
}

/** Who is let in lets future changes through; whoever is here already is sent only when that is asked for. */
export function Offers({ offers, done }: { offers: readonly Offer[]; done: (offer: Offer) => void }) {
  return offers.map((offer) => <OfferNote key={offer.targetId} offer={offer} done={() => done(offer)} />);
}

function OfferNote({ offer, done }: { offer: Offer; done: () => void }) {
  const { users, groups } = offer.missing;
  const who = whoOf(offer);
  return (
    <div style={{ marginTop: 16 }}>
      <Note tone="blue" icon="users">
        <div className="row wrap apart">
          <span>
            {who.charAt(0).toUpperCase() + who.slice(1)} of this directory {users + groups === 1 ? 'is' : 'are'} not at{' '}
            {offer.target}. From now on changes go there; whoever does not change is sent by a sync.
          </span>
          <span className="row">
            <Act
              word={`Send ${who}`}
              icon="arrow"
              act={() => call('POST', `/targets/${offer.targetId}/sync`)}
              stale={['status', 'sync', 'accounts']}
              says={`They are being sent to ${offer.target}.`}
              done={done}
            />
          </span>
        </div>
      </Note>
    </div>
  );
}
