import type { ReactNode } from 'react';
import { Icon, type IconName } from './icon.tsx';
import type { Tone } from './state.tsx';

type StepProps = {
  name: string;
  icon: IconName;
  tone: Tone;
  sentence: ReactNode;
  beside?: ReactNode;
  open?: boolean;
  children?: ReactNode;
};

/** One step of the walk: a sentence that opens to its evidence, where there is any. */
export function Step({ name, icon, tone, sentence, beside, open = false, children }: StepProps) {
  const head = (
    <>
      <span className="step">{name}</span>
      <span className="sentence">{sentence}</span>
      {beside}
    </>
  );
  return (
    <li>
      <span className={`dot tone-${tone}`}>
        <Icon name={icon} />
      </span>
      {children ? (
        <details open={open}>
          <summary>
            {head}
            <Icon name="chevron" size={14} />
          </summary>
          <div className="evidence">{children}</div>
        </details>
      ) : (
        <div className="plain">{head}</div>
      )}
    </li>
  );
}
