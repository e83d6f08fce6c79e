import type { WaveAnswer } from '../../contract/wave.ts';
import { speedOf, type Wave } from '../../provisioning/waves.ts';
import { showTime } from './query.ts';

/** How a wave looks to a caller. `now`: database time. */
export function showWave(wave: Wave, target: string, now: number): WaveAnswer {
  const speed = speedOf(wave, now);
  const left = Math.max(0, wave.total - wave.seen);
  return {
    id: wave.id,
    targetId: wave.target_id,
    target,
    kind: wave.kind,
    cause: wave.cause,
    actor: wave.actor,
    state: wave.state,
    total: wave.total,
    seen: wave.seen,
    raised: wave.raised,
    perSecond: speed === null ? null : Math.round(speed * 10) / 10,
    secondsLeft: speed === null || wave.state !== 'running' ? null : Math.round(left / speed),
    startedAt: showTime(wave.started_at),
    endedAt: wave.ended_at === null ? null : showTime(wave.ended_at),
  };
}
