import { useQuery } from '@tanstack/react-query';
import type { ThroughputAnswer } from '../../src/contract/status.ts';
import { throughputQuery } from '../api/queries.ts';
import { Card, Shown } from '../parts/page.tsx';
import { showCount, showExact } from '../parts/words.ts';

/** The deliveries of the last hour, a bar for each minute. */
export function Throughput() {
  const query = useQuery(throughputQuery);
  return (
    <Card title="Deliveries of the last hour">
      <Shown query={query} rows={4}>
        {({ minutes }) => <Chart minutes={minutes} />}
      </Shown>
    </Card>
  );
}

const high = 100;
const step = 10;

function Chart({ minutes }: ThroughputAnswer) {
  const done = minutes.reduce((sum, minute) => sum + minute.done, 0);
  const failed = minutes.reduce((sum, minute) => sum + minute.failed, 0);
  const most = Math.max(1, ...minutes.map((minute) => minute.done + minute.failed));
  const tall = (count: number) => (count === 0 ? 0 : Math.max(1.5, (count / most) * high));
  return (
    <div className="stack tight">
      <div className="row wrap small">
        <span className="key">{showCount(done)} done</span>
        <span className="key failed">{showCount(failed)} not done yet, or refused</span>
        <span className="muted num" style={{ marginLeft: 'auto' }}>
          at most {showCount(most)} in a minute
        </span>
      </div>
      <svg
        className="chart"
        viewBox={`0 0 ${minutes.length * step} ${high + 1}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`In the last hour ${showCount(done)} deliveries were done, ${showCount(failed)} were not`}
      >
        {minutes.map((minute, n) => (
          <g key={minute.at}>
            <title>{`${showExact(minute.at)}: ${showCount(minute.done)} done, ${showCount(minute.failed)} not`}</title>
            <rect
              className="done"
              x={n * step + 1}
              width={step - 2}
              y={high - tall(minute.done)}
              height={tall(minute.done)}
            />
            <rect
              className="failed"
              x={n * step + 1}
              width={step - 2}
              y={high - tall(minute.done) - tall(minute.failed)}
              height={tall(minute.failed)}
            />
          </g>
        ))}
        <line
          className="ground"
          x1="0"
          x2={minutes.length * step}
          y1={high + 0.5}
          y2={high + 0.5}
          vectorEffect="non-scaling-stroke"
        />
      </svg>
      <div className="row apart muted small">
        <span>an hour ago</span>
        <span>now</span>
      </div>
    </div>
  );
}
