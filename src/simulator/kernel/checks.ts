/** How the model makes the checks of a request: those of its kernel's record, in the record's order. */
import type { CheckedRequest, CheckName, CheckOrder } from '../../abi/kvm/checks/index.ts';
import type { FaultPoint } from '../faults.ts';
import { type Refusal, refuse, refuseWith } from './answer.ts';
import type { Kernel } from './kernel.ts';

/**
 * One check, and what the kernel does where it passes. True: the check refuses the call. A refusal of
 * its own says more than the row does.
 */
export type Step<Call> = (call: Call) => boolean | Refusal | undefined;

/** The steps of a request by the name of their check. Those that no kernel can come to have none. */
export type Steps<Call> = Readonly<Partial<Record<CheckName, Step<Call>>>>;

/** The first refusal; undefined: the call has passed every check, and its steps are done. */
export function firstRefusal<Call>(
  { abi }: Kernel,
  request: CheckedRequest,
  { steps, call }: { readonly steps: Steps<Call>; readonly call: Call },
): Refusal | undefined {
  for (const { step, refusal } of stepsInOrder(abi.checks[request], steps)) {
    const refused = step(call);
    if (refused === true) return refusal;
    if (typeof refused === 'object') return refused;
  }
  return undefined;
}

interface OrderedStep<Call> {
  readonly step: Step<Call>;
  readonly refusal: Refusal;
}

/** By the steps of a request and by the order of a kernel. Looking each check up for each call took half the time. */
const ordered = new WeakMap<object, WeakMap<CheckOrder, readonly OrderedStep<unknown>[]>>();

function stepsInOrder<Call>(order: CheckOrder, steps: Steps<Call>): readonly OrderedStep<Call>[] {
  let ofSteps = ordered.get(steps);
  if (ofSteps === undefined) {
    ofSteps = new WeakMap();
    ordered.set(steps, ofSteps);
  }
  const known = ofSteps.get(order);
  // The steps themselves are the key, so those found are of the same call.
  if (known !== undefined) return known as readonly OrderedStep<Call>[];
  const made = order.flatMap((check) => {
    const step = steps[check];
    return step === undefined ? [] : [{ step, refusal: refuse(check) }];
  });
  ofSteps.set(order, made as readonly OrderedStep<unknown>[]);
  return made;
}

/** A step that fails only where a fault is injected: no memory, no descriptor. */
export function faultStep(check: CheckName, point: FaultPoint): Step<{ readonly kernel: Kernel }> {
  return ({ kernel }) => faultAt(kernel, point, check);
}

/** The answer of an injected fault, where there is one at this point. */
export function faultAt(kernel: Kernel, point: FaultPoint, check: CheckName): Refusal | undefined {
  const errno = kernel.faults.errnoAt?.(point);
  return errno === undefined ? undefined : refuseWith(check, { errno });
}

/**
 * A value that a check copies in from user space, for the checks after it. Every copy is made at its
 * place in the kernel's order, as it may fault.
 */
export class CopiedIn<Value> {
  readonly #read: () => Value | undefined;
  #value: Value | undefined;

  constructor(read: () => Value | undefined) {
    this.#read = read;
  }

  /** Copies it in. True: it is unreadable. */
  fails(): boolean {
    this.#value = this.#read();
    return this.#value === undefined;
  }

  get value(): Value {
    if (this.#value === undefined) {
      throw new Error('the kernel record has a check before the one that reads what it looks at');
    }
    return this.#value;
  }
}
