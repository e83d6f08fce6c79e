import { useRouterState } from '@tanstack/react-router';
import { createContext, type RefObject, useContext, useEffect, useRef } from 'react';

/** Path of the page that was shown last, over all pages. */
export const LastPage = createContext<{ current: string | undefined }>({ current: undefined });

/**
 * The heading of a page that another page led to has the focus, so that whoever reads by ear or goes by keyboard begins
 * there. The page that is opened first is left as browsers begin: at its top.
 */
export function useHeadingFocus(): RefObject<HTMLHeadingElement | null> {
  const heading = useRef<HTMLHeadingElement>(null);
  const shown = useContext(LastPage);
  const path = useRouterState({ select: ({ matches }) => matches.at(-1)?.pathname });
  useEffect(() => {
    const before = shown.current;
    shown.current = path;
    if (before !== undefined && before !== path) heading.current?.focus({ preventScroll: true });
  }, [path, shown]);
  return heading;
}

/**
 * For the button that starts something: it is disabled meanwhile and loses the focus, and has it again afterwards. Where it
 * is gone by then, as with the row that was taken away, the list that it was in has it, else the heading of the page.
 */
export function useKeptFocus<E extends HTMLElement>(isBusy: boolean): RefObject<E | null> {
  const own = useRef<E>(null);
  useEffect(() => {
    if (!isBusy) return;
    const button = own.current;
    const list = button?.closest<HTMLElement>('.table-box');
    return () => {
      setTimeout(() => {
        if (!isLost()) return;
        const heading = document.querySelector<HTMLElement>('#content h1');
        const next = [button, list, heading].find((one) => one?.isConnected && !one.matches(':disabled'));
        next?.focus({ preventScroll: true });
      });
    };
  }, [isBusy]);
  return own;
}

const isLost = () => document.activeElement === null || document.activeElement === document.body;

/** After a form was sent and refused the focus is where the refusal is: at the first field, or at what is said of the whole. */
export function useRefusalFocus(isBusy: boolean): RefObject<HTMLFormElement | null> {
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    if (!isBusy) return;
    return () => {
      setTimeout(() => {
        const refused = form.current?.querySelector<HTMLElement>('[aria-invalid="true"], [role="alert"]');
        if (!refused) return;
        for (let fold = refused.closest('details'); fold; fold = fold.parentElement?.closest('details') ?? null) {
          fold.open = true;
        }
        refused.focus();
      });
    };
  }, [isBusy]);
  return form;
}

/** Of a button that would do nothing now. It is not disabled, which would take the focus away from whoever stands on it. */
export const idle = (isIdle: boolean) => (isIdle ? ({ 'data-disabled': true, 'aria-disabled': true } as const) : {});
