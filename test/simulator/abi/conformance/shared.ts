/** The conditions of checks that many requests have, brought about for any of them. */
import type { AskedOn, CheckName } from '../../../../src/abi/kvm/checks/index.ts';
import { makesVcpusFirst } from '../../../../src/abi/kvm/kernels/record.ts';
import type { Handle, Request, TdxRequest } from '../../../../src/simulator/index.ts';
import { hostProfiles } from '../../../../src/simulator/index.ts';
import type { Driver, Result } from '../../drive.ts';
import type { Case, Cases, Conformance } from './case.ts';
import { other } from './statuses.ts';

export interface Asked extends Required<Conformance> {
  readonly on: AskedOn;
}

type Shared = (of: Asked) => Cases;

/** The request, asked on a file that takes it, after something was arranged. */
const after =
  (arrange: (driver: Driver, handle: Handle) => void) =>
  ({ handle, request }: Asked) =>
  (driver: Driver) => {
    const file = handle(driver);
    const asked = request(driver, file);
    arrange(driver, file);
    return driver.call(file, asked);
  };

/** The request with some of its copies changed. */
const changed =
  (change: (request: Request) => Request) =>
  ({ handle, request }: Asked) =>
  (driver: Driver) => {
    const file = handle(driver);
    return driver.call(file, change(request(driver, file)));
  };

/** The request on another file than its own. */
const askedOn =
  (file: (driver: Driver) => Handle) =>
  ({ handle, request }: Asked) =>
  (driver: Driver) =>
    driver.call(file(driver), request(driver, handle(driver)));

/** Every copy whose method begins so does what it is told. */
function withCopies(
  request: Request,
  methods: RegExp,
  copy: (original: () => unknown, time: number) => unknown,
): Request {
  const entries = Object.entries(request).map(([field, value]) => [
    field,
    typeof value === 'object' && value !== null ? wrapped(value) : value,
  ]);
  return Object.fromEntries(entries) as Request;

  function wrapped(struct: object): object {
    let times = 0;
    return new Proxy(struct, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== 'function') return member;
        if (typeof name !== 'string' || !methods.test(name)) return member.bind(target);
        return (...args: unknown[]) => {
          times++;
          return copy(() => member.apply(target, args) as unknown, times);
        };
      },
    });
  }
}

const unreadable = changed((request) => withCopies(request, /^read/, () => undefined));
const unwritable = changed((request) => withCopies(request, /^write/, () => false));

const withCommand = (change: (cmd: TdxRequest['cmd']) => TdxRequest['cmd']) =>
  changed((request) => {
    const asked = request as TdxRequest;
    return { ...asked, cmd: change(asked.cmd) } as TdxRequest;
  });

const secondRead = (change: (read: () => unknown) => unknown) =>
  withCommand((cmd) => {
    let times = 0;
    const read = () => {
      times++;
      return times === 1 ? cmd.read() : change(() => cmd.read());
    };
    return { ...cmd, write: (value) => cmd.write(value), read } as TdxRequest['cmd'];
  });

const failing = (kind: 'allocate' | 'install the fd', errno: 'ENOMEM' | 'EMFILE') =>
  after((driver) => driver.failPoints((point) => point.endsWith(kind), errno));

/** A call to the module fails that none may: KVM gives the VM up, and its vCPUs with it. */
const onDeadVm =
  ({ on, request }: Asked) =>
  (driver: Driver) => {
    const { vm, vcpus } = driver.builtTd();
    const file = on === 'a vCPU' ? (vcpus[0] ?? vm) : vm;
    const asked = request(driver, file);
    driver.failLeaf('TDH.MR.FINALIZE', other);
    driver.finalizeVm(vm);
    return driver.call(file, asked);
  };

const plainVm = (driver: Driver) => driver.createVm('KVM_X86_DEFAULT_VM');
const plainVcpu = (driver: Driver) =>
  driver.must(plainVm(driver), { request: 'KVM_CREATE_VCPU', id: 0 });
const withoutModule = { ...hostProfiles['spr-1.5'], module: undefined };

/** A vCPU that was made before the TD was finalised, and one of a TD that is not initialised. */
const notInBuilding = ({ request }: Asked): readonly Case[] => [
  {
    title: 'after KVM_TDX_FINALIZE_VM',
    provoke: (driver): Result => {
      const { vm } = driver.builtTd();
      const late = driver.must(vm, { request: 'KVM_CREATE_VCPU', id: 1 });
      driver.finalizeVm(vm);
      return driver.call(late, request(driver, late));
    },
  },
  {
    title: 'after KVM_TDX_FINALIZE_VM, on a vCPU of the finalised TD',
    provoke: (driver): Result => {
      const vcpu = driver.runnableTd().vcpus[0] ?? 0;
      return driver.call(vcpu, request(driver, vcpu));
    },
  },
  {
    title: 'before KVM_TDX_INIT_VM',
    of: makesVcpusFirst,
    provoke: (driver): Result => {
      const early = driver.must(driver.createTd(), { request: 'KVM_CREATE_VCPU', id: 0 });
      return driver.call(early, request(driver, early));
    },
  },
];

export const sharedCases: Readonly<Partial<Record<CheckName, Shared>>> = {
  'vm.other-process': after((driver) => {
    driver.mm = 2;
  }),
  'vm.dead': onDeadVm,
  'vcpu.busy': after((driver, vcpu) => {
    driver.occupy(vcpu);
  }),
  'argument.unreadable': unreadable,
  'argument.unwritable': unwritable,
  'kernel.no-memory': failing('allocate', 'ENOMEM'),
  'process.no-descriptor': failing('install the fd', 'EMFILE'),

  'command.vm-no-td': askedOn(plainVm),
  'command.vcpu-no-td': askedOn(plainVcpu),
  'command.no-tdx': ({ request }) => ({
    profile: withoutModule,
    provoke: (driver) => driver.call(plainVcpu(driver), request(driver, 0)),
  }),
  'command.unreadable': withCommand((cmd) => ({
    write: (value) => cmd.write(value),
    read: () => undefined,
  })),
  'command.hw-error': withCommand((cmd) => ({
    write: (value) => cmd.write(value),
    read: () => {
      const read = cmd.read();
      return read && { ...read, hwError: 1n };
    },
  })),
  'command.killed': after((driver, file) => {
    driver.occupySibling(file);
  }),
  'command.td-not-in-building': notInBuilding,
  'command.unreadable-again': secondRead(() => undefined),
  'command.hw-error-again': secondRead((read) => ({ ...(read() as object), hwError: 1n })),
  'command.unwritable': withCommand((cmd) => ({ read: () => cmd.read(), write: () => false })),
  'command.unknown': after(() => {}),
  'request.unknown': after(() => {}),
  'request.unknown-on-vm': after(() => {}),
  'enable-cap.flags': changed((request) =>
    withCopies(request, /^read$/, (read) => ({ ...(read() as object), flags: 1 })),
  ),
  'enable-cap.unknown': after(() => {}),
};
