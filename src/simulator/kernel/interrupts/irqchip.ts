/**
 * The interrupt controller in the kernel, and the timer that needs it, are modelled on
 * arch/x86/kvm/x86.c.
 */
import type { Answer, UserBytes, UserStruct } from '../../interface.ts';
import { done, refuse } from '../answer.ts';
import { CopiedIn, faultStep, firstRefusal, type Steps } from '../checks.ts';
import type { Kernel } from '../kernel.ts';
import type { Vm } from '../objects.ts';
import { defaultRoutes } from './irq-routing.ts';

/** `struct kvm_irqchip` has the id of the chip, then its state. */
const chipBytes = 520;
const stateOffset = 8;
const speakerDummy = 1;

interface IrqchipCall {
  readonly kernel: Kernel;
  readonly vm: Vm;
}

const createSteps: Steps<IrqchipCall> = {
  'create-irqchip.exists': ({ vm }) => vm.irqchip !== 'none',
  // A TD's end-of-interrupt is protected, so KVM could not emulate the I/O APIC for it.
  'create-irqchip.td-needs-split': ({ vm }) => vm.isTd,
  'create-irqchip.too-late': ({ vm }) => vm.vcpus.length > 0,
  'kernel.no-memory': faultStep('kernel.no-memory', 'KVM_CREATE_IRQCHIP: allocate'),
};

export function createIrqchip(kernel: Kernel, vm: Vm): Answer {
  const call = { kernel, vm };
  const refused = firstRefusal(kernel, 'KVM_CREATE_IRQCHIP', { steps: createSteps, call });
  if (refused !== undefined) return refused;
  vm.irqchip = 'kernel';
  vm.gsiRoutes = defaultRoutes();
  vm.chips = resetChips();
  return done;
}

interface PitCall extends IrqchipCall {
  readonly config: CopiedIn<{ readonly flags: number }> | undefined;
}

const pitSteps: Steps<PitCall> = {
  'argument.unreadable': ({ config }) => config?.fails(),
  'create-pit.exists': ({ vm }) => vm.pitDevices > 0,
  'create-pit.no-pic': ({ vm }) => vm.irqchip !== 'kernel',
  'kernel.no-memory': faultStep('kernel.no-memory', 'KVM_CREATE_PIT: allocate'),
};

/** KVM_CREATE_PIT does the same as KVM_CREATE_PIT2 with the speaker's port, and reads no struct. */
export function createPit(
  kernel: Kernel,
  vm: Vm,
  user: UserStruct<{ readonly flags: number }> | undefined,
): Answer {
  const config = user === undefined ? undefined : new CopiedIn(() => user.read());
  const request = config === undefined ? 'KVM_CREATE_PIT' : 'KVM_CREATE_PIT2';
  const call = { kernel, vm, config };
  const refused = firstRefusal(kernel, request, { steps: pitSteps, call });
  if (refused !== undefined) return refused;
  const flags = config?.value.flags ?? speakerDummy;
  vm.pitDevices = (flags & speakerDummy) === 0 ? 1 : 2;
  return done;
}

interface ChipCall extends IrqchipCall {
  readonly chip: CopiedIn<Uint8Array>;
}

const chipSteps: Steps<ChipCall> = {
  'argument.unreadable': ({ chip }) => chip.fails(),
  'irqchip.not-in-kernel': ({ vm }) => vm.irqchip !== 'kernel',
  'irqchip.unknown-chip': (call) => stateOf(call) === undefined,
};

/** The state of a chip is kept as user space wrote it, because nothing in the model changes it. */
export function accessIrqchip(
  kernel: Kernel,
  vm: Vm,
  request: 'KVM_GET_IRQCHIP' | 'KVM_SET_IRQCHIP',
  user: UserBytes,
): Answer {
  const call = { kernel, vm, chip: new CopiedIn(() => user.read(chipBytes)) };
  const refused = firstRefusal(kernel, request, { steps: chipSteps, call });
  if (refused !== undefined) return refused;
  const state = stateOf(call) ?? new Uint8Array();
  const chip = call.chip.value;
  if (request === 'KVM_SET_IRQCHIP') {
    state.set(chip.subarray(stateOffset));
    return done;
  }
  const answer = new Uint8Array(chip);
  answer.set(state, stateOffset);
  return user.write(answer) ? done : refuse('argument.unwritable');
}

function stateOf({ vm, chip: { value } }: ChipCall): Uint8Array | undefined {
  return vm.chips[new DataView(value.buffer, value.byteOffset).getUint32(0, true)];
}

/** The end of a PIC's state tells which lines are edge-triggered for good. */
const elcrMaskOffset = 15;
const elcrMasks = [0xf8, 0xde] as const;
/**
 * The entries follow the address, the registers and the IRR. There are 24 of 8 bytes each, and bit 16
 * masks the pin.
 */
const redirectionOffset = 24;

function resetChips(): Uint8Array[] {
  const [master, slave, ioapic] = Array.from(
    { length: 3 },
    () => new Uint8Array(chipBytes - stateOffset),
  ) as [Uint8Array, Uint8Array, Uint8Array];
  master[elcrMaskOffset] = elcrMasks[0];
  slave[elcrMaskOffset] = elcrMasks[1];
  const view = new DataView(ioapic.buffer);
  view.setBigUint64(0, 0xfec0_0000n, true);
  for (let pin = 0; pin < 24; pin++) ioapic[redirectionOffset + 8 * pin + 2] = 1;
  return [master, slave, ioapic];
}
