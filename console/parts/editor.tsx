import { xml } from '@codemirror/lang-xml';
import { HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import { lintGutter, setDiagnostics } from '@codemirror/lint';
import { EditorState } from '@codemirror/state';
import { tags } from '@lezer/highlight';
import { basicSetup, EditorView } from 'codemirror';
import { useEffect, useRef } from 'react';

/** What is wrong, and in which line, from 1. */
export type Mark = { line: number; reason: string };

type EditorProps = {
  label: string;
  /** Of an element that says how it is used. */
  describedBy?: string;
  text: string;
  change: (text: string) => void;
  mark: Mark | undefined;
  readOnly: boolean;
};

/**
 * XML with colours, folding, search and a mark in the gutter. Tab leaves it, as it leaves every field. Loaded only where
 * it is shown: it is as large as the rest of a page.
 */
export function Editor(props: EditorProps) {
  const { label, describedBy, text, mark, readOnly } = props;
  const place = useRef<HTMLDivElement>(null);
  const editor = useRef<EditorView>(null);
  const latest = useRef(props);
  latest.current = props;

  useEffect(() => {
    const view = new EditorView({
      parent: place.current!,
      state: EditorState.create({
        doc: latest.current.text,
        extensions: [
          basicSetup,
          xml(),
          lintGutter(),
          look,
          syntaxHighlighting(colours),
          EditorView.lineWrapping,
          EditorView.cspNonce.of(document.querySelector<HTMLMetaElement>('meta[name="nonce"]')?.content ?? ''),
          EditorState.readOnly.of(readOnly),
          EditorView.contentAttributes.of({
            'aria-label': label,
            spellcheck: 'false',
            tabindex: '0',
            ...(describedBy === undefined ? {} : { 'aria-describedby': describedBy }),
            ...(readOnly ? { 'aria-readonly': 'true' } : {}),
          }),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) latest.current.change(update.state.doc.toString());
          }),
        ],
      }),
    });
    editor.current = view;
    return () => view.destroy();
  }, [label, describedBy, readOnly]);

  // What is set from outside, such as a version brought back.
  useEffect(() => {
    const view = editor.current;
    if (!view || view.state.doc.toString() === text) return;
    view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
  }, [text]);

  useEffect(() => {
    const view = editor.current;
    if (!view) return;
    const { doc } = view.state;
    const line = mark && doc.line(Math.min(Math.max(mark.line, 1), doc.lines));
    const found =
      mark && line ? [{ from: line.from, to: line.to, severity: 'error' as const, message: mark.reason }] : [];
    view.dispatch(setDiagnostics(view.state, found));
  }, [mark]);

  return <div ref={place} className="editor" />;
}

/** The caret goes to a line; for the message that names it. */
export function goToLine(editor: HTMLElement | null, line: number): void {
  const content = editor?.querySelector<HTMLElement>('.cm-content');
  const view = content && EditorView.findFromDOM(content);
  if (!view) return;
  const { from } = view.state.doc.line(Math.min(Math.max(line, 1), view.state.doc.lines));
  view.dispatch({ selection: { anchor: from }, effects: EditorView.scrollIntoView(from, { y: 'center' }) });
  view.focus();
}

/** Colours of `tokens.css`, so that it is light or dark as the page is. */
const look = EditorView.theme({
  '&': { color: 'var(--text)', backgroundColor: 'var(--sunken)', fontSize: '12.5px' },
  '&.cm-focused': { outline: '2px solid var(--mantine-primary-color-filled)', outlineOffset: '-1px' },
  '.cm-scroller': { fontFamily: 'var(--mantine-font-family-monospace)', lineHeight: '19px' },
  '.cm-content': { caretColor: 'var(--text)', padding: '8px 0' },
  '.cm-cursor': { borderLeftColor: 'var(--text)' },
  '.cm-gutters': { color: 'var(--muted)', backgroundColor: 'var(--sunken)', borderRight: '1px solid var(--line)' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'var(--accent-soft)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    backgroundColor: 'var(--grey-soft)',
  },
  '.cm-foldPlaceholder': { color: 'var(--muted)', backgroundColor: 'var(--surface)', borderColor: 'var(--line)' },
  '.cm-matchingTag, .cm-selectionMatch': { backgroundColor: 'var(--blue-soft)' },
  '.cm-panels, .cm-tooltip': {
    color: 'var(--text)',
    backgroundColor: 'var(--raised)',
    border: '1px solid var(--line-strong)',
  },
  // Red is kept for what is lost or unsafe.
  '.cm-lint-marker-error': {
    content: '""',
    width: '10px',
    height: '10px',
    margin: '4px auto 0',
    borderRadius: '2px',
    backgroundColor: 'var(--orange-bar)',
    transform: 'rotate(45deg) scale(0.8)',
  },
  '.cm-diagnostic-error': { borderLeftColor: 'var(--orange-bar)' },
  '.cm-lintRange-error': { backgroundImage: 'none', borderBottom: '2px dotted var(--orange-bar)' },
  '.cm-textfield': { backgroundColor: 'var(--sunken)', borderColor: 'var(--line-strong)' },
  '.cm-button': { backgroundImage: 'none', backgroundColor: 'var(--raised)', borderColor: 'var(--line-strong)' },
});

const colours = HighlightStyle.define([
  { tag: [tags.tagName, tags.angleBracket], color: 'var(--accent)' },
  { tag: tags.attributeName, color: 'var(--code-key)' },
  { tag: tags.attributeValue, color: 'var(--code-text)' },
  { tag: [tags.comment, tags.processingInstruction, tags.documentMeta], color: 'var(--muted)', fontStyle: 'italic' },
  { tag: [tags.character, tags.invalid], color: 'var(--orange)' },
]);
