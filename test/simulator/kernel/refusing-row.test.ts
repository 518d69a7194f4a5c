/** Where several checks have the same errno, or a request comes to another file: the row that refused. */
import { expect, test } from 'vitest';
import type { GsiRoute, Request } from '../../../src/simulator/index.ts';
import { Driver } from '../drive.ts';
import { irqfdStruct } from '../structs.ts';
import { chipRoute, gsiRouting } from '../values.ts';

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

test('of several faulty routes the first one names the row', () => {
  const driver = new Driver();
  const vm = driver.createTd();
  const route = (...routes: Partial<GsiRoute>[]) =>
    [vm, { request: 'KVM_SET_GSI_ROUTING', routing: gsiRouting(routes) }] as const;
  expect(
    rowsOf(
      driver,
      // The GSIs of all are looked at before anything else of one.
      route({ type: 9 }, { ...msi, gsi: 4096 }),
      route({ type: 9 }, { ...msi, gsi: 1, flags: 2 }),
      route({ ...msi, flags: 2 }, { type: 9 }),
      route(msi, chipRoute(2, 99)),
      route(chipRoute(2, 99)),
    ),
  ).toEqual([
    'gsi-routing.gsi-range',
    'gsi-routing.unknown-type',
    'gsi-routing.entry-flags',
    'gsi-routing.clash',
    'gsi-routing.split',
  ]);
});

test('whether there is an irqchip is asked before what kind of irqchip the VM can have', () => {
  const driver = new Driver();
  const eventfd = { flags: 2, resamplefd: { id: 2 } };
  expect(
    rowsOf(
      driver,
      [driver.builtTd().vm, { request: 'KVM_CREATE_IRQCHIP' }],
      [driver.createVm(), { request: 'KVM_IRQFD', irqfd: irqfdStruct(eventfd) }],
    ),
  ).toEqual(['create-irqchip.exists', 'irqfd.no-irqchip']);
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
      [driver.kvm, { request: 'KVM_CREATE_IRQCHIP' }],
    ),
  ).toEqual([undefined, 'file.closed', 'file.not-kvm', 'request.unknown']);
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
