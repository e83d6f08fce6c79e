import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { StatusAnswer } from '../../src/contract/status.ts';
import { Icon } from '../parts/icon.tsx';
import { Card } from '../parts/page.tsx';

type Step = { title: string; says: string; isDone: boolean; link: ReactNode };

/** From an empty server to the first person at a target. Goes away when that is reached. */
export function Guide({ status }: { status: StatusAnswer }) {
  const { targets, users } = status;
  const arrived = targets.some((target) => (target.byState.done ?? 0) > 0);
  if (arrived) return null;
  const isBound = targets.some((target) => target.boundBy.length > 0);
  const steps: Step[] = [
    {
      title: '1. Add an identity provider',
      says: 'Where people are to be sent: its address, and how to sign in there. Test the connection at once.',
      isDone: targets.length > 0,
      link: <Link to="/identity-providers/add">Add it</Link>,
    },
    {
      title: '2. Bind it',
      says: 'Say whose changes go there: the resident service provider’s, or an application’s.',
      isDone: isBound,
      link: (
        <Link to="/service-providers/$id" params={{ id: 'resident' }}>
          Bind the resident
        </Link>
      ),
    },
    {
      title: '3. Add a person',
      says: 'Here, or through SCIM.',
      isDone: users > 0,
      link: <Link to="/users/add">Add somebody</Link>,
    },
    {
      title: '4. See them arrive',
      says: 'The person’s page shows every account, and each step on the way.',
      isDone: arrived,
      link: <Link to="/users">Look</Link>,
    },
  ];
  const next = steps.find((step) => !step.isDone);
  return (
    <Card title="First steps">
      <ol className="guide">
        {steps.map((step) => (
          <li key={step.title}>
            <div className="row apart">
              <strong>{step.title}</strong>
              {step.isDone && (
                <span className="state tone-teal">
                  <Icon name="check" size={14} />
                  done
                </span>
              )}
            </div>
            <p className="muted small" style={{ margin: '4px 0' }}>
              {step.says}
            </p>
            {step === next && step.link}
          </li>
        ))}
      </ol>
    </Card>
  );
}
