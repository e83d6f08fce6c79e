import { Button } from '@mantine/core';
import type { ReactNode } from 'react';
import { Copy } from './code.tsx';
import { Note } from './page.tsx';

/** A secret that the server gives out this one time. `done`: whoever reads it has it. `name`: what tests find it by. */
export function ShownOnce(props: { says: ReactNode; secret: string; name: string; done: () => void }) {
  const { says, secret, name, done } = props;
  return (
    <Note tone="teal" icon="key">
      <div>{says} It is shown here, and never again:</div>
      <div className="row wrap">
        <span className="mono" data-testid={name}>
          {secret}
        </span>
        <Copy text={secret} />
        <Button variant="subtle" size="compact-xs" onClick={done}>
          I have it
        </Button>
      </div>
    </Note>
  );
}
