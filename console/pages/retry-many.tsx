import { Button, Modal, Progress } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useRef, useState } from 'react';
import type { RetryAnswer } from '../../src/contract/account.ts';
import { ApiError, call, step } from '../api/client.ts';
import { useSay } from '../parts/act.tsx';
import { Icon } from '../parts/icon.tsx';
import { plural, showCount } from '../parts/words.ts';

/** Goes on until it is through or `stopped`; tells how many are done, and answers what there is to say at the end. */
type Run = (tell: (done: number) => void, stopped: () => boolean) => Promise<string>;

/** *Again now* for all accounts that are chosen so. */
export function RetryMany(props: {
  chosen: Record<string, string | undefined> & { target: string };
  count: number;
  /** Whom it concerns, as a sentence begins with it. */
  says: string;
  word?: string;
  /** They are at least so many. */
  more?: boolean;
}) {
  const { chosen, count, says, word = 'All again now', more = false } = props;
  const run: Run = async (tell, stopped) => {
    let raised = 0;
    let after: string | null | undefined;
    do {
      const query = { ...chosen, after: after ?? undefined };
      const answer: RetryAnswer = await call('POST', '/accounts/retry', { query });
      raised += answer.raised;
      after = answer.next;
      tell(raised);
    } while (after !== null && !stopped());
    return `${plural(raised, 'account')} of ${chosen.target} ${raised === 1 ? 'is' : 'are'} tried again.`;
  };
  return (
    <Retry word={word} count={count} more={more} run={run}>
      {says} becomes due at once. What the target refuses again is parked again.
    </Retry>
  );
}

export type Chosen = { target: string; subject: string };

/** *Again now* for accounts that were chosen one by one. */
export function RetryChosen({ chosen, done }: { chosen: readonly Chosen[]; done: () => void }) {
  const run: Run = async (tell, stopped) => {
    let raised = 0;
    let gone = 0;
    for (const { target, subject } of chosen) {
      if (stopped()) break;
      try {
        await call('POST', `/accounts/${step(target)}/${step(subject)}/retry`);
        raised++;
      } catch (error) {
        if (!(error instanceof ApiError) || error.status !== 404) throw error;
        gone++;
      }
      tell(raised + gone);
    }
    done();
    const rest = gone === 0 ? '' : ` ${plural(gone, 'has', 'have')} no account there any more.`;
    return `${plural(raised, 'account')} ${raised === 1 ? 'is' : 'are'} tried again.${rest}`;
  };
  return (
    <Retry word="Again now" count={chosen.length} run={run}>
      Each of them becomes due at once, whatever came of it before. What a target refuses again is parked again.
    </Retry>
  );
}

/** Counted first, with progress, and a way to stop. */
function Retry(props: { word: string; count: number; more?: boolean; run: Run; children: ReactNode }) {
  const { word, count, more = false } = props;
  const client = useQueryClient();
  const say = useSay();
  const [isOpen, setOpen] = useState(false);
  const [done, setDone] = useState<number>();
  const stop = useRef(false);
  const run = async () => {
    stop.current = false;
    let last = 0;
    const tell = (so: number) => {
      last = so;
      setDone(so);
    };
    tell(0);
    try {
      say(await props.run(tell, () => stop.current));
    } catch (error) {
      say(`${plural(last, 'account')} made due, then: ${(error as Error).message}`, 'orange');
    }
    setDone(undefined);
    setOpen(false);
    await client.invalidateQueries();
  };
  return (
    <>
      <Button variant="default" leftSection={<Icon name="retry" size={15} />} onClick={() => setOpen(true)}>
        {word}
      </Button>
      <Modal
        opened={isOpen}
        onClose={() => done === undefined && setOpen(false)}
        title={`Try ${more ? 'at least ' : ''}${plural(count, 'account')} again?`}
      >
        <div className="stack">
          <span>{props.children}</span>
          {done !== undefined && (
            <div>
              <Progress value={count === 0 ? 100 : Math.min(100, (done / count) * 100)} aria-label="How far it is" />
              <span className="muted num">
                {showCount(done)} of {showCount(count)}
              </span>
            </div>
          )}
          <div className="row" style={{ justifyContent: 'flex-end' }}>
            {done === undefined ? (
              <>
                <Button variant="default" onClick={() => setOpen(false)}>
                  Leave it
                </Button>
                <Button onClick={run}>Again now</Button>
              </>
            ) : (
              <Button variant="default" onClick={() => (stop.current = true)}>
                Stop
              </Button>
            )}
          </div>
        </div>
      </Modal>
    </>
  );
}
