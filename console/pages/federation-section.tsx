import { useMutation, useQueryClient } from '@tanstack/react-query';
import { createContext, type ReactNode, useContext, useEffect } from 'react';
import type { FederationAnswer, FederationInput } from '../../src/contract/federation.ts';
import { call } from '../api/client.ts';
import { useSay } from '../parts/act.tsx';
import { Copy } from '../parts/code.tsx';
import { type Draft, Form, Refusal } from '../parts/form.tsx';
import { Fold } from '../parts/page.tsx';
import { useMay } from '../parts/role.tsx';

/** While an identity provider is added its sections have no forms of their own: what is filled in is registered with it. */
type Registering = {
  /** Undefined while nothing of a section is filled in. */
  fill: (title: string, part: Partial<FederationInput> | undefined) => void;
  error: Error | null;
};
export const Registering = createContext<Registering | undefined>(undefined);

type SectionProps<V extends object> = {
  title: string;
  isSet: boolean;
  federation: FederationAnswer;
  draft: Draft<V>;
  toInput: (values: V) => Partial<FederationInput>;
  fields: readonly string[];
  /** What the draft is once it is saved; default as it was sent. */
  settled?: (values: V) => V;
  children: (shared: { draft: Draft<V>; error: Error | null; disabled: boolean }) => ReactNode;
};

/** One section of the settings of sign-ins. `fields`: what the server may say something of that the section shows. */
export function FederationSection<V extends object>(props: SectionProps<V>) {
  const registering = useContext(Registering);
  return registering ? <PartOfAll {...props} registering={registering} /> : <OwnForm {...props} />;
}

function PartOfAll<V extends object>(props: SectionProps<V> & { registering: Registering }) {
  const { title, draft, toInput, children, registering } = props;
  const { fill, error } = registering;
  const { administer } = useMay();
  const part = draft.isDirty ? JSON.stringify(toInput(draft.values)) : undefined;
  useEffect(() => fill(title, part === undefined ? undefined : JSON.parse(part)), [fill, title, part]);
  return (
    <Fold title={title} beside={draft.isDirty && <span className="muted small">to be registered</span>}>
      {children({ draft, error, disabled: !administer })}
    </Fold>
  );
}

/** A form of its own that changes its own part. */
function OwnForm<V extends object>(props: SectionProps<V>) {
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
