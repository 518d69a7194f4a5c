/** The example guest on the real /dev/kvm, in VMs that share its memory, and what a judge hears of it. */
import { EventEmitter, once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { TestContext } from 'vitest';
import type { UserMemory, Vcpu, VcpuState } from '../../native/index.ts';
import type { CpuidEntry } from '../../src/abi/kvm/structs.ts';
import { fourGiB } from '../../src/firmware/load-address.ts';
import { ExampleGuestJudge, type ExampleGuestLine } from '../../src/guest/example-guest.ts';
import { startAsTd } from '../../src/host/soft/vcpu-start.ts';
import { type MachineVm, type Running, requireMachine } from './guest-support.ts';

export const helloFirmware: Uint8Array = readFileSync(
  new URL('../../examples/firmware/hello.fd', import.meta.url),
);
const ramBytes = 16n << 20n;

export interface ExampleGuest {
  readonly judge: ExampleGuestJudge;
  readonly lines: readonly ExampleGuestLine[];
  debugConsole(): Buffer;
  readonly memory: UserMemory;
  /** The bytes of the image at an address, such as RIP. */
  instructionAt(address: bigint, bytes: number): Buffer;
  /** The VM that it runs in. */
  here(): Place;
  type(line: string): void;
  /** Resolves once it is so; looked at whenever the guest says something. */
  until(isSo: () => boolean): Promise<void>;
  /** Resolves once each vCPU has said so many counts more. */
  counts(more: number): Promise<void>;
  /** Pauses it and takes its state, which `change` may change, into the other VM; it runs on there. */
  move(change?: (states: VcpuState[]) => void): Promise<void>;
}

export interface Place extends MachineVm, Running {}

/** What makes the guest think that it is somewhere else. */
export interface Disguise {
  readonly firmware: Uint8Array;
  readonly cpuid: (entries: readonly CpuidEntry[]) => CpuidEntry[];
  readonly prepare: (vcpu: Vcpu) => Promise<void>;
}

interface Options {
  readonly vcpuCount?: number;
  readonly vms?: number;
  readonly disguise?: Disguise;
}

export async function startExampleGuest(
  context: TestContext,
  { vcpuCount = 1, vms = 1, disguise }: Options = {},
): Promise<ExampleGuest> {
  const firmware = Buffer.from(disguise?.firmware ?? helloFirmware);
  const machine = await requireMachine(context, Uint8Array.of(), { ramBytes, firmware });
  const judge = new ExampleGuestJudge();
  const lines: ExampleGuestLine[] = [];
  const debugged: Uint8Array[] = [];
  const heard = new EventEmitter();
  const hear = (bytes: Uint8Array, lostBytes: number) => {
    lines.push(...judge.hear(bytes, lostBytes));
    heard.emit('line');
  };
  const makePlace = async (): Promise<Place> => {
    const vm = await machine.makeVm({ vcpuCount, irqchip: true, cpuid: disguise?.cpuid });
    const running = await vm.start(
      { console: hear, debugConsole: (bytes) => debugged.push(bytes) },
      { interrupt: { line: 4 } },
    );
    return { ...vm, ...running };
  };
  const places: Place[] = [];
  for (let at = 0; at < vms; at += 1) places.push(await makePlace());
  const first = places[0];
  if (!first) throw new Error('no VM');
  let here = first;
  const until = async (isSo: () => boolean) => {
    while (!isSo()) {
      // All that it has said is told before its end is.
      const end = await Promise.race([once(heard, 'line'), here.ended]);
      if ('kind' in end) throw new Error(`the guest has ended: ${end.kind}`);
    }
  };
  for (const [index, vcpu] of here.vcpus.entries()) {
    await startAsTd(vcpu, { index, initialRcx: 0x80_9000n, gpaw: 48 });
    await disguise?.prepare(vcpu);
  }
  here.guest.run();
  return {
    judge,
    lines,
    debugConsole: () => Buffer.concat(debugged),
    memory: machine.memory,
    instructionAt: (address, bytes) => {
      const at = Number(address - fourGiB) + firmware.length;
      return firmware.subarray(at, at + bytes);
    },
    here: () => here,
    type: (line) => {
      here.guest.input(Buffer.from(`${line}\r`));
    },
    until,
    counts: async (more) => {
      const before = new Map(judge.verdict().vcpus.map(({ vcpu, counts }) => [vcpu, counts]));
      await until(() => {
        const { vcpus } = judge.verdict();
        return (
          vcpus.length === vcpuCount &&
          vcpus.every(({ vcpu, counts }) => counts >= (before.get(vcpu) ?? 0) + more)
        );
      });
    },
    move: async (change = () => {}) => {
      const from = here;
      const to = places[(places.indexOf(from) + 1) % places.length];
      if (!to) throw new Error('no other VM');
      await from.guest.pause();
      const states = await Promise.all(from.vcpus.map((vcpu) => vcpu.getState(from.shape)));
      change(states);
      await Promise.all(states.map((state, at) => to.vcpus[at]?.setState(state)));
      here = to;
      here.guest.run();
    },
  };
}
