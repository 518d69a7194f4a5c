/** The interrupt controller in the kernel, and the timer that needs it. Order: arch/x86/kvm/x86.c. */
import type { Answer, UserBytes, UserStruct } from '../../interface.ts';
import { done, refuse } from '../answer.ts';
import { faultAt, type Kernel } from '../kernel.ts';
import type { Vm } from '../objects.ts';
import { defaultRoutes } from './irq-routing.ts';

/** `struct kvm_irqchip`: the id of the chip, then its state. */
const chipBytes = 520;
const stateOffset = 8;
const speakerDummy = 1;

/** A TD's end-of-interrupt is protected, so it cannot have the I/O APIC in the kernel. */
export function createIrqchip(kernel: Kernel, vm: Vm): Answer {
  if (vm.irqchip !== 'none') return refuse('EEXIST');
  if (vm.isTd) return refuse('ENOTTY');
  if (vm.vcpus.length > 0) return refuse('EINVAL');
  const fault = faultAt(kernel, 'KVM_CREATE_IRQCHIP: allocate');
  if (fault !== undefined) return fault;
  vm.irqchip = 'kernel';
  vm.gsiRoutes = defaultRoutes();
  vm.chips = resetChips();
  return done;
}

/** KVM_CREATE_PIT is the same with the speaker's port, and reads nothing. */
export function createPit(
  kernel: Kernel,
  vm: Vm,
  config: UserStruct<{ readonly flags: number }> | undefined,
): Answer {
  const flags = config === undefined ? speakerDummy : config.read()?.flags;
  if (flags === undefined) return refuse('EFAULT');
  if (vm.pitDevices > 0) return refuse('EEXIST');
  if (vm.irqchip !== 'kernel') return refuse('ENOENT');
  const fault = faultAt(kernel, 'KVM_CREATE_PIT: allocate');
  if (fault !== undefined) return fault;
  vm.pitDevices = (flags & speakerDummy) === 0 ? 1 : 2;
  return done;
}

/** The state of a chip is kept as user space wrote it: nothing here changes it. */
export function accessIrqchip(
  vm: Vm,
  request: 'KVM_GET_IRQCHIP' | 'KVM_SET_IRQCHIP',
  user: UserBytes,
): Answer {
  const chip = user.read(chipBytes);
  if (chip === undefined) return refuse('EFAULT');
  if (vm.irqchip !== 'kernel') return refuse('ENXIO');
  const id = new DataView(chip.buffer, chip.byteOffset).getUint32(0, true);
  const state = vm.chips[id];
  if (state === undefined) return refuse('EINVAL');
  if (request === 'KVM_SET_IRQCHIP') {
    state.set(chip.subarray(stateOffset));
    return done;
  }
  const answer = new Uint8Array(chip);
  answer.set(state, stateOffset);
  return user.write(answer) ? done : refuse('EFAULT');
}

/** Lines that are edge-triggered for good, at the end of a PIC's state. */
const elcrMaskOffset = 15;
const elcrMasks = [0xf8, 0xde] as const;
/** After address, registers and IRR: 24 entries of 8 bytes, whose bit 16 masks the pin. */
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
