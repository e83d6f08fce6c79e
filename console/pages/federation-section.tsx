import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { FederationAnswer, FederationInput } from '../../src/contract/federation.ts';
import { call } from '../api/client.ts';
import { useSay } from '../parts/act.tsx';
import { Copy } from '../parts/code.tsx';
import { type Draft, Form, Refusal } from '../parts/form.tsx';
import { Fold } from '../parts/page.tsx';
import { useMay } from '../parts/role.tsx';

/**
 * One section: a form of its own that changes its own part. `fields`: what the server may say something of that the section
 * shows.
 */
export function FederationSection<V extends object>(props: {
  title: string;
  isSet: boolean;
  federation: FederationAnswer;
  draft: Draft<V>;
  toInput: (values: V) => Partial<FederationInput>;
  fields: readonly string[];
  /** What the draft is once it is saved; default as it was sent. */
  settled?: (values: V) => V;
  children: (shared: { draft: Draft<V>; error: Error | null; disabled: boolean }) => ReactNode;
}) {
  const { title, federation, draft, toInput, fields, children } = props;
  const client = useQueryClient();
  const say = useSay();
  const { administer } = useMay();
  const { identityProvider } = federation;
  const save = useMutation({
    mutationFn: () =>
      call('PATCH', `/identity-providers/${identityProvider.id}/federation`, { body: toInput(draft.values) }),
    onSuccess: async () => {
      draft.settle(props.settled?.(draft.values));
      say(`${title} of ${identityProvider.name} is updated.`);
      await client.invalidateQueries({ queryKey: ['identity-providers'] });
    },
  });
  return (
    <Fold title={title} open={props.isSet}>
      <Form
        submit={() => save.mutate()}
        word="Update"
        busy={save.isPending}
        isDirty={draft.isDirty}
        hidden={!administer}
      >
        {children({ draft, error: save.error, disabled: !administer })}
        <Refusal error={save.error} fields={fields} />
      </Form>
    </Fold>
  );
}

/** What is typed in one field with blanks, commas or line ends between. */
export const linesOf = (text: string): string[] => text.split(/[\s,]+/).filter((one) => one !== '');

/** What an administrator has to say at the identity provider. */
export function Registered({ word, address }: { word: string; address: string }) {
  return (
    <div>
      <div className="small">{word}</div>
      <div className="row wrap">
        <span className="mono" style={{ overflowWrap: 'anywhere' }}>
          {address}
        </span>
        <Copy text={address} />
      </div>
      <div className="muted small">To be registered at the identity provider.</div>
    </div>
  );
}
