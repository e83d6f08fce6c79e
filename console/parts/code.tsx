import { Button, CopyButton } from '@mantine/core';
import { Icon } from './icon.tsx';

export function Copy({ text, word = 'Copy' }: { text: string; word?: string }) {
  return (
    <CopyButton value={text}>
      {({ copied, copy }) => (
        <Button
          variant="subtle"
          size="compact-xs"
          leftSection={<Icon name={copied ? 'check' : 'copy'} size={14} />}
          onClick={copy}
        >
          {copied ? 'Copied' : word}
        </Button>
      )}
    </CopyButton>
  );
}

/** JSON laid out in lines and coloured; anything else as it is. */
export function Code({ text, label, wrap }: { text: string; label: string; wrap?: boolean }) {
  const shown = layOut(text);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section className={wrap ? 'code wrap' : 'code'} tabIndex={0} aria-label={label}>
      {shown === undefined ? text : colour(shown)}
    </section>
  );
}

function layOut(text: string): string | undefined {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return undefined;
  }
}

const token = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

function colour(json: string) {
  const parts: React.ReactNode[] = [];
  let at = 0;
  for (const match of json.matchAll(token)) {
    const [whole, text, colon] = match;
    if (match.index > at) parts.push(json.slice(at, match.index));
    const kind = text === undefined ? 'n' : colon === undefined ? 's' : 'k';
    parts.push(
      <span key={match.index} className={kind}>
        {text ?? whole}
      </span>,
    );
    if (colon !== undefined) parts.push(colon);
    at = match.index + whole.length;
  }
  parts.push(json.slice(at));
  return parts;
}
