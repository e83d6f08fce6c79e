import { Button } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { lazy, type ReactNode, Suspense, useMemo, useRef } from 'react';
import type { RulePolicyAnswer } from '../../src/contract/policy.ts';
import { ApiError, call, step } from '../api/client.ts';
import { Copy } from '../parts/code.tsx';
import type { Mark } from '../parts/editor.tsx';
import type { Draft } from '../parts/form.tsx';
import { Icon } from '../parts/icon.tsx';
import { Card, Empty, Loading, Note } from '../parts/page.tsx';
import type { PolicyDraft } from './rule-draft.ts';

const Editor = lazy(() => import('../parts/editor.tsx').then((module) => ({ default: module.Editor })));

/** Where the editor will be. */
const Unread = () => (
  <div className="editor">
    <Loading rows={8} />
  </div>
);

/** What rows make: to read, and the way to text. */
export function MadeText({ document, children }: { document: string | null; children: ReactNode }) {
  return (
    <Card
      title="XACML that the rows make"
      actions={
        <>
          {document !== null && <Copy text={document} />}
          {children}
        </>
      }
      bare
    >
      {document === null ? (
        <Empty icon="rules" title="Nothing yet">
          Something is missing in the rows.
        </Empty>
      ) : (
        <Suspense fallback={<Unread />}>
          <Editor label="XACML that the rows make" text={document} change={() => {}} mark={undefined} readOnly />
        </Suspense>
      )}
    </Card>
  );
}

/** A policy written by hand; the server marks the line it would refuse. */
export function TextForm(props: {
  policy: RulePolicyAnswer | undefined;
  draft: Draft<PolicyDraft>;
  error: Error | null;
  disabled: boolean;
}) {
  const { policy, draft, error, disabled } = props;
  const { document } = draft.values;
  const place = useRef<HTMLDivElement>(null);
  const mark = useMark(policy, document, error, disabled);
  const go = async (line: number) => (await import('../parts/editor.tsx')).goToLine(place.current, line);
  return (
    <Card title="XACML 3.0" actions={<Copy text={document} />} bare>
      <div ref={place}>
        <Suspense fallback={<Unread />}>
          <Editor
            label="XACML document"
            describedBy="editor-keys"
            text={document}
            change={(text) => draft.set('document', text)}
            mark={mark}
            readOnly={disabled}
          />
        </Suspense>
      </div>
      <div className="editor-foot stack tight">
        <div role="status">
          {mark && (
            <Note tone="orange" icon="warning">
              <div className="row wrap apart">
                <span>
                  <strong>Line {mark.line}:</strong> {mark.reason}
                </span>
                <Button variant="subtle" size="compact-xs" onClick={() => void go(mark.line)}>
                  Go to line {mark.line}
                </Button>
              </div>
            </Note>
          )}
          {!mark && document.trim() !== '' && draft.isDirty && !disabled && (
            <span className="row muted small">
              <Icon name="check" size={14} /> Checked as it is typed, together with the other policies.
            </span>
          )}
        </div>
        <div id="editor-keys" className="muted small">
          Tab leaves the editor; indent with spaces. Ctrl F finds, Ctrl Z undoes. What is there is kept until it is
          saved.
        </div>
      </div>
    </Card>
  );
}

/** What the server would refuse, asked a moment after the last key; nothing is written. */
function useMark(
  policy: RulePolicyAnswer | undefined,
  text: string,
  error: Error | null,
  off: boolean,
): Mark | undefined {
  const [slow] = useDebouncedValue(text, 500);
  const isChanged = slow !== policy?.document && slow.trim() !== '';
  const check = useQuery({
    queryKey: ['policy-check', policy?.id, slow],
    enabled: isChanged && !off,
    staleTime: 5_000,
    retry: false,
    queryFn: async (): Promise<Mark | null> => {
      const query = { dryRun: true };
      try {
        if (policy) await call('PATCH', `/policies/${step(policy.id)}`, { query, body: { document: slow } });
        // Its own name may not be given yet, or be taken.
        else await call('POST', '/policies', { query, body: { name: `draft ${Date.now()}`, document: slow } });
        return null;
      } catch (refused) {
        return markOf(refused);
      }
    },
  });
  const found = isChanged ? (check.data ?? (text === slow ? markOf(error) : null)) : null;
  // The same mark as long as it says the same, so that the editor is not told again.
  const { line, reason } = found ?? {};
  return useMemo(() => (line === undefined || reason === undefined ? undefined : { line, reason }), [line, reason]);
}

function markOf(error: unknown): Mark | null {
  if (!(error instanceof ApiError) || error.field !== 'document' || error.line === undefined) return null;
  return { line: error.line, reason: error.message.replace(/^.*?line \d+: /, '') };
}
