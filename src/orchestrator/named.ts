/** The guards and actions of a chart, which its definition calls by their names. */
import type { AnyEventObject, AnyMachineSnapshot, AnyStateMachine } from 'xstate';

/** What guards, actions and outputs are told. */
export interface At {
  readonly context: AnyMachineSnapshot['context'];
  readonly event: AnyEventObject;
}

type Told<Result> = (at: At, params?: unknown) => Result;

/** `params` is a value, or is made of what the guard or action is told. */
interface WithParams {
  readonly type: string;
  readonly params?: unknown;
}

/** What `assign` of XState makes: the changes, or for each field its value or what makes it. */
interface Assign {
  readonly assignment: Told<object> | Readonly<Record<string, unknown>>;
}

export function passes(machine: AnyStateMachine, guard: unknown, at: At): boolean {
  if (guard === undefined) return true;
  const { type, params } = named(guard);
  const implemented = machine.implementations.guards[type];
  if (typeof implemented !== 'function' || 'check' in implemented) {
    throw new Error(`the guard ${type} is not a function of the chart`);
  }
  return (implemented as unknown as Told<boolean>)(at, paramsOf(params, at));
}

/** The context after the action. */
export function assigned(machine: AnyStateMachine, action: unknown, at: At): At['context'] {
  const { type, params } = named(action);
  const implemented = machine.implementations.actions[type] as Partial<Assign> | undefined;
  const assignment = implemented?.assignment;
  if (assignment === undefined) throw new Error(`the action ${type} is not an assignment`);
  if (typeof assignment === 'function') {
    return { ...at.context, ...assignment(at, paramsOf(params, at)) };
  }
  const context = { ...at.context };
  for (const [field, value] of Object.entries(assignment)) {
    context[field] = typeof value === 'function' ? value(at, paramsOf(params, at)) : value;
  }
  return context;
}

function named(guardOrAction: unknown): WithParams {
  return typeof guardOrAction === 'string'
    ? { type: guardOrAction }
    : (guardOrAction as WithParams);
}

function paramsOf(params: unknown, at: At): unknown {
  return typeof params === 'function' ? params(at) : params;
}
