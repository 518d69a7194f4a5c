/**
 * User space raises interrupts with KVM_SIGNAL_MSI and KVM_IRQ_LINE. No guest runs here that could have
 * switched its APIC on, so no interrupt is ever delivered; the answers tell only whether a chip took
 * notice.
 */
import type { Answer, GsiRoute, IrqLevelStruct, MsiStruct, UserStruct } from '../../interface.ts';
import { done, ok, refuse } from '../answer.ts';
import { CopiedIn, firstRefusal, type Steps } from '../checks.ts';
import type { Kernel } from '../kernel.ts';
import type { Vm } from '../objects.ts';
import { isMsiRouteValid } from './irq-routing.ts';

const KVM_MSI_VALID_DEVID = 1;
const ioapic = 2;

interface MsiCall {
  readonly vm: Vm;
  readonly msi: CopiedIn<MsiStruct>;
}

const msiSteps: Steps<MsiCall> = {
  'argument.unreadable': ({ msi }) => msi.fails(),
  'signal-msi.no-irqchip': ({ vm }) => vm.irqchip === 'none',
  'signal-msi.flags': ({ msi }) => (msi.value.flags & ~KVM_MSI_VALID_DEVID) !== 0,
  'signal-msi.address': ({ vm, msi }) => !isMsiRouteValid(vm, msi.value.addressHi),
  'signal-msi.no-vcpu': ({ vm }) => vm.vcpus.length === 0,
};

/** The value that the call returns is how many vCPUs got the interrupt. */
export function signalMsi(kernel: Kernel, vm: Vm, user: UserStruct<MsiStruct>): Answer {
  const call = { vm, msi: new CopiedIn(() => user.read()) };
  return firstRefusal(kernel, 'KVM_SIGNAL_MSI', { steps: msiSteps, call }) ?? ok(0);
}

interface LineCall {
  readonly vm: Vm;
  readonly line: CopiedIn<IrqLevelStruct>;
}

const lineSteps: Steps<LineCall> = {
  'argument.unreadable': ({ line }) => line.fails(),
  'irq-line.no-irqchip': ({ vm }) => vm.irqchip === 'none',
};

export function irqLine(
  kernel: Kernel,
  vm: Vm,
  request: 'KVM_IRQ_LINE' | 'KVM_IRQ_LINE_STATUS',
  user: UserStruct<IrqLevelStruct>,
): Answer {
  const call = { vm, line: new CopiedIn(() => user.read()) };
  const refused = firstRefusal(kernel, request, { steps: lineSteps, call });
  if (refused !== undefined) return refused;
  const line = call.line.value;
  const status = setIrq(vm, line);
  if (request === 'KVM_IRQ_LINE') return done;
  // The status is a signed number and takes the place of the line's number.
  return user.write({ ...line, irq: status }) ? done : refuse('argument.unwritable');
}

/**
 * Returns -1 where nobody listens and 0 where the line was raised already, otherwise the number of
 * chips that took it.
 */
function setIrq(vm: Vm, { irq, level }: IrqLevelStruct): number {
  let status = -1;
  for (const route of vm.gsiRoutes.get(irq) ?? []) {
    const taken = raise(vm, route, level !== 0);
    if (taken >= 0) status = taken + Math.max(status, 0);
  }
  if (level !== 0) vm.raisedLines.add(irq);
  else vm.raisedLines.delete(irq);
  return status;
}

/**
 * The chips answer as they do after their reset: the I/O APIC has all of its pins masked, the PIC none.
 */
function raise(vm: Vm, { gsi, type, words: [chip] }: GsiRoute, level: boolean): number {
  if (type !== 1) return level && vm.vcpus.length > 0 ? 0 : -1;
  if (!level) return 1;
  if (chip !== ioapic) return 1;
  return vm.raisedLines.has(gsi) ? 0 : -1;
}
