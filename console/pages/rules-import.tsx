import { Button } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useRef, useState } from 'react';
import type { RulePolicyAnswer } from '../../src/contract/policy.ts';
import { ApiError, call, step } from '../api/client.ts';
import { Icon } from '../parts/icon.tsx';
import { Card, Note } from '../parts/page.tsx';

type Result = { file: string; name: string; document: string } & (
  | { became: 'added' | 'replaced' | 'unchanged' }
  | { became: 'refused'; reason: string; line: number | undefined }
  | { became: 'held' }
);

/** XACML files, each a policy of its name without `.xml`: the button, and what became of them, with line and reason. */
export function useImport(policies: readonly RulePolicyAnswer[]): { button: ReactNode; results: ReactNode } {
  const client = useQueryClient();
  const chooser = useRef<HTMLInputElement>(null);
  const [results, setResults] = useState<Result[]>([]);
  const bring = useMutation({
    mutationFn: async (files: { file: string; name: string; document: string; replaceRows: boolean }[]) => {
      const done: Result[] = [];
      let open = files;
      // One may refer to another that comes later: as long as some were taken, the others are tried again.
      while (open.length > 0) {
        const tried: Result[] = [];
        for (const file of open) tried.push(await bringOne(file, policies));
        const refused = tried.filter((one) => one.became === 'refused');
        done.push(...tried.filter((one) => one.became !== 'refused'));
        if (refused.length === open.length || refused.length === 0) return [...done, ...refused];
        open = refused.map((one) => open.find(({ file }) => file === one.file)!);
      }
      return done;
    },
    onSuccess: async (done) => {
      setResults((all) => [...all.filter((one) => !done.some(({ file }) => file === one.file)), ...done]);
      await Promise.all(['policies', 'status', 'account'].map((key) => client.invalidateQueries({ queryKey: [key] })));
    },
  });
  const take = async (list: readonly File[]) => {
    const files = list.map(async (file) => ({
      file: file.name,
      name: file.name.replace(/\.(?:xml|xacml)$/i, ''),
      document: await file.text(),
      replaceRows: false,
    }));
    setResults([]);
    bring.mutate(await Promise.all(files));
  };
  const button = (
    <>
      <input
        ref={chooser}
        type="file"
        multiple
        accept=".xml,.xacml,application/xml,text/xml"
        aria-label="XACML files to import"
        className="unseen"
        tabIndex={-1}
        onChange={(event) => {
          void take([...(event.currentTarget.files ?? [])]);
          event.currentTarget.value = '';
        }}
      />
      <Button
        variant="default"
        leftSection={<Icon name="upload" size={15} />}
        loading={bring.isPending}
        title="XACML 3.0 files, as other servers export them; each becomes the policy of its name"
        onClick={() => chooser.current?.click()}
      >
        Import
      </Button>
    </>
  );
  const shown = (bring.error !== null || results.length > 0) && (
    <div className="stack" style={{ marginBottom: 16 }}>
      {bring.error && (
        <Note tone="orange" icon="warning">
          {bring.error.message}
        </Note>
      )}
      {results.length > 0 && (
        <Card
          title="What was imported"
          actions={
            <Button variant="subtle" size="compact-xs" onClick={() => setResults([])}>
              Put away
            </Button>
          }
        >
          <ul className="steps" style={{ margin: 0 }} aria-live="polite">
            {results.map((one) => (
              <li key={one.file}>
                <span className={one.became === 'refused' || one.became === 'held' ? 'text-orange' : 'text-teal'}>
                  <Icon name={one.became === 'refused' || one.became === 'held' ? 'warning' : 'check'} size={16} />
                </span>
                <span className="clip">{one.file}</span>
                <span>{describe(one, () => bring.mutate([{ ...one, replaceRows: true }]))}</span>
              </li>
            ))}
          </ul>
        </Card>
      )}
    </div>
  );
  return { button, results: shown };
}

function describe(result: Result, replace: () => void) {
  if (result.became === 'refused') {
    return `Refused${result.line === undefined ? '' : `, line ${result.line}`}: ${result.reason}`;
  }
  if (result.became !== 'held') return result.became;
  return (
    <>
      {result.name} is made from rows here, and they would be gone: it would be text.{' '}
      <Button variant="subtle" size="compact-xs" onClick={replace}>
        Replace the rows
      </Button>
    </>
  );
}

async function bringOne(
  given: { file: string; name: string; document: string; replaceRows: boolean },
  policies: readonly RulePolicyAnswer[],
): Promise<Result> {
  const { file, name, document, replaceRows } = given;
  const own = { file, name, document };
  const known = policies.find((one) => one.name.toLowerCase() === name.toLowerCase());
  if (known?.document === document) return { ...own, became: 'unchanged' };
  if (known?.rows && !replaceRows) return { ...own, became: 'held' };
  try {
    if (known) await call('PATCH', `/policies/${step(known.id)}`, { body: { document } });
    else await call('POST', '/policies', { body: { name, document } });
    return { ...own, became: known ? 'replaced' : 'added' };
  } catch (error) {
    if (!(error instanceof ApiError) || error.status === 401) throw error;
    return { ...own, became: 'refused', reason: error.message.replace(/^.*?line \d+: /, ''), line: error.line };
  }
}
