/** Any ioctls of any program: each is answered, and when all files are closed nothing is kept. */

import { capabilities } from '../../src/abi/kvm/capabilities.ts';
import { errnoNumbers } from '../../src/abi/kvm/errno.ts';
import { ioctlNumbers, tdxCommands } from '../../src/abi/kvm/requests.ts';
import { decode, type FileKind, runPageBytes } from '../../src/exec/codec/index.ts';
import type { Answer, Handle, KernelAbiName } from '../../src/simulator/index.ts';
import { kernelAbis, type SimulatedMachine } from '../../src/simulator/index.ts';
import { Client } from '../exec/codec/client.ts';
import { Driver } from '../simulator/drive.ts';
import type { Random } from './random.ts';
import type { Input } from './targets.ts';

const kernels = Object.keys(kernelAbis) as KernelAbiName[];
const numbers = Object.values(ioctlNumbers);
const commands = Object.values(tdxCommands);
const caps = Object.values(capabilities);

interface OpenFile {
  readonly kind: FileKind;
  readonly handle: Handle;
}

export function callSimulator(random: Random): Input {
  const kernelAbi = random.pick(kernels);
  const asked: string[] = [];
  return {
    get shown() {
      return `${kernelAbi}: ${asked.join(', ')}`;
    },
    read: () => play(random, kernelAbi, asked),
  };
}

async function play(random: Random, kernelAbi: KernelAbiName, asked: string[]): Promise<void> {
  const driver = new Driver({
    profile: random.pick(['spr-1.5', 'one-slot', 'small-client']),
    kernelAbi,
  });
  const { machine } = driver;
  const client = new Client();
  client.kernelAbi = machine.kernelAbi;
  const caller = { mm: 1, cgroup: '/', memory: client, pendingSignal: () => 'none' as const };
  const open: OpenFile[] = [{ kind: 'system', handle: driver.kvm }];
  if (random.once(2)) open.push(...tdOf(driver));
  client.fds.set(-1, { kind: 'other' });
  for (let left = 4 + random.below(20); left > 0; left--) {
    const file = random.pick(random.once(3) ? open : open.slice(-2));
    const number = numberFor(random, file.kind);
    const decoded = decode({
      file: file.kind,
      number,
      arg: argument(random, client, file.kind),
      memory: client,
      fd: (fd) => client.fds.get(fd),
      giveFile: () => 100,
      runPage: file.kind === 'vcpu' ? new Uint8Array(runPageBytes) : undefined,
      kernelAbi: machine.kernelAbi,
    });
    asked.push(`${file.kind} ${decoded.request.request}`);
    let answer: Answer;
    if (decoded.kind === 'run') {
      const run = machine.run(caller, file.handle, decoded.request);
      run.cancel();
      answer = await run.answer;
    } else {
      answer = machine.ioctl(caller, file.handle, decoded.request);
    }
    checkAnswer(answer);
    noteFile(open, client, answer);
    if (open.length > 1 && random.once(12)) {
      const [closed] = open.splice(1 + random.below(open.length - 1), 1);
      if (closed !== undefined) machine.release(closed.handle);
    }
  }
  for (const { handle } of open) machine.release(handle);
  checkNothingKept(machine.snapshot(), kernelAbi);
}

/** Random bytes alone would seldom make one. */
function tdOf(driver: Driver): OpenFile[] {
  const vm = driver.createTd();
  driver.initVm(vm);
  const made = [
    { kind: 'guest_memfd', handle: driver.createGuestMemfd(vm) },
    { kind: 'vcpu', handle: driver.createVcpu(vm, 0) },
  ] as const;
  const files = made.flatMap(({ kind, handle }) =>
    typeof handle === 'number' ? [{ kind, handle }] : [],
  );
  return [...files, { kind: 'vm', handle: vm }];
}

function noteFile(open: OpenFile[], client: Client, answer: Answer): void {
  if (!answer.ok || answer.made === undefined) return;
  const { kind, handle } = answer.made;
  open.push({ kind, handle });
  client.fds.set(open.length, { kind: 'ours', handle });
}

/** VMs and vCPUs come often, so that there is something to ask. */
function numberFor(random: Random, kind: FileKind): number {
  if (random.once(12)) return random.u32();
  if (kind === 'system' && random.once(2)) return ioctlNumbers.KVM_CREATE_VM;
  if (kind === 'vm' && random.once(3)) return ioctlNumbers.KVM_MEMORY_ENCRYPT_OP;
  if (kind === 'vm' && random.once(4)) return ioctlNumbers.KVM_CREATE_VCPU;
  return random.pick(numbers);
}

/** A small number, or a struct with pointers to more memory in it. */
function argument(random: Random, client: Client, kind: FileKind): bigint {
  if (kind === 'system' && random.once(2)) return BigInt(random.pick([0, 5, 5, 5]));
  switch (random.below(5)) {
    case 0:
      return BigInt(random.below(8));
    case 1:
      return random.once(4) ? random.u64() : BigInt(random.pick(caps));
    default:
      return client.place(struct(random, client));
  }
}

function struct(random: Random, client: Client): Uint8Array {
  const bytes = random.once(3)
    ? random.bytes(random.below(300))
    : new Uint8Array(8 * random.below(60));
  const view = new DataView(bytes.buffer);
  if (bytes.length >= 4) view.setUint32(0, fieldValue(random), true);
  for (let left = random.below(6); left > 0 && bytes.length >= 8; left--) {
    const at = 8 * random.below(Math.floor(bytes.length / 8));
    const isPointer = random.once(3);
    const value = isPointer
      ? client.place(random.bytes(random.below(600)))
      : BigInt(fieldValue(random));
    view.setBigUint64(at, value, true);
  }
  return bytes;
}

function fieldValue(random: Random): number {
  return random.pick([
    random.pick(commands),
    random.pick(caps),
    random.below(8),
    0x1000 * random.below(64),
    random.u32(),
  ]);
}

function checkAnswer(answer: Answer): void {
  const isRight = answer.ok ? answer.value >= 0 : errnoNumbers[answer.errno] > 0;
  if (!isRight) throw new Error(`no answer of a kernel: ${JSON.stringify(answer)}`);
}

type Kept = ReturnType<SimulatedMachine['snapshot']>;

function checkNothingKept(
  { keySlots, hostPages, vms, handles }: Kept,
  kernelAbi: KernelAbiName,
): void {
  // Moves of some kernels lose slots and pages, as the kernel's own code does.
  const mayLeak = kernelAbis[kernelAbi].move !== undefined;
  const kept = [
    keySlots.free + keySlots.leaked === keySlots.total ? [] : ['a key slot in use'],
    mayLeak || keySlots.leaked === 0 ? [] : ['a leaked key slot'],
    hostPages.inUse === 0 ? [] : [`${hostPages.inUse} pages`],
    vms.length === 0 ? [] : [`${vms.length} VMs`],
    handles === 0 ? [] : [`${handles} files`],
  ].flat();
  if (kept.length > 0) throw new Error(`kept after the last close: ${kept.join(', ')}`);
}
