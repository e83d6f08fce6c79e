import { Icon, type IconName } from '../parts/icon.tsx';
import { plural } from '../parts/words.ts';

/** As `src/rules/trace-node.ts` writes it. */
export type TraceNode = {
  kind: 'rule' | 'policy' | 'policySet';
  id: string;
  name?: string;
  line: number;
  description?: string;
  decision: string;
  target: string;
  mismatches: Explanation[];
  condition?: Explanation;
  children: TraceNode[];
  skipped: number;
};
type Explanation = { expression: string; value: string; line: number; parts: Explanation[] };

const looks: Record<string, { icon: IconName; tone: string; word: string }> = {
  permit: { icon: 'check', tone: 'teal', word: 'permits' },
  deny: { icon: 'hand', tone: 'grey', word: 'denies' },
  'not-applicable': { icon: 'minus', tone: 'none', word: 'does not apply' },
};
const unclear = { icon: 'warning', tone: 'orange', word: 'cannot be decided' } as const;

/** How each policy and rule came to its decision, in plain words; every part with its value can be unfolded. */
export function Trace({ nodes }: { nodes: readonly TraceNode[] }) {
  if (nodes.length === 0) return <p className="muted">No policy was asked.</p>;
  return (
    <ul className="trace">
      {nodes.map((node, n) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a trace never changes
        <Node key={n} node={node} />
      ))}
    </ul>
  );
}

const kinds = { rule: 'Rule', policy: 'Policy', policySet: 'Policy set' };

function Node({ node }: { node: TraceNode }) {
  const { kind, id, name, line, description, decision, condition, children, skipped } = node;
  const look = looks[decision] ?? unclear;
  const isRoot = id === 'purvey:policies-in-force';
  const why = whyNot(node);
  return (
    <li data-decision={decision}>
      <div className="trace-line">
        <span className={`trace-icon text-${look.tone}`}>
          <Icon name={look.icon} size={14} />
        </span>
        <span className="grow">
          {kind === 'rule' && description ? (
            <>
              {description} <span className="muted small mono">{id}</span>
            </>
          ) : (
            <>
              {nameOfNode(node)}
              {name !== undefined && name !== id && <span className="muted small mono"> {id}</span>}
            </>
          )}{' '}
          <span className={decision === 'not-applicable' ? 'muted' : `text-${look.tone}`}>{look.word}</span>
          {why.length > 0 && <span className="muted">: {why.join('; ')}</span>}
          <span className="muted small"> {isRoot ? '' : `line ${line}`}</span>
        </span>
      </div>
      {condition && (
        <details className="trace-parts">
          <summary>Every part of its condition</summary>
          <ul className="trace">
            <Part part={condition} />
          </ul>
        </details>
      )}
      {children.length > 0 && <Trace nodes={children} />}
      {skipped > 0 && <p className="muted small trace-skipped">{plural(skipped, 'more', 'more')} that cannot match</p>}
    </li>
  );
}

function Part({ part }: { part: Explanation }) {
  return (
    <li>
      <span className="mono">
        {nameOf(part.expression)} <span className="muted">=</span> {part.value}
      </span>
      {part.parts.length > 0 && (
        <ul className="trace">
          {part.parts.map((one, n) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a trace never changes
            <Part key={n} part={one} />
          ))}
        </ul>
      )}
    </li>
  );
}

function nameOfNode({ kind, id, name }: TraceNode): string {
  return id === 'purvey:policies-in-force' ? 'All policies in force, a denial first' : `${kinds[kind]} ${name ?? id}`;
}

/** What did not hold, with the values that were seen; for what applies, nothing. */
function whyNot({ decision, target, mismatches, condition, children }: TraceNode): string[] {
  if (decision === 'permit' || decision === 'deny') return [];
  if (target !== 'match') return mismatches.length > 0 ? [...new Set(mismatches.map(sayMismatch))] : [target];
  if (condition) return [...new Set(sayFalse(condition, false))];
  return children.length > 0 ? [] : ['nothing in it applies'];
}

function sayMismatch({ parts, value }: Explanation): string {
  const [wanted, attribute] = parts;
  if (!wanted || !attribute || value.startsWith('error')) return value;
  return `${nameOf(attribute.expression)} is ${listed(attribute.value)}, not ${wanted.expression}`;
}

/** The parts because of which a condition is not as it was wanted. */
function sayFalse(part: Explanation, wanted: boolean): string[] {
  const { expression, value, parts } = part;
  if (value.startsWith('error')) {
    const deeper = parts.flatMap((one) => (one.value.startsWith('error') ? sayFalse(one, wanted) : []));
    return deeper.length > 0 ? deeper : [value.replace(/^error: /, '')];
  }
  if (expression === 'not') return parts.flatMap((one) => sayFalse(one, !wanted));
  if (expression === 'and' || expression === 'or') {
    return parts
      .filter((one) => one.value === value || one.value.startsWith('error'))
      .flatMap((one) => sayFalse(one, wanted));
  }
  return [sayTest(part, wanted)];
}

const weekdays = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const dayOf = (digits: string) => weekdays[Number(digits.replace(/\D/g, ''))] ?? digits;

function sayTest({ expression, value, parts }: Explanation, wanted: boolean): string {
  const [a, b, c] = parts;
  const not = wanted ? '' : 'not ';
  if (/at-least-one-member-of$/.test(expression) && a && b) {
    return `${nameOf(a.expression)} ${isOrAre(a)} ${listed(a.value)}, ${wanted ? 'one' : 'none'} of ${listed(b.value)}`;
  }
  const each = /^any-of string-(contains|starts-with)$/.exec(expression);
  if (each && a && b) {
    const verb = each[1] === 'contains' ? 'containing' : 'beginning with';
    return `${nameOf(b.expression)} ${isOrAre(b)} ${listed(b.value)}, ${not}${verb} ${a.expression}`;
  }
  if (expression === 'time-in-range' && a && b && c)
    return `the time is ${clock(a.value)}, ${not}between ${clock(b.value)} and ${clock(c.value)}`;
  if (expression === 'integer-is-in' && a?.expression === 'day_of_week' && b) {
    return `it is ${dayOf(a.value)}, ${not}one of ${b.value.replace(/"\d"/g, dayOf).replace(/[[\]]/g, '')}`;
  }
  const dates = /^date-(greater|less)-than-or-equal$/.exec(expression);
  if (dates && a && b) {
    const words = dates[1] === 'greater' ? ['before', 'not before'] : ['after', 'not after'];
    return `it is ${day(a.value)}, ${words[value === 'true' ? 1 : 0]} ${day(b.value)}`;
  }
  if (/^integer-(greater-than|equal)$/.test(expression) && a?.expression === 'string-bag-size') {
    return Number(a.value) > 0 ? 'it is a user' : 'it is a group';
  }
  return `${expression}(${parts.map((one) => one.value).join(', ')}) is ${value}`;
}

const isOrAre = (part: Explanation) => (nameOf(part.expression) === 'groups' ? 'are' : 'is');
const listed = (bag: string) => bag.replace(/^\[|\]$/g, '') || 'nothing';
const clock = (time: string) => time.replace(/(\.\d+)?(Z|[+-]\d\d:\d\d)?$/, '').replace(/:00$/, '');
const day = (date: string) => date.slice(0, 10);

const names: Record<string, string> = {
  'http://wso2.org/identity/provisioning/claim-group': 'groups',
  'http://wso2.org/identity/provisioning/provision-operation': 'operation',
  'http://wso2.org/identity/idp/idp-name': 'identity provider',
  'http://wso2.org/identity/idp/connector-type': 'connector',
  'http://wso2.org/identity/sp/sp-name': 'service provider',
  'http://wso2.org/identity/user/username': 'name',
  'http://wso2.org/identity/identity-action/action-name': 'action',
};

function nameOf(expression: string): string {
  return names[expression] ?? expression.replace(/^(?:urn:|https?:).*[:/]/, '');
}
