/** The model makes the checks that its kernel's record lists for a request, in the record's order. */
import type { CheckedRequest, CheckName, CheckOrder } from '../../abi/kvm/checks/index.ts';
import type { FaultPoint } from '../faults.ts';
import type { Caller } from '../interface.ts';
import { type Refusal, refuse, refuseWith } from './answer.ts';
import type { Kernel } from './kernel.ts';

/**
 * A step makes one check, and does what the kernel does where the check passes. It returns true when
 * the check refuses the call, or a refusal of its own when that says more than the row does.
 */
export type Step<Call> = (call: Call) => boolean | Refusal | undefined;

/**
 * The steps of a request are keyed by the name of their check. A check that no kernel can reach has
 * none.
 */
export type Steps<Call> = Readonly<Partial<Record<CheckName, Step<Call>>>>;

/**
 * Gives the first refusal, or undefined when the call has passed every check and its steps are done.
 */
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

/** The key is the steps of a request, then the order of a kernel. To look each check up at each call took half its time. */
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

/** The step fails only where a fault is injected, for want of memory or of a descriptor. */
export function faultStep(check: CheckName, point: FaultPoint): Step<{ readonly kernel: Kernel }> {
  return ({ kernel }) => faultAt(kernel, point, check);
}

/** The kernel looks for a free descriptor here: the caller's table may be full, or a fault says so. */
export function descriptorStep(
  check: CheckName,
  point: FaultPoint,
): Step<{ readonly kernel: Kernel; readonly caller: Caller }> {
  return ({ kernel, caller }) =>
    caller.hasDescriptor?.() === false || faultAt(kernel, point, check);
}

/** Gives the answer of an injected fault, where there is one at this point. */
export function faultAt(kernel: Kernel, point: FaultPoint, check: CheckName): Refusal | undefined {
  const errno = kernel.faults.errnoAt?.(point);
  return errno === undefined ? undefined : refuseWith(check, { errno });
}

/**
 * Holds a value that a check copies in from user space, for the checks after it. Every copy is made at
 * its place in the kernel's order, because it may fault.
 */
export class CopiedIn<Value> {
  readonly #read: () => Value | undefined;
  #value: Value | undefined;

  constructor(read: () => Value | undefined) {
    this.#read = read;
  }

  /** Copies the value in, and returns true when it is unreadable. */
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
