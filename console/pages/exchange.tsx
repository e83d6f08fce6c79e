import type { ExchangeAnswer } from '../../src/contract/attempt.ts';
import { Code, Copy } from '../parts/code.tsx';
import { Icon } from '../parts/icon.tsx';
import { showExact } from '../parts/words.ts';

/** The last is open: it is what the attempt ended with. What was said and heard, as it was kept: secrets were taken out before. */
export function Exchanges({ exchanges }: { exchanges: readonly ExchangeAnswer[] }) {
  if (exchanges.length === 0) return <span className="muted">Nothing was sent.</span>;
  return (
    <div className="stack tight">
      {exchanges.map((exchange, n) => (
        <Exchange
          key={`${exchange.at} ${exchange.method} ${exchange.url} ${exchange.tookMs}`}
          exchange={exchange}
          open={n === exchanges.length - 1}
        />
      ))}
    </div>
  );
}

function Exchange({ exchange, open }: { exchange: ExchangeAnswer; open: boolean }) {
  const { method, url, status, error, requestBody, responseBody, tookMs, at } = exchange;
  const tone = status === null ? 'orange' : status < 300 ? 'teal' : status < 500 && status !== 429 ? 'orange' : 'blue';
  return (
    <details className="said" open={open}>
      <summary>
        <strong className="mono">{method}</strong>
        <span className="mono grow url">{url}</span>
        <span className={`state tone-${tone} num`}>{status ?? 'no answer'}</span>
        <span className="muted num" title={showExact(at)}>
          {tookMs} ms
        </span>
        <Icon name="chevron" size={14} />
      </summary>
      <div className="exchange">
        {requestBody && <Body word="Request" text={requestBody} />}
        {responseBody && <Body word="Answer" text={responseBody} />}
      </div>
      {error && <div className="text-orange">{error}</div>}
    </details>
  );
}

function Body({ word, text }: { word: string; text: string }) {
  return (
    <div>
      <div className="row apart">
        <span className="muted small">{word}</span>
        <Copy text={text} />
      </div>
      <Code text={text} label={word} />
    </div>
  );
}
