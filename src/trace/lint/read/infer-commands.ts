/**
 * strace does not show which command KVM_MEMORY_ENCRYPT_OP carries. The command mostly follows from the
 * file that it was asked of, from its place among the other calls, and from its answer. Each guess
 * gives its reason, and what fits no command stays KVM_MEMORY_ENCRYPT_OP.
 */
import type { TdxCommandName } from '../../../abi/kvm/requests.ts';
import { errnoOf, isCall, madeBy, succeeded, type TracedCall, type TracedStep } from '../traced.ts';

export interface Guess {
  readonly command: TdxCommandName;
  readonly why: string;
}

/** The calls of one VM stand in the order of the trace. */
interface VmCalls {
  readonly vm: string;
  /** Calls on the VM and its vCPUs. */
  readonly calls: readonly TracedCall[];
}

/** Of the calls, these tell what the commands around them were. Only the first run of a vCPU does. */
const telling: ReadonlySet<string> = new Set([
  'KVM_CREATE_VM',
  'KVM_CREATE_VCPU',
  'KVM_MEMORY_ENCRYPT_OP',
  'KVM_SET_CPUID2',
]);

/** @param run the vCPUs that have run. */
export function tellsCommands(step: TracedStep, run: Set<string>): boolean {
  if (!isCall(step)) return false;
  const { request, object } = step.record;
  if (request !== 'KVM_RUN') return telling.has(request);
  if (run.has(object)) return false;
  run.add(object);
  return true;
}

/** Gives what each command was, by the line of its call. */
export function guessCommands(steps: readonly TracedStep[]): ReadonlyMap<number, Guess> {
  const guesses = new Map<TracedStep, Guess>();
  for (const vm of tdsOf(steps)) {
    guessVmCommands(vm, guesses);
    guessVcpuCommands(vm, guesses);
  }
  return new Map([...guesses].map(([{ line }, guess]) => [line, guess]));
}

export function withGuess(step: TracedStep, guesses: ReadonlyMap<number, Guess>): TracedStep {
  if (!isCall(step) || !isCommand(step)) return step;
  const guess = guesses.get(step.line);
  if (guess === undefined) return step;
  const record = { ...step.record, request: guess.command };
  return { ...step, record, inferred: guess.why };
}

/**
 * Gives every VM that may be a TD, because its type is KVM_X86_TDX_VM or the trace does not show its
 * making.
 */
function tdsOf(steps: readonly TracedStep[]): VmCalls[] {
  const vmOf = new Map<string, string>();
  const others = new Set<string>();
  const calls = new Map<string, TracedCall[]>();
  for (const step of steps) {
    if (!isCall(step)) continue;
    const { object, request, args } = step.record;
    const made = madeBy(step);
    if (request === 'KVM_CREATE_VM' && made !== undefined && !isTdType(args.type)) {
      others.add(made);
    }
    const vm = object.startsWith('vm#') ? object : vmOf.get(object);
    if (vm === undefined || others.has(vm)) continue;
    if (request === 'KVM_CREATE_VCPU' && made !== undefined) vmOf.set(made, vm);
    const ofVm = calls.get(vm) ?? [];
    calls.set(vm, ofVm);
    ofVm.push(step);
  }
  return [...calls].map(([vm, ofVm]) => ({ vm, calls: ofVm }));
}

const isTdType = (type: unknown) => Number(type) === 5 || type === 'KVM_X86_TDX_VM';

const isCommand = ({ record }: TracedCall) => record.request === 'KVM_MEMORY_ENCRYPT_OP';

function guessVmCommands({ vm, calls }: VmCalls, guesses: Map<TracedStep, Guess>): void {
  const firstVcpu = positionOf(calls, (call) => isVcpuMade(call) && succeeded(call));
  const firstRun = positionOf(calls, (call) => call.record.request === 'KVM_RUN');
  const onVm = calls
    .map((call, at) => ({ call, at }))
    .filter(({ call }) => call.record.object === vm && isCommand(call));
  const early = onVm.filter(({ at }) => at < firstVcpu).map(({ call }) => call);
  guessBeforeVcpus(early, { vcpusFollow: firstVcpu < calls.length }, guesses);
  const building = onVm.filter(({ at }) => at > firstVcpu && at < firstRun);
  const lastGood = building.findLast(({ call }) => succeeded(call))?.call;
  for (const { call } of building) {
    if (errnoOf(call) === 'E2BIG') guesses.set(call, noRoom);
    else if (call === lastGood) {
      guesses.set(call, guess('KVM_TDX_FINALIZE_VM', 'the last command of the VM before KVM_RUN'));
    } else if (!succeeded(call)) {
      guesses.set(call, guess('KVM_TDX_FINALIZE_VM', 'refused, after the vCPUs were made'));
    }
  }
  const late = onVm.filter(({ at }) => at > firstRun);
  const [end] = late.slice(-1);
  if (end !== undefined && firstRun < calls.length) {
    guesses.set(end.call, guess('KVM_TDX_TERMINATE_VM', 'the last command, after KVM_RUN'));
  }
}

const noRoom = guess('KVM_TDX_CAPABILITIES', 'E2BIG: no room for its CPUID leaves');

function guessBeforeVcpus(
  calls: readonly TracedCall[],
  { vcpusFollow }: { readonly vcpusFollow: boolean },
  guesses: Map<TracedStep, Guess>,
): void {
  const good = calls.filter(succeeded);
  const firstGood = good.reduce((first, { line }) => Math.min(first, line), Infinity);
  const init = vcpusFollow || good.length > 1 ? good.at(-1) : undefined;
  for (const call of calls) {
    const errno = errnoOf(call);
    const isAfterGood = firstGood < call.line;
    if (errno === 'E2BIG') guesses.set(call, noRoom);
    else if (call === init) {
      guesses.set(call, guess('KVM_TDX_INIT_VM', 'the last command of the VM before its vCPUs'));
    } else if (errno === undefined) {
      guesses.set(call, guess('KVM_TDX_CAPABILITIES', 'a command before KVM_TDX_INIT_VM'));
    } else if (isAfterGood || onlyInitVm.has(errno)) {
      guesses.set(call, guess('KVM_TDX_INIT_VM', `${errno}, before the vCPUs`));
    } else {
      guesses.set(call, guess('KVM_TDX_CAPABILITIES', 'the first command of the VM'));
    }
  }
}

/** KVM_TDX_CAPABILITIES never answers with these errnos. */
const onlyInitVm: ReadonlySet<string> = new Set(['EAGAIN', 'ENOSPC', 'EBUSY', 'EIO', 'EINTR']);

function guessVcpuCommands({ calls }: VmCalls, guesses: Map<TracedStep, Guess>): void {
  for (const own of callsOfVcpus(calls)) {
    const cpuidSet = own.findIndex(({ record }) => record.request === 'KVM_SET_CPUID2');
    let isInitialized = false;
    for (const [at, call] of own.entries()) {
      if (!isCommand(call)) continue;
      const guessed = guessVcpuCommand(call, { beforeCpuid: at < cpuidSet, isInitialized });
      guesses.set(call, guessed);
      isInitialized ||= guessed.command === 'KVM_TDX_INIT_VCPU' && succeeded(call);
    }
  }
}

function callsOfVcpus(calls: readonly TracedCall[]): Iterable<readonly TracedCall[]> {
  const ofVcpus = new Map<string, TracedCall[]>();
  for (const call of calls) {
    const { object } = call.record;
    if (!isVcpu(object)) continue;
    const own = ofVcpus.get(object);
    if (own === undefined) ofVcpus.set(object, [call]);
    else own.push(call);
  }
  return ofVcpus.values();
}

function guessVcpuCommand(
  call: TracedCall,
  { beforeCpuid, isInitialized }: { beforeCpuid: boolean; isInitialized: boolean },
): Guess {
  if (errnoOf(call) === 'E2BIG') return guess('KVM_TDX_GET_CPUID', 'E2BIG: no room for its leaves');
  if (beforeCpuid) return guess('KVM_TDX_GET_CPUID', 'before KVM_SET_CPUID2 of the vCPU');
  return isInitialized
    ? guess('KVM_TDX_INIT_MEM_REGION', 'after the vCPU was initialised')
    : guess('KVM_TDX_INIT_VCPU', 'the first command after KVM_SET_CPUID2 of the vCPU');
}

const isVcpu = (object: string) => object.startsWith('vcpu#');

function isVcpuMade({ record }: TracedCall): boolean {
  return record.request === 'KVM_CREATE_VCPU';
}

/** Gives the position of the wanted call, or one past the end where there is none. */
function positionOf(calls: readonly TracedCall[], wanted: (call: TracedCall) => boolean): number {
  const at = calls.findIndex(wanted);
  return at === -1 ? calls.length : at;
}

function guess(command: TdxCommandName, why: string): Guess {
  return { command, why };
}
