import { Button, type ButtonProps, Modal } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useRef, useState } from 'react';
import { useKeptFocus } from './focus.ts';
import { Icon, type IconName } from './icon.tsx';

type Toast = { id: number; tone: 'teal' | 'orange'; text: ReactNode };
type Say = (text: ReactNode, tone?: Toast['tone']) => void;

const Saying = createContext<Say>(() => {});
export const useSay = () => useContext(Saying);

/** Short news about what was done, in the corner; failures stay until they are put away. */
export function Toasts({ children }: { children: ReactNode }) {
  const [toasts, setToasts] = useState<Toast[]>([]);
  const count = useRef(0);
  const put = useCallback((id: number) => setToasts((all) => all.filter((one) => one.id !== id)), []);
  const say: Say = useCallback(
    (text, tone = 'teal') => {
      const id = ++count.current;
      setToasts((all) => [...all.slice(-3), { id, tone, text }]);
      if (tone === 'teal') setTimeout(() => put(id), 5_000);
    },
    [put],
  );
  return (
    <Saying.Provider value={say}>
      {children}
      <div className="toasts" role="status" aria-live="polite">
        {toasts.map(({ id, tone, text }) => (
          <div key={id} className={`note toast tone-${tone}`}>
            <Icon name={tone === 'teal' ? 'check' : 'warning'} />
            <div className="grow">{text}</div>
            <button type="button" className="plain-button" onClick={() => put(id)} aria-label="Put this away">
              <Icon name="close" size={14} />
            </button>
          </div>
        ))}
      </div>
    </Saying.Provider>
  );
}

type Doing<T> = {
  act: () => Promise<T>;
  /** First words of the keys of what is read again afterwards. */
  stale: readonly string[];
  done?: (value: T) => void;
  says?: ReactNode | ((value: T) => ReactNode);
};

/**
 * Does something on the server, reads again what it changed, and says so. What is said is of when it was asked for: the
 * page may show the new state before the answer is here.
 */
function useDoing<T>() {
  const client = useQueryClient();
  const say = useSay();
  return useMutation({
    mutationFn: ({ act }: Doing<T>) => act(),
    onSuccess: async (value, { stale, done, says }) => {
      const text = typeof says === 'function' ? says(value) : says;
      if (text) say(text);
      await Promise.all(stale.map((key) => client.invalidateQueries({ queryKey: [key] })));
      done?.(value);
    },
    onError: (error) => say(error.message, 'orange'),
  });
}

type ActProps<T> = Doing<T> & {
  word: string;
  /** Whom the word is about where the same button is in every row; said, and not shown. */
  about?: string;
  icon?: IconName;
  variant?: ButtonProps['variant'];
  disabled?: boolean;
  /** Asked first: what will happen, and to how many. */
  confirm?: { title: string; says: ReactNode };
};

/** A button that does one thing on the server. Auditors see none. */
export function Act<T>(props: ActProps<T>) {
  const { word, icon, confirm, disabled = false } = props;
  const [asking, setAsking] = useState(false);
  const doing = useDoing<T>();
  const button = useKeptFocus<HTMLButtonElement>(doing.isPending);
  const start = () => {
    setAsking(false);
    doing.mutate(props);
  };
  return (
    <>
      <Button
        ref={button}
        variant={props.variant ?? 'default'}
        leftSection={icon && <Icon name={icon} size={15} />}
        disabled={disabled}
        loading={doing.isPending}
        onClick={confirm ? () => setAsking(true) : start}
      >
        {word}
        {props.about && <span className="unseen"> {props.about}</span>}
      </Button>
      {confirm && (
        <Modal opened={asking} onClose={() => setAsking(false)} title={confirm.title}>
          <div className="stack">
            <div>{confirm.says}</div>
            <div className="row" style={{ justifyContent: 'flex-end' }}>
              <Button variant="default" onClick={() => setAsking(false)}>
                Leave it
              </Button>
              <Button onClick={start} data-autofocus>
                {word}
              </Button>
            </div>
          </div>
        </Modal>
      )}
    </>
  );
}

/** Warns before a page with unsaved changes is left. */
export function useGuard(isDirty: boolean): void {
  const guard = useMemo(
    () => (event: BeforeUnloadEvent) => {
      event.preventDefault();
    },
    [],
  );
  useEffect(() => {
    if (!isDirty) return;
    addEventListener('beforeunload', guard);
    return () => removeEventListener('beforeunload', guard);
  }, [isDirty, guard]);
}
