/** A guest whose vCPUs are files of two pages, and whose KVM_RUN is a script. */
import type { TestContext } from 'vitest';
import type {
  Guest,
  GuestEnd,
  GuestExit,
  GuestHandlers,
  GuestOptions,
  Script,
  ScriptedAnswer,
  Vcpu,
} from '../../native/index.ts';
import { exitReasons, KVM_EXIT_IO_IN, KVM_EXIT_IO_OUT } from '../../src/abi/kvm/exits.ts';
import { ioctlNumbers } from '../../src/abi/kvm/requests.ts';
import { concat, requireAddon, u32, u64, zeros } from './support.ts';

const EINTR = 4;
const request = ioctlNumbers.KVM_RUN;
const dataOffset = 4096;

/** A kvm_run with an exit; `union` is what stands at byte 32. */
export function runWith(exit: keyof typeof exitReasons, union: Uint8Array = zeros(0)): Uint8Array {
  const page = zeros(288);
  page.set(u32(exitReasons[exit]), 8);
  page.set(union, 32);
  return page;
}

/** KVM_RUN ends with an exit. */
export const exits = (...exit: Parameters<typeof runWith>): ScriptedAnswer => ({
  request,
  memory: runWith(...exit),
});

/** KVM_RUN ends by a kick, as when the guest would run on for ever. */
export const runsOn: ScriptedAnswer = { request, hold: true };

/** KVM_RUN with immediate_exit: what the last exit was answered with has been taken. */
export const completes: ScriptedAnswer = { request, errno: EINTR };

const portExit = (direction: number, size: number, port: number, count: number) =>
  concat(
    Uint8Array.of(direction, size),
    new Uint8Array(Uint16Array.of(port).buffer),
    u32(count),
    u64(BigInt(dataOffset)),
  );

/** `out` of a string of values of `size` bytes. */
export function writesPort(port: number, bytes: readonly number[], size = 1): ScriptedAnswer {
  const union = portExit(KVM_EXIT_IO_OUT, size, port, bytes.length / size);
  const page = zeros(dataOffset + bytes.length);
  page.set(runWith('KVM_EXIT_IO', union));
  page.set(bytes, dataOffset);
  return { request, memory: page };
}

export function readsPort(port: number, count = 1, size = 1): ScriptedAnswer {
  const page = zeros(dataOffset + count * size);
  page.set(runWith('KVM_EXIT_IO', portExit(KVM_EXIT_IO_IN, size, port, count)));
  return { request, memory: page };
}

/** What the guest got by each `in`: what the data of kvm_run was at the KVM_RUN after it. */
export function portData(script: Script, at: number, length = 1): number[] {
  const run = script.calls().filter((call) => call.request === request)[at];
  return [...(run?.argument ?? []).slice(dataOffset, dataOffset + length)];
}

export const ascii = (text: string) => [...Buffer.from(text)];

export interface Seen {
  readonly console: number[];
  readonly debugConsole: number[];
  readonly exits: GuestExit[];
  readonly ends: GuestEnd[];
  readonly failures: unknown[];
  lostBytes: number;
}

export interface ScriptedGuest {
  readonly guest: Guest;
  readonly vcpus: readonly Vcpu[];
  readonly seen: Seen;
  readonly ended: Promise<GuestEnd>;
  script(...answers: readonly ScriptedAnswer[]): Script;
}

/** A guest of `vcpuCount` vCPUs, stopped and closed with the test. */
export async function scriptedGuest(
  context: TestContext,
  answers: readonly ScriptedAnswer[],
  {
    vcpuCount = 1,
    handlers = {},
    ...options
  }: { vcpuCount?: number; handlers?: Partial<GuestHandlers> } & Partial<
    Omit<GuestOptions, 'handlers'>
  > = {},
): Promise<ScriptedGuest & { readonly calls: Script }> {
  const addon = requireAddon(context);
  const setup = addon.testing.script([
    { request: ioctlNumbers.KVM_CREATE_VM, returns: 'fd' },
    ...Array.from({ length: vcpuCount }, () => ({
      request: ioctlNumbers.KVM_CREATE_VCPU,
      returns: 'memory' as const,
    })),
  ]);
  const system = await addon.System.open('/dev/null');
  const vm = await system.kvmCreateVm(0);
  const vcpus = await vm.kvmCreateVcpus(Array.from({ length: vcpuCount }, (_, id) => id));
  setup.end();
  const seen: Seen = {
    console: [],
    debugConsole: [],
    exits: [],
    ends: [],
    failures: [],
    lostBytes: 0,
  };
  let tellEnd: (end: GuestEnd) => void = () => {};
  const ended = new Promise<GuestEnd>((resolve) => {
    tellEnd = resolve;
  });
  // The guest's threads ask the kernel that there was when it was made.
  const script = addon.testing.script(answers);
  const guest = await addon.Guest.make({
    vm,
    vcpus,
    runBytes: 8192,
    ...options,
    handlers: {
      console: (bytes, lost) => {
        seen.console.push(...bytes);
        seen.lostBytes += lost;
      },
      debugConsole: (bytes) => seen.debugConsole.push(...bytes),
      exit: (_, exit) => {
        seen.exits.push(exit);
        return undefined;
      },
      ended: (end) => {
        seen.ends.push(end);
        tellEnd(end);
      },
      failed: (error) => seen.failures.push(error),
      ...handlers,
    },
  });
  context.onTestFinished(async () => {
    guest.stop();
    script.end();
    await Promise.all([...vcpus, vm, system].map((object) => object.close()));
  });
  return {
    guest,
    vcpus,
    seen,
    ended,
    calls: script,
    script: (...more) => {
      const made = addon.testing.script(more);
      context.onTestFinished(() => made.end());
      return made;
    },
  };
}

export const powerOff = writesPort(0x604, [0x00, 0x20], 2);

export function withResolver() {
  let resolve: () => void = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
