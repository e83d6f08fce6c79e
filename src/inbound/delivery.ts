import type { Delivery } from '../provisioning/wait.ts';

/** How doors tell what became of a change at the targets its request waited for (engine rule 29). */

/** Names each blocking target and its outcome; see `describeDeliveries`. */
export const deliveryHeader = 'purvey-delivery';

const longestHeader = 4_096;
const longestReason = 300;

/**
 * A structured field (RFC 9651): a list of target names, each with `outcome` (a token) and often a `reason`:
 *
 *     "partner:SCIM2";outcome=done, "hr:SCIM2";outcome=pending;reason="the lane is held: connection refused"
 *
 * ASCII only: what is not becomes a display string. At most 4,096 characters: reasons are cut short, and targets for
 * which there is no room are counted in a last item, `and-more;count=3`.
 */
export function describeDeliveries(deliveries: readonly Delivery[]): string {
  const share = Math.floor(longestHeader / deliveries.length);
  const items: string[] = [];
  let room = longestHeader - 'and-more;count=99999, '.length;
  for (const { target, outcome, reason } of deliveries) {
    const head = `${writeText(target)};outcome=${outcome}`;
    const rest = Math.min(longestReason, share - head.length - ', ;reason=""'.length);
    const item = reason === null || rest < 10 ? head : `${head};reason=${writeText(cut(reason, rest))}`;
    room -= item.length + 2;
    if (room < 0) return [...items, `and-more;count=${deliveries.length - items.length}`].join(', ');
    items.push(item);
  }
  return items.join(', ');
}

const fromBest: readonly Delivery['outcome'][] = ['none', 'done', 'pending', 'withheld', 'parked'];

/**
 * What became of many subjects that one request changed, for `describeDeliveries`: of each target the worst, and for how
 * many of them it is so.
 */
export function summarizeDeliveries(all: readonly (readonly Delivery[])[]): Delivery[] {
  const worst = new Map<number, { delivery: Delivery; count: number }>();
  for (const delivery of all.flat()) {
    const known = worst.get(delivery.targetId);
    const rank = fromBest.indexOf(delivery.outcome);
    const best = known ? fromBest.indexOf(known.delivery.outcome) : -1;
    if (!known || rank > best) worst.set(delivery.targetId, { delivery, count: 1 });
    else if (rank === best) known.count++;
  }
  return [...worst.values()].map(({ delivery, count }) => {
    const isWell = delivery.outcome === 'done' || delivery.outcome === 'none';
    const first = delivery.reason === null ? '' : `, the first: ${delivery.reason}`;
    return { ...delivery, reason: isWell ? null : `${count} of ${all.length} users and groups${first}` };
  });
}

/** A string (RFC 9651 section 3.3.3), or a display string (3.3.8) for what is not printable ASCII. */
function writeText(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text)) return `"${text.replace(/["\\]/g, '\\$&')}"`;
  const escaped = [...Buffer.from(text.toWellFormed(), 'utf8')].map((byte) =>
    byte < 0x20 || byte > 0x7e || byte === 0x25 || byte === 0x22
      ? `%${byte.toString(16).padStart(2, '0')}`
      : String.fromCharCode(byte),
  );
  return `%"${escaped.join('')}"`;
}

/** At most `length` characters as they are written, at the end of a whole one. */
function cut(text: string, length: number): string {
  const plain = text.replace(/\s+/g, ' ');
  if (writeText(plain).length - 2 <= length) return plain;
  const kept = [...plain];
  while (kept.length > 0 && writeText(`${kept.join('')}...`).length - 3 > length) {
    kept.length = Math.min(kept.length - 1, Math.floor(kept.length * 0.9));
  }
  return `${kept.join('')}...`;
}

/** Named in the detail at most. */
const mostNamed = 5;

/**
 * What the request fails with although its change is stored: the binding of a target says `onFailure: fail`, and the
 * target will not take it (502) or has not taken it yet (504). Undefined: it does not fail.
 */
export function failureOfDeliveries(
  deliveries: readonly Delivery[],
): { status: 502 | 504; detail: string } | undefined {
  const failing = deliveries.filter(
    (one) => one.onFailure === 'fail' && one.outcome !== 'done' && one.outcome !== 'none',
  );
  if (failing.length === 0) return undefined;
  const stuck = failing.some((one) => one.outcome !== 'pending');
  const said = failing.slice(0, mostNamed).map(sentenceOf);
  const more = failing.length > mostNamed ? [`And ${failing.length - mostNamed} more targets.`] : [];
  const advice = stuck
    ? 'Do not send the request again: what a target refused is tried again when the person, its settings or its rules change.'
    : 'Do not send the request again: delivery goes on by itself.';
  return {
    status: stuck ? 502 : 504,
    detail: ['The change is stored here.', ...said, ...more, advice].join(' '),
  };
}

function sentenceOf({ target, outcome, reason }: Delivery): string {
  const why = reason === null ? '' : `: ${cut(reason, longestReason).replace(/\.$/, '')}`;
  switch (outcome) {
    case 'parked':
      return `${target} does not take it, and somebody has to look${why}.`;
    case 'withheld':
      return `A rule keeps it from ${target}${why}.`;
    default:
      return `${target} does not have it yet${why}.`;
  }
}

/**
 * The seconds of `Prefer: wait=5` (RFC 7240 section 4.3) in milliseconds; undefined when there is none that can be read,
 * since a preference may be passed over.
 */
export function readPreferredWait(header: string | string[] | undefined): number | undefined {
  const text = [header ?? []].flat().join(',');
  const seconds = /(?:^|,)\s*wait\s*=\s*"?(\d{1,6})"?\s*(?=$|[,;])/i.exec(text)?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1_000;
}
