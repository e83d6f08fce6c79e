import type { TargetStatus } from '../../src/contract/status.ts';
import { showCount } from './words.ts';

/** A delivery that could have begun so long ago makes its target one that is behind. */
const behindMs = 60_000;

export function isBehind(target: TargetStatus): boolean {
  return target.held.length > 0 || (target.oldestPendingMs ?? 0) > behindMs;
}

/** Parked accounts that nobody left so. */
export const toLookAt = ({ parked, left }: Pick<TargetStatus, 'parked' | 'left'>) => Math.max(0, parked - left);

export function healthOf(target: TargetStatus): string {
  if (!target.enabled) return 'off';
  if (target.paused) return 'paused';
  if (isBehind(target)) return 'behind';
  if (target.pending > 0) return 'sending';
  return toLookAt(target) > 0 ? 'parked' : 'done';
}

const shades: Record<string, string> = { done: 'teal', due: 'blue', waiting: 'blue', parked: 'orange' };

export function StateBar({ target }: { target: TargetStatus }) {
  const { parked: _, ...rest } = target.byState;
  const counts = { ...rest, parked: toLookAt(target), 'left parked': target.left };
  const order = Object.entries(counts)
    .filter(([, count]) => count > 0)
    .sort(([a], [b]) => (shades[b] ?? 'grey').localeCompare(shades[a] ?? 'grey'));
  const says = order.map(([state, count]) => `${showCount(count)} ${state}`).join(', ');
  return (
    <div className="bar" role="img" aria-label={says === '' ? 'no accounts yet' : says} title={says}>
      {order.map(([state, count]) => (
        <span key={state} className={shades[state] ?? 'grey'} style={{ flexGrow: count }} />
      ))}
    </div>
  );
}
