/** Where several checks have the same errno, or a request comes to another file: the row that refused. */
import { expect, test } from 'vitest';
import { type GsiRoute, type Request, StructValue } from '../../../src/simulator/index.ts';
import { Driver } from '../drive.ts';
import { gsiRouting } from '../values.ts';

/** The rows that refused, in the order of the calls. */
function rowsOf(driver: Driver, ...calls: readonly (readonly [handle: number, Request])[]) {
  const rows: unknown[] = [];
  const stop = driver.machine.listen((event) => {
    if (event.kind === 'ioctl') rows.push(event.answer.ok ? undefined : event.answer.check);
  });
  for (const [handle, request] of calls) driver.call(handle, request);
  stop();
  return rows;
}

const msi = { type: 2 };
const toChip = (chip: number, pin: number): Partial<GsiRoute> => ({
  type: 1,
  words: [chip, pin, 0, 0],
});

test('of several faulty routes the first one names the row', () => {
  const driver = new Driver();
  const vm = driver.createTd();
  const route = (routes: Partial<GsiRoute>[], header = {}) =>
    [vm, { request: 'KVM_SET_GSI_ROUTING', routing: gsiRouting(routes, header) }] as const;
  expect(
    rowsOf(
      driver,
      route([msi]),
      route([msi], { nr: 4097 }),
      route([msi, { ...msi, gsi: 4096 }]),
      route([{ type: 9 }, { ...msi, gsi: 1, flags: 2 }]),
      route([{ ...msi, flags: 2 }, { type: 9 }]),
      route([msi, toChip(2, 99)]),
      route([toChip(2, 99)]),
    ),
  ).toEqual([
    undefined,
    'gsi-routing.too-many',
    'gsi-routing.gsi-range',
    'gsi-routing.unknown-type',
    'gsi-routing.entry-flags',
    'gsi-routing.clash',
    'gsi-routing.split',
  ]);
});

test('a TD is told why it has no interrupt chips, and no SMI', () => {
  const driver = new Driver();
  const { vm, vcpus } = driver.builtTd();
  const fresh = driver.createVm();
  const eventfd = { eventfd: { id: 1 }, gsi: 5, flags: 2, resamplefd: { id: 2 } };
  expect(
    rowsOf(
      driver,
      [fresh, { request: 'KVM_CREATE_IRQCHIP' }],
      [vm, { request: 'KVM_CREATE_IRQCHIP' }],
      [vm, { request: 'KVM_CREATE_PIT' }],
      [fresh, { request: 'KVM_IRQFD', irqfd: new StructValue(eventfd) }],
      [vm, { request: 'KVM_IRQFD', irqfd: new StructValue(eventfd) }],
      [vcpus[0] as number, { request: 'KVM_SMI' }],
    ),
  ).toEqual([
    'create-irqchip.td-needs-split',
    'create-irqchip.exists',
    'create-pit.no-pic',
    'irqfd.no-irqchip',
    'irqfd.resample-split',
    'smi.no-smm',
  ]);
});

test('an injected errno is the answer of no row; a closed file and one of another kind have theirs', () => {
  const driver = new Driver({
    faults: { beforeIoctl: (request) => (request === 'KVM_NMI' ? 'EINTR' : undefined) },
  });
  const { vcpus, guestMemfd } = driver.builtTd();
  expect(
    rowsOf(
      driver,
      [vcpus[0] as number, { request: 'KVM_NMI' }],
      [9999, { request: 'KVM_GET_STATS_FD' }],
      [guestMemfd, { request: 'KVM_GET_STATS_FD' }],
      [driver.kvm, { request: 'KVM_GET_API_VERSION', arg: 1n }],
      [driver.kvm, { request: 'KVM_CREATE_IRQCHIP' }],
    ),
  ).toEqual([undefined, 'file.closed', 'file.not-kvm', 'argument.not-zero', 'request.unknown']);
});

test('KVM_RUN has the errno of an unknown request on any file but a vCPU', async () => {
  const driver = new Driver();
  const { vm, guestMemfd } = driver.builtTd();
  const stats = driver.must(vm, { request: 'KVM_GET_STATS_FD' });
  const files = [driver.kvm, vm, guestMemfd, stats, 9999];
  expect(await Promise.all(files.map((file) => driver.run(file).result))).toEqual([
    'EINVAL',
    'ENOTTY',
    'ENOTTY',
    'ENOTTY',
    'EBADF',
  ]);
});
