/** KVM_SET_GSI_ROUTING. Order: kvm_main.c, virt/kvm/irqchip.c and arch/x86/kvm/irq.c, Linux 7.3. */
import type { Answer, GsiRoute, UserGsiRouting } from '../../interface.ts';
import { done, type Refusal, refuse } from '../answer.ts';
import { faultAt, type Kernel } from '../kernel.ts';
import { KVM_MAX_IRQ_ROUTES } from '../limits.ts';
import type { Vm } from '../objects.ts';

const routingTypes = { irqchip: 1, msi: 2, hypervSint: 4 } as const;
const KVM_MSI_VALID_DEVID = 1;
/** Pins by chip: the two PICs, the I/O APIC. */
const pinsOfChip: readonly number[] = [8, 8, 24];

export function setGsiRouting(kernel: Kernel, vm: Vm, user: UserGsiRouting): Answer {
  const header = user.readHeader();
  if (header === undefined) return refuse('EFAULT');
  if (vm.irqchip === 'none') return refuse('EINVAL');
  if (header.nr > KVM_MAX_IRQ_ROUTES || header.flags !== 0) return refuse('EINVAL');
  const routes = header.nr === 0 ? [] : user.readEntries(header.nr);
  if (routes === undefined) return refuse('EFAULT');
  if (routes.some(({ gsi }) => gsi >= KVM_MAX_IRQ_ROUTES)) return refuse('EINVAL');
  const fault = faultAt(kernel, 'KVM_SET_GSI_ROUTING: allocate');
  if (fault !== undefined) return fault;
  // All of them or none: the table is replaced as a whole.
  const byGsi = new Map<number, GsiRoute[]>();
  for (const route of routes) {
    const others = byGsi.get(route.gsi) ?? [];
    const refused = checkRoute(vm, route, others);
    if (refused !== undefined) return refused;
    byGsi.set(route.gsi, [...others, route]);
  }
  vm.gsiRoutes = byGsi;
  return done;
}

function checkRoute(vm: Vm, route: GsiRoute, others: readonly GsiRoute[]): Refusal | undefined {
  const validFlags = route.type === routingTypes.msi ? KVM_MSI_VALID_DEVID : 0;
  if ((route.flags & ~validFlags) !== 0) return refuse('EINVAL');
  // One GSI may go to several chips, and to nothing else besides.
  const [chip, second] = route.words;
  const clashes = (other: GsiRoute) =>
    other.type !== routingTypes.irqchip ||
    route.type !== routingTypes.irqchip ||
    other.words[0] === chip;
  if (others.some(clashes)) return refuse('EINVAL');
  switch (route.type) {
    case routingTypes.irqchip:
      if (vm.irqchip === 'split') return refuse('EINVAL');
      return second < (pinsOfChip[chip] ?? 0) ? undefined : refuse('EINVAL');
    case routingTypes.msi:
      return isMsiRouteValid(vm, second) ? undefined : refuse('EINVAL');
    case routingTypes.hypervSint:
      return undefined;
    default:
      return refuse('EINVAL');
  }
}

/** With 32-bit APIC ids the low byte of the high word has no meaning. */
export function isMsiRouteValid(vm: Vm, addressHi: number): boolean {
  const x2apicFormat = (vm.caps.x2apicApi & 1n) !== 0n;
  return !x2apicFormat || (addressHi & 0xff) === 0;
}

/** kvm_setup_default_ioapic_and_pic_routing(): what KVM_CREATE_IRQCHIP begins with. */
export function defaultRoutes(): Map<number, readonly GsiRoute[]> {
  const route = (gsi: number, chip: number, pin: number): GsiRoute => ({
    gsi,
    type: routingTypes.irqchip,
    flags: 0,
    words: [chip, pin, 0, 0],
  });
  return new Map(
    Array.from({ length: 24 }, (_, gsi) => {
      const pic = gsi < 16 ? [route(gsi, gsi < 8 ? 0 : 1, gsi % 8)] : [];
      return [gsi, [route(gsi, 2, gsi), ...pic]];
    }),
  );
}
