import { Button, Modal, Progress } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import type { RetryAnswer } from '../../src/contract/account.ts';
import { call } from '../api/client.ts';
import { useSay } from '../parts/act.tsx';
import { Icon } from '../parts/icon.tsx';
import { plural, showCount } from '../parts/words.ts';

/** *Again now* for all accounts that are chosen so: counted first, with progress, and a way to stop. */
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
  const { target } = chosen;
  const client = useQueryClient();
  const say = useSay();
  const [isOpen, setOpen] = useState(false);
  const [done, setDone] = useState<number>();
  const stop = useRef(false);
  const run = async () => {
    stop.current = false;
    let raised = 0;
    let after: string | null | undefined;
    setDone(0);
    try {
      do {
        const query = { ...chosen, after: after ?? undefined };
        const answer: RetryAnswer = await call('POST', '/accounts/retry', { query });
        raised += answer.raised;
        after = answer.next;
        setDone(raised);
      } while (after !== null && !stop.current);
      say(`${plural(raised, 'account')} of ${target} ${raised === 1 ? 'is' : 'are'} tried again.`);
    } catch (error) {
      say(`${plural(raised, 'account')} made due, then: ${(error as Error).message}`, 'orange');
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
          <span>{says} becomes due at once. What the target refuses again is parked again.</span>
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
