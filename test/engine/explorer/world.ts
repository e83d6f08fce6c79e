import type { Answer } from '../../../src/outbound/courier.ts';
import { tidyBodies } from '../../../src/provisioning/account-bodies.ts';
import { claimLane } from '../../../src/provisioning/claim.ts';
import { recordResults } from '../../../src/provisioning/complete.ts';
import { endLeasesOf } from '../../../src/provisioning/leases-left.ts';
import { openLookups } from '../../../src/provisioning/lookups.ts';
import { changesPerStep, planStep } from '../../../src/provisioning/plan.ts';
import type { TargetBook } from '../../../src/provisioning/target-book.ts';
import { waveStep } from '../../../src/provisioning/wave-step.ts';
import { openAdministration } from './administration.ts';
import { lookAhead } from './ahead.ts';
import { type Attempt, openAttempt } from './attempt.ts';
import { findFaults, findMisplaced } from './check.ts';
import type { Ground } from './ground.ts';
import { type Heard, openMemoryTarget, type Said } from './memory-target.ts';
import { openOperator } from './operator.ts';
import { openPeople } from './people.ts';
import { openRandom } from './random.ts';
import { type Fate, type Schedule, type Step, scopes, settleMs, timeoutMs } from './schedule.ts';
import { Wrong } from './wrong.ts';

/** What a schedule came to. `faults` is empty when everything at rest is as it should be. */
export type Outcome = { faults: string[]; trace: string[]; attempts: number };

const attemptsToRest = 3_000;
const roundsToRest = 600;

/** `bookMark`: the moment (`let-in.ts`) of which its book tells. */
type Node = { id: number; name: string; book: TargetBook; bookMark: number; attempts: Attempt[] };

/** Runs the steps of a schedule, lets everything heal and come to rest, and looks at what came out. */
export async function runSchedule(ground: Ground, schedule: Schedule): Promise<Outcome> {
  const { store, clock, targetId } = ground;
  const { setting } = schedule;
  await ground.clear({ ...setting, policy: { ...setting.policy, nestedGroups: setting.nesting ?? 'native' } });
  const random = openRandom(schedule.seed ^ 0x5bd1e995);
  const target = openMemoryTarget(setting.traits, clock.now);
  const lookups = openLookups(store);
  const late: { at: number; said: Said; subjectId: string }[] = [];
  const trace: string[] = [];
  const tell = (line: string) => trace.push(`${String(clock.monotonic()).padStart(7)}  ${line}`);
  let attemptsMade = 0;
  let recording: Attempt[] = [];
  const administration = openAdministration(ground, schedule, tell);
  const { letIn } = administration;
  // Where an account stays whose subject is gone, or rests, its name stays taken.
  const names = setting.leavers === 'disabled' || setting.applications ? 'never again' : 'again';
  const people = openPeople(ground, names, letIn.noteSpoke, setting.forwarded);
  const operator = openOperator(ground, schedule, target, people);
  /** The moment of which the book of an attempt told when it was claimed. */
  const bookMarks = new Map<Attempt, number>();

  let started = 0;
  const openNode = async (name: string): Promise<Node> => {
    const bookMark = letIn.mark;
    return { id: ++started, name, book: await ground.openBook(), bookMark, attempts: [] };
  };
  const openBookAnew = async (node: Node): Promise<void> => {
    // Both at once: the same node may claim while its book is read.
    Object.assign(node, { bookMark: letIn.mark, book: await ground.openBook(node.book) });
  };
  const nodes: Node[] = [];
  for (let n = 0; n < setting.nodes; n++) nodes.push(await openNode(`node${n}`));

  const nodeAt = (n: number): Node => nodes[n % nodes.length]!;
  const nick = people.nick;
  const whose = (attempt: Attempt) => nick(attempt.claim.account.subject_id);

  function describe(said: Said): string {
    const { say, ...rest } = said;
    const text = JSON.stringify(rest, (_, value) => (typeof value === 'string' ? nick(value) : value));
    return `${say} ${text}`;
  }

  function carryOut(said: Said, how: string): Heard {
    const heard = target.carryOut(said);
    tell(
      `      target ${how}: ${describe(said)} -> ${JSON.stringify(heard, (_, v) => (typeof v === 'string' ? nick(v) : v))}`,
    );
    return heard;
  }

  /** Time goes on: requests whose caller gave up land at their hour, and callers give up. */
  async function pass(ms: number, fates: number): Promise<void> {
    const until = clock.now() + ms;
    for (;;) {
      const flying = nodes
        .flatMap((node) => node.attempts)
        .filter((attempt) => attempt.state === 'flying' && !attempt.frozen);
      const events = [...late.map((one) => one.at), ...flying.map((attempt) => attempt.leftAt + timeoutMs)].filter(
        (at) => at <= until,
      );
      if (events.length === 0) break;
      clock.pass(Math.max(0, Math.min(...events) - clock.now()));
      land();
      for (const [n, attempt] of flying.entries()) {
        if (attempt.leftAt + timeoutMs > clock.now()) continue;
        tell(`${whose(attempt)}: no answer within its time`);
        abandon(attempt, fates + n);
        await attempt.answer({ ended: 'unknown', cause: 'timeout', reason: 'no answer in time' });
        watch(attempt);
      }
    }
    clock.pass(Math.max(0, until - clock.now()));
    land();
  }

  function land(): void {
    for (const one of late.filter((each) => each.at <= clock.now())) {
      late.splice(late.indexOf(one), 1);
      carryOut(one.said, 'carries out late');
    }
  }

  /** Nobody waits for the answer any more: the request was carried out, will be, or never will. */
  function abandon(attempt: Attempt, fate: number): void {
    if (!attempt.mutation || attempt.state !== 'flying' || attempt.frozen) return;
    const said = attempt.said!;
    const latest = attempt.leftAt + timeoutMs + settleMs - setting.traits.lagMs;
    if (fate % 3 === 0) carryOut(said, 'carries out, nobody hears it');
    else if (fate % 3 === 1) deferTo(attempt, Math.max(clock.now(), latest - (fate % 7) * 50));
    else tell(`      never arrives: ${describe(said)}`);
  }

  function deferTo(attempt: Attempt, at: number): void {
    late.push({ at, said: attempt.said!, subjectId: attempt.claim.account.subject_id });
    tell(`      on its way until ${at - clock.now()} ms from here: ${describe(attempt.said!)}`);
  }

  function watch(attempt: Attempt): void {
    if (attempt.wrong !== undefined) throw new Wrong(attempt.wrong);
    if (attempt.state === 'ended') {
      const { operation, outcome, reason, state, finished } = attempt.ended!.result;
      tell(`${whose(attempt)}: ${operation} ${outcome}, ${finished ? state : 'again'}${reason ? `: ${reason}` : ''}`);
    }
  }

  /** Before a mutation leaves: the account must be this attempt's own, and nothing said of it may still be on its way. */
  async function checkMutation(attempt: Attempt): Promise<void> {
    const { account, attemptId } = attempt.claim;
    const rows = await store.read((reading) =>
      reading.all(
        reading.q
          .selectFrom('accounts')
          .select(['lease_attempt', 'doubt', 'due_at'])
          .where('target_id', '=', targetId)
          .where('subject_id', '=', account.subject_id),
      ),
    );
    const row = rows[0];
    if (!row) throw new Wrong(`${whose(attempt)}: a mutation left without an account`);
    if (row.lease_attempt !== null && row.lease_attempt !== attemptId)
      throw new Wrong(`${whose(attempt)}: a mutation left under another's lease`);
    if ((row.due_at ?? 0) < clock.now())
      throw new Wrong(`${whose(attempt)}: a mutation left after the end of its lease`);
    if (row.doubt === null) throw new Wrong(`${whose(attempt)}: a mutation left without doubt written down`);
    if (late.some((one) => one.subjectId === account.subject_id)) {
      throw new Wrong(`${whose(attempt)}: a mutation left while an earlier one may still land`);
    }
    const others = nodes.flatMap((node) => node.attempts);
    if (
      others.some(
        (one) =>
          one !== attempt && one.state === 'flying' && one.mutation && !one.frozen && whose(one) === whose(attempt),
      )
    ) {
      throw new Wrong(`${whose(attempt)}: two mutations are on their way at once`);
    }
    if (!letIn.mayBeSent(account.subject_id, bookMarks.get(attempt)!)) {
      throw new Wrong(`${whose(attempt)}: a mutation left though no binding lets it in`);
    }
    if (attempt.said?.say === 'create') checkEntry(attempt);
    operator.checkMutation(attempt);
  }

  /** By a scope that reads groups whoever comes into a group is let in too, by everybody who ever spoke. */
  function checkEntry(attempt: Attempt): void {
    const { kind, subject_id: id } = attempt.claim.account;
    if (kind === 'user' && setting.scope !== 'attribute') return;
    if (!letIn.mayHaveEntered(id)) throw new Wrong(`${whose(attempt)} came in, and nothing let it in`);
  }

  async function goOn(attempt: Attempt, fate: Fate): Promise<void> {
    switch (attempt.state) {
      case 'in line':
        await attempt.begin();
        return watch(attempt);
      case 'leaving': {
        const said = attempt.said!;
        if ((await attempt.leave()) === 'left') {
          if (attempt.mutation) await checkMutation(attempt);
          tell(`${whose(attempt)}: says ${said.say}`);
        }
        return watch(attempt);
      }
      case 'flying':
        if (attempt.frozen) return thaw(attempt);
        if (fate === 'frozen' && attempt.mutation) {
          tell(`${whose(attempt)}: its process stands still`);
          attempt.frozen = true;
          return;
        }
        await attempt.answer(arrive(attempt, fate));
        return watch(attempt);
      case 'ended':
        return;
    }
  }

  /** It sends, hears and writes down: only what it writes down tells anybody that it sent so late. */
  async function thaw(attempt: Attempt): Promise<void> {
    tell(`${whose(attempt)}: its process goes on`);
    attempt.frozen = false;
    await attempt.answer(arrive(attempt, 'answered'));
    watch(attempt);
    while (attempt.state !== 'ended') await goOn(attempt, 'answered');
    const node = nodes.find((one) => one.attempts.includes(attempt))!;
    node.attempts = node.attempts.filter((one) => one !== attempt);
    await recordResults(store, random.next, [attempt.ended!]);
    tell(`${node.name} records ${whose(attempt)}`);
    await checkRecorded([attempt]);
  }

  async function checkRecorded(recorded: readonly Attempt[]): Promise<void> {
    await operator.checkTaken(recorded);
    for (const attempt of recorded) bookMarks.delete(attempt);
  }

  function arrive(attempt: Attempt, fate: Fate): Answer {
    const said = attempt.said!;
    const answered = (heard: Heard): Answer => ({
      ended: 'answered',
      status: heard.status,
      headers: {},
      body: heard,
      text: '',
    });
    const lost = (reason: string): Answer => ({ ended: 'unknown', cause: 'closed', reason });
    const onResource = said.say !== 'find' && said.say !== 'create';
    if (fate !== 'answered') tell(`      fault: ${fate}`);
    if ((fate === '404' || fate === 'removed there') && 'id' in said) operator.doubtWordsAbout(said.id);
    switch (fate) {
      case 'request lost':
        return lost('the connection broke');
      case 'answer lost':
        carryOut(said, 'carries out, the answer is lost');
        return lost('the connection broke');
      case 'late':
        if (attempt.mutation) deferTo(attempt, attempt.leftAt + timeoutMs + settleMs - setting.traits.lagMs);
        return lost('the connection broke');
      case '404':
        if (onResource) return answered({ status: 404 });
        break;
      case '409':
        if (said.say === 'create' || said.say === 'update') return answered({ status: 409 });
        break;
      case '401':
      case '429':
      case '503':
      case '500':
        return answered({ status: Number(fate) });
      case '500 but carried out':
        carryOut(said, 'carries out');
        return answered({ status: 500 });
      case 'removed there':
        if ('id' in said) target.removeThere(said.id);
        break;
      case 'frozen':
      case 'answered':
        break;
    }
    const heard = carryOut(said, 'answers');
    if (said.say === 'read' && heard.status === 200) attempt.read.add(said.id);
    return answered(heard);
  }

  const isInScope = (id: string) => people.nameOf(id) !== undefined;

  async function plan(node: Node): Promise<number> {
    const planned = setting.planSize === 'many' && letIn.plansAtOnce ? letIn.beginPlan(isInScope) : undefined;
    const taken = await planStep(store, node.book);
    if (taken === 'outdated') {
      await openBookAnew(node);
      return 1;
    }
    planned?.();
    if (taken > 0) tell(`${node.name} plans ${taken}`);
    if (taken >= changesPerStep(node.book)) return taken;
    const looked = await waveStep(store, node.book);
    if (looked === 'outdated') {
      await openBookAnew(node);
      return taken + 1;
    }
    if (looked === 'waiting' || looked === 0) return taken;
    tell(`${node.name} carries a wave on: ${looked}`);
    return taken + looked;
  }

  async function claim(node: Node, kind: 'user' | 'group', limit: number): Promise<Attempt[]> {
    const { bookMark } = node;
    const { claims } = await claimLane(store, clock, node.book, { targetId, kind, node: node.id }, limit);
    const attempts = claims.map((each) => openAttempt(each, clock, lookups));
    for (const attempt of attempts) {
      tell(`${node.name} claims ${whose(attempt)}${attempt.claim.probe ? ' as a probe' : ''}`);
      node.attempts.push(attempt);
      bookMarks.set(attempt, bookMark);
    }
    attemptsMade += attempts.length;
    return attempts;
  }

  async function record(node: Node, count: number): Promise<number> {
    const ready = node.attempts.filter((attempt) => attempt.state === 'ended').slice(0, count);
    if (ready.length === 0) return 0;
    node.attempts = node.attempts.filter((attempt) => !ready.includes(attempt));
    recording.push(...ready);
    const ended = ready.map((attempt) => attempt.ended!);
    await recordResults(store, random.next, ended);
    tell(`${node.name} records ${ready.map(whose).join(', ')}`);
    await checkRecorded(ready);
    recording = recording.filter((attempt) => !ready.includes(attempt));
    return ready.length;
  }

  async function runStep(step: Step): Promise<void> {
    switch (step.do) {
      case 'plan':
        await plan(nodeAt(step.node));
        return;
      case 'claim':
        for (const kind of step.kinds) await claim(nodeAt(step.node), kind, step.limit);
        return;
      case 'go on': {
        const attempts = nodes.flatMap((node) => node.attempts).filter((attempt) => attempt.state !== 'ended');
        if (attempts.length === 0) return;
        const attempt = attempts[step.attempt % attempts.length]!;
        // What goes wrong goes wrong on the way.
        while (step.fate !== 'answered' && attempt.state !== 'flying' && attempt.state !== 'ended') {
          await goOn(attempt, 'answered');
        }
        return goOn(attempt, step.fate);
      }
      case 'record':
        await record(nodeAt(step.node), step.count);
        return;
      case 'pass':
        return pass(step.ms, step.fates);
      case 'crash': {
        const node = nodeAt(step.node);
        tell(`${node.name} crashes`);
        for (const [n, attempt] of node.attempts.entries()) abandon(attempt, step.fates + n);
        const next = await openNode(`${node.name}'`);
        nodes[nodes.indexOf(node)] = next;
        if (Math.floor(step.fates / 3) % 3 !== 0) {
          const ended = await store.write((tx) => endLeasesOf(tx, node.id, tx.now, next.book.targets.values()));
          tell(`${next.name} takes over ${ended} leases`);
        }
        return;
      }
      case 'nest otherwise':
      case 'narrow or widen scope':
      case 'unbind or bind':
      case 'bind application':
      case 'fall back or not':
      case 'sync':
        if (step.do === 'narrow or widen scope') operator.doubtAllWords();
        return administration.run(step);
      case 'decide': {
        const told = await operator.decide(step);
        if (told !== undefined) tell(told);
        if (administration.narrow) operator.doubtAllWords();
        return;
      }
      case 'somebody there': {
        const looking = nodes.flatMap((node) => node.attempts).concat(recording);
        const told = operator.meddle(step, looking);
        if (told !== undefined) tell(told);
        return;
      }
      case 'rest':
        return comeToRest();
      case 'together':
        return void (await Promise.all(step.steps.map(runStep)));
      default: {
        const told = await people.write(step);
        if (told === undefined) return;
        tell(told);
        operator.lookAtNames();
      }
    }
  }

  /** From here nothing goes wrong any more; runs until nothing is due, planned or on its way. */
  async function comeToRest(): Promise<void> {
    for (let round = 0; round < roundsToRest; round++) {
      let moved = 0;
      for (const node of nodes) {
        // What is there to do is asked first: an idle planner or claim takes ten times as long as the question.
        let ahead = await lookAhead(store);
        // A book that is out of date is noticed by planning.
        if (round === 0) moved += await plan(node);
        while (ahead.toPlan) {
          const taken = await plan(node);
          moved += taken;
          ahead = await lookAhead(store);
          if (taken === 0) break;
        }
        for (const attempt of node.attempts) {
          // One that stood still is written down by this already, which may leave the planner something.
          for (; attempt.state !== 'ended'; moved += 1) await goOn(attempt, 'answered');
        }
        const recorded = await record(node, 64);
        if (recorded > 0) ahead = await lookAhead(store);
        moved += recorded;
        for (const kind of ['user', 'group'] as const) {
          const isDue = ahead.accounts.some((one) => one.kind === kind && one.at <= clock.now());
          if (isDue) moved += (await claim(node, kind, 16)).length;
        }
      }
      await pass(1, 0);
      if (attemptsMade > attemptsToRest) throw new Wrong('it does not come to rest: attempt follows attempt');
      if (moved > 0) continue;
      const next = await nextEvent();
      if (next === undefined) return letIn.noteRest();
      await pass(Math.max(1, next - clock.now()), 0);
    }
    throw new Wrong('it does not come to rest: something is due and never goes');
  }

  async function restAsBound(): Promise<void> {
    await comeToRest();
    const misplaced = await findMisplaced(store, { targetId, nick, letIn: letIn.isLetIn });
    if (misplaced.length > 0) throw new Wrong(misplaced.join('; '));
  }

  async function settleParked(): Promise<Set<string>> {
    const rest = async () => {
      const before = attemptsMade;
      await comeToRest();
      return attemptsMade - before;
    };
    const sendAgain = async () => {
      if (setting.forwarded) await people.resend();
    };
    return operator.settle(rest, (ms) => pass(ms, 0), letIn.isLetIn, sendAgain);
  }

  /** When something happens by itself next; undefined at rest. */
  async function nextEvent(): Promise<number | undefined> {
    const { accounts, lanes } = await lookAhead(store);
    const times = [
      ...late.map((one) => one.at),
      ...accounts.map(({ at, kind }) => Math.max(at, lanes.find((lane) => lane.kind === kind)?.at ?? 0)),
    ];
    return times.length === 0 ? undefined : Math.min(...times);
  }

  try {
    for (const step of schedule.steps) {
      await pass(1, 0);
      await runStep(step);
    }
    tell('everything heals');
    if (administration.narrow) operator.doubtAllWords();
    // A sync looks at everybody and lets in by whoever spoke: before there is one it shows what came of the bindings alone.
    if (setting.applications) await restAsBound();
    await administration.settle();
    if (setting.forwarded) {
      tell('everybody is sent once more');
      await people.resend();
    }
    await comeToRest();
    const left = setting.asks ? await settleParked() : new Set<string>();
    await tidyBodies(store, '');
    // By a scope that reads groups anybody may have been out of it for a while, and by what an administrator did.
    const passwords = new Map(
      [...people.passwords].map(([id, last]) => [
        id,
        { ...last, unclaimed: last.unclaimed || administration.shut || setting.scope !== 'attribute' },
      ]),
    );
    const faults = await findFaults(store, target, {
      targetId,
      nick,
      leavers: setting.leavers,
      passwords,
      holds: scopes[setting.scope].holds,
      nesting: administration.nesting,
      letIn: letIn.isLetIn,
      left,
      ...(setting.forwarded ? { forwarded: people.docs() } : {}),
    });
    faults.push(...operator.findTouched());
    return { faults, trace, attempts: attemptsMade };
  } catch (error) {
    const reason =
      error instanceof Wrong ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { faults: [reason], trace, attempts: attemptsMade };
  }
}
