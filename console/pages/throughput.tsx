import { SegmentedControl } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { ThroughputAnswer } from '../../src/contract/status.ts';
import { throughputQuery } from '../api/queries.ts';
import { Bars } from '../parts/chart.tsx';
import { Card, Shown } from '../parts/page.tsx';
import { Ago } from '../parts/time.tsx';
import { showCount, showExact } from '../parts/words.ts';

export type Span = 'hour' | 'day';

/** Deliveries of the last hour or day, of one target or of all. */
export function Throughput(props: { span: Span; show: (span: Span) => void; target?: string }) {
  const { span, show, target } = props;
  const query = useQuery(throughputQuery(span, target));
  return (
    <Card
      title={`Deliveries of the last ${span}`}
      actions={
        <SegmentedControl
          size="xs"
          aria-label="How far back"
          data={[
            { value: 'hour', label: 'Hour' },
            { value: 'day', label: 'Day' },
          ]}
          value={span}
          onChange={(value) => show(value as Span)}
        />
      }
    >
      <div style={{ minHeight: 180 }}>
        <Shown query={query} rows={4}>
          {(answer) => <Chart answer={answer} span={span} />}
        </Shown>
      </div>
    </Card>
  );
}

function Chart({ answer, span }: { answer: ThroughputAnswer; span: Span }) {
  const { buckets, countedSince } = answer;
  const [pointed, setPointed] = useState<number>();
  const sum = (part: 'done' | 'failed') => buckets.reduce((total, bucket) => total + bucket[part], 0);
  const at = pointed === undefined ? undefined : buckets[pointed];
  const [done, failed] = at ? [at.done, at.failed] : [sum('done'), sum('failed')];
  const isWhole = countedSince === buckets[0]?.at;
  return (
    <div className="stack tight">
      <div className="row wrap small" style={{ columnGap: 16 }}>
        <span className="key">{showCount(done)} done</span>
        <span className="key failed">{showCount(failed)} not done yet, or refused</span>
        <span className="muted num" style={{ marginLeft: 'auto' }}>
          {at ? showExact(at.at) : isWhole ? `in the last ${span}` : <Counted since={countedSince} />}
        </span>
      </div>
      <Bars
        bars={buckets}
        point={setPointed}
        says={`In the last ${span} ${showCount(sum('done'))} deliveries were done, ${showCount(sum('failed'))} were not`}
      />
    </div>
  );
}

function Counted({ since }: { since: string }) {
  return (
    <>
      counted back to <Ago time={since} />, and on
    </>
  );
}
