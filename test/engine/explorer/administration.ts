import type { Nesting } from '../../../src/provisioning/policy.ts';
import type { Ground } from './ground.ts';
import { type Bindings, nowhere, openLetIn } from './let-in.ts';
import { narrowed, type Schedule, type Step, scopes } from './schedule.ts';

type Order = Extract<
  Step,
  {
    do:
      | 'narrow or widen scope'
      | 'unbind or bind'
      | 'bind application'
      | 'fall back or not'
      | 'nest otherwise'
      | 'sync';
  }
>;

/** What an administrator does to the target and to who is bound to it, and what is true of it by now. */
export function openAdministration(ground: Ground, { setting, seed }: Schedule, tell: (line: string) => void) {
  const { filter } = scopes[setting.scope];
  const letIn = openLetIn({ resident: true, ...(setting.applications ?? nowhere) });
  let nesting: Nesting = setting.nesting ?? 'native';
  let narrow = false;
  let administered = false;
  // Who comes by an application may come to nothing at first.
  let shut = setting.applications !== undefined;

  const setPolicy = () =>
    ground.setPolicy(setting, { scopeUsers: narrow ? narrowed(filter) : filter, nestedGroups: nesting });

  async function bind(bindings: Bindings, told: string): Promise<void> {
    administered = true;
    shut = true;
    tell(told);
    await letIn.change(bindings, () => ground.setBindings(bindings));
  }

  async function run(order: Order): Promise<void> {
    const { bindings } = letIn;
    switch (order.do) {
      case 'nest otherwise':
        if (order.nesting === nesting) return;
        nesting = order.nesting;
        tell(`groups in groups: ${nesting}`);
        return setPolicy();
      case 'narrow or widen scope':
        administered = true;
        narrow = !narrow;
        shut = true;
        tell(`the scope is ${narrow ? 'narrowed' : 'widened'}`);
        return setPolicy();
      case 'unbind or bind':
        return bind(
          { ...bindings, resident: !bindings.resident },
          `the target is ${bindings.resident ? 'unbound' : 'bound'}`,
        );
      case 'bind application': {
        const { app, own } = order;
        if (bindings[app].own === own) return;
        return bind({ ...bindings, [app]: { ...bindings[app], own } }, `the binding of ${app}: ${own}`);
      }
      case 'fall back or not': {
        const { app } = order;
        const fallback = bindings[app].fallback === 'none' ? 'resident' : 'none';
        return bind({ ...bindings, [app]: { ...bindings[app], fallback } }, `${app} falls back to: ${fallback}`);
      }
      case 'sync':
        administered = true;
        tell('a sync is asked for');
        letIn.noteSync();
        return ground.sync();
    }
  }

  return {
    letIn,
    run,
    get nesting(): Nesting {
      return nesting;
    },
    get narrow(): boolean {
      return narrow;
    },
    /** Somebody may have been left out for a while. */
    get shut(): boolean {
      return shut;
    },
    /**
     * Whoever was outside or came without a binding is sent, as an administrator would do after such a day. Applications
     * stay as they are, and where there are some the resident service provider may stay unbound too.
     */
    async settle(): Promise<void> {
      const stays = setting.applications !== undefined && seed % 5 === 0;
      if (narrow) await run({ do: 'narrow or widen scope' });
      if (!letIn.bindings.resident && !stays) await run({ do: 'unbind or bind' });
      if (administered || letIn.anyInVain) await run({ do: 'sync' });
    },
  };
}

export type Administration = ReturnType<typeof openAdministration>;
