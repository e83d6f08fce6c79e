import { Button, Modal, Progress } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import type { RetryAnswer } from '../../src/contract/account.ts';
import { call } from '../api/client.ts';
import { useSay } from '../parts/act.tsx';
import { Icon } from '../parts/icon.tsx';
import { plural, showCount } from '../parts/words.ts';

/** *Again now* for all accounts of one state: counted first, with progress, and a way to stop. */
export function RetryMany({ target, state, count }: { target: string; state: string; count: number }) {
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
        const query = { target, state, after: after ?? undefined };
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
        All again now
      </Button>
      <Modal
        opened={isOpen}
        onClose={() => done === undefined && setOpen(false)}
        title={`Try ${plural(count, 'account')} again?`}
      >
        <div className="stack">
          <span>
            Every account of {target} that is {state} becomes due at once. What the target refuses again is parked
            again.
          </span>
          {done !== undefined && (
            <div>
              <Progress value={count === 0 ? 100 : (done / count) * 100} aria-label="How far it is" />
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
