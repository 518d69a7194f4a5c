/**
 * KVM_SET_GSI_ROUTING is modelled on kvm_main.c and irqchip.c in virt/kvm, and on arch/x86/kvm/irq.c.
 */
import type { Answer, GsiRoute, UserGsiRouting } from '../../interface.ts';
import { done } from '../answer.ts';
import { CopiedIn, faultStep, firstRefusal, type Steps } from '../checks.ts';
import type { Kernel } from '../kernel.ts';
import { KVM_MAX_IRQ_ROUTES } from '../limits.ts';
import type { Vm } from '../objects.ts';

const routingTypes = { irqchip: 1, msi: 2, hypervSint: 4, xenEvtchn: 5 } as const;
const knownTypes: ReadonlySet<number> = new Set(Object.values(routingTypes));
const KVM_MSI_VALID_DEVID = 1;
/** KVM_IRQ_ROUTING_XEN_EVTCHN_PRIO_2LEVEL */
const twoLevels = 0xffff_ffff;
/** The chips are the two PICs and the I/O APIC, in the order of their numbers. */
const pinsOfChip: readonly number[] = [8, 8, 24];

interface RoutingCall {
  readonly kernel: Kernel;
  readonly vm: Vm;
  readonly header: CopiedIn<{ readonly nr: number; readonly flags: number }>;
  readonly routes: CopiedIn<readonly GsiRoute[]>;
}

const tableSteps: Steps<RoutingCall> = {
  'argument.unreadable': ({ header }) => header.fails(),
  'gsi-routing.no-irqchip': ({ vm }) => vm.irqchip === 'none',
  'gsi-routing.too-many': ({ header }) => header.value.nr > KVM_MAX_IRQ_ROUTES,
  'gsi-routing.flags': ({ header }) => header.value.flags !== 0,
  'gsi-routing.entries-unreadable': ({ routes }) => routes.fails(),
  'gsi-routing.gsi-range': ({ routes }) =>
    routes.value.some(({ gsi }) => gsi >= KVM_MAX_IRQ_ROUTES),
  'kernel.no-memory': faultStep('kernel.no-memory', 'KVM_SET_GSI_ROUTING: allocate'),
};

/** The call checks one entry against those of its GSI that came before it. */
interface RouteCall {
  readonly vm: Vm;
  readonly route: GsiRoute;
  readonly others: readonly GsiRoute[];
}

const isOf = ({ type }: GsiRoute, name: keyof typeof routingTypes) => type === routingTypes[name];

const routeSteps: Steps<RouteCall> = {
  'gsi-routing.entry-flags': ({ route }) =>
    (route.flags & ~(isOf(route, 'msi') ? KVM_MSI_VALID_DEVID : 0)) !== 0,
  // One GSI may go to several chips, but then to nothing else besides.
  'gsi-routing.clash': ({ route, others }) =>
    others.some(
      (other) =>
        !isOf(other, 'irqchip') || !isOf(route, 'irqchip') || other.words[0] === route.words[0],
    ),
  'gsi-routing.unknown-type': ({ route }) => !knownTypes.has(route.type),
  'gsi-routing.split': ({ vm, route }) => isOf(route, 'irqchip') && vm.irqchip === 'split',
  'gsi-routing.pin': ({ route }) => {
    const [chip, pin] = route.words;
    return isOf(route, 'irqchip') && pin >= (pinsOfChip[chip] ?? 0);
  },
  'gsi-routing.msi-address': ({ vm, route }) =>
    isOf(route, 'msi') && !isMsiRouteValid(vm, route.words[1]),
  // The port and the vCPU may come to be later.
  'gsi-routing.xen-priority': ({ route }) =>
    isOf(route, 'xenEvtchn') && route.words[2] !== twoLevels,
};

export function setGsiRouting(kernel: Kernel, vm: Vm, user: UserGsiRouting): Answer {
  const request = 'KVM_SET_GSI_ROUTING';
  const header = new CopiedIn(() => user.readHeader());
  const routes = new CopiedIn(() =>
    header.value.nr === 0 ? [] : user.readEntries(header.value.nr),
  );
  const call = { kernel, vm, header, routes };
  const refused = firstRefusal(kernel, request, { steps: tableSteps, call });
  if (refused !== undefined) return refused;
  // The table is replaced as a whole, so either all entries are taken or none.
  const byGsi = new Map<number, GsiRoute[]>();
  for (const route of routes.value) {
    const others = byGsi.get(route.gsi) ?? [];
    const routeCall = { vm, route, others };
    const refused = firstRefusal(kernel, request, { steps: routeSteps, call: routeCall });
    if (refused !== undefined) return refused;
    byGsi.set(route.gsi, [...others, route]);
  }
  vm.gsiRoutes = byGsi;
  return done;
}

/** With 32-bit APIC ids the low byte of the high word has no meaning, and must be 0. */
export function isMsiRouteValid(vm: Vm, addressHi: number): boolean {
  const x2apicFormat = (vm.caps.x2apicApi & 1n) !== 0n;
  return !x2apicFormat || (addressHi & 0xff) === 0;
}

/** KVM_CREATE_IRQCHIP begins with these routes. Source: kvm_setup_default_ioapic_and_pic_routing(). */
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
