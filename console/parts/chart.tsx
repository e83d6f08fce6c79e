import { useComputedColorScheme } from '@mantine/core';
import { useEffect, useRef } from 'react';
import type Plot from 'uplot';
import 'uplot/dist/uPlot.min.css';

export type Bar = { at: string; done: number; failed: number };

const height = 150;

/**
 * Bars over time, what was done below what was not. `says`: what a screen reader says of it. `point`: which bar the
 * pointer is over, undefined for none. `since`: before it nothing is known yet.
 */
export function Bars(props: { bars: readonly Bar[]; says: string; point: (n: number | undefined) => void }) {
  const { bars, says, point } = props;
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot>(null);
  const latest = useRef({ bars, point });
  latest.current = { bars, point };
  const scheme = useComputedColorScheme('light');

  // biome-ignore lint/correctness/useExhaustiveDependencies: colours are of the scheme
  useEffect(() => {
    const { current } = box;
    if (!current) return;
    let isGone = false;
    let watcher: ResizeObserver | undefined;
    void import('uplot').then(({ default: UPlot }) => {
      if (isGone) return;
      const options = optionsOf(UPlot, current, (n) => latest.current.point(n));
      const own = new UPlot(options, dataOf(latest.current.bars), current);
      plot.current = own;
      watcher = new ResizeObserver(() => own.setSize({ width: current.clientWidth, height }));
      watcher.observe(current);
    });
    return () => {
      isGone = true;
      watcher?.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [scheme]);
  useEffect(() => plot.current?.setData(dataOf(bars)), [bars]);

  return <div ref={box} className="chart" style={{ height }} role="img" aria-label={says} />;
}

/** The second series is drawn over the first, so what shows of the first is what failed. */
function dataOf(bars: readonly Bar[]): Plot.AlignedData {
  return [
    bars.map(({ at }) => Date.parse(at) / 1_000),
    bars.map(({ done, failed }) => done + failed || null),
    bars.map(({ done }) => done || null),
  ];
}

function optionsOf(
  UPlot: typeof Plot,
  { clientWidth }: HTMLElement,
  point: (n: number | undefined) => void,
): Plot.Options {
  const colours = getComputedStyle(document.documentElement);
  const colour = (name: string) => colours.getPropertyValue(`--${name}`).trim();
  const axis = {
    stroke: colour('muted'),
    font: '12px system-ui, sans-serif',
    ticks: { show: false },
    grid: { stroke: colour('line'), width: 1 },
  };
  const paths = UPlot.paths.bars!({ size: [0.78, 22], radius: 0.15 });
  const series = (fill: string): Plot.Series => ({ fill, stroke: fill, width: 0, paths, points: { show: false } });
  return {
    width: clientWidth,
    height,
    legend: { show: false },
    padding: [8, 20, 0, 0],
    cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
    scales: { y: { range: (_, __, most) => [0, Math.max(4, Math.ceil(most * 1.05))] } },
    axes: [
      { ...axis, grid: { show: false }, values: (_, at) => at.map((second) => hourOf(second)), size: 24 },
      { ...axis, size: 48, values: (_, at) => at.map((value) => (Number.isInteger(value) ? short(value) : '')) },
    ],
    series: [{}, series(colour('orange-bar')), series(colour('teal-bar'))],
    hooks: { setCursor: [({ cursor }) => point(cursor.idx ?? undefined)] },
  };
}

const hourOf = (second: number) =>
  new Date(second * 1_000).toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });

const short = (value: number) => Intl.NumberFormat('en', { notation: 'compact' }).format(value);
