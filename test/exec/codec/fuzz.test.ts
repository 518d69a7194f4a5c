/** Any number, argument, memory and fault, against simulated machines: an answer, and never more. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { errnoNumbers } from '../../../src/abi/kvm/errno.ts';
import { ioctlNumbers, tdxCommands } from '../../../src/abi/kvm/requests.ts';
import { decode } from '../../../src/exec/codec/index.ts';
import { runPageBytes } from '../../../src/exec/codec/run-page.ts';
import { type Answer, type KernelAbiName, kernelAbis } from '../../../src/simulator/index.ts';
import { Driver } from '../../simulator/drive.ts';
import { Client } from './client.ts';

const names = Object.keys(kernelAbis) as KernelAbiName[];
const knownNumbers = Object.values(ioctlNumbers);
const u64 = fc.bigInt(0n, (1n << 64n) - 1n);

const anyCall = fc.record({
  file: fc.constantFrom('system', 'vm', 'td', 'vcpu', 'guest_memfd', 'stats'),
  number: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...knownNumbers) },
    { weight: 1, arbitrary: fc.nat(0xffff_ffff) },
  ),
  arg: fc.oneof(
    { weight: 4, arbitrary: fc.constant('placed') },
    { weight: 1, arbitrary: u64 },
    { weight: 2, arbitrary: fc.bigInt(0n, 300n) },
  ),
  bytes: fc.oneof(
    fc.uint8Array({ maxLength: 400 }),
    // A command whose data points somewhere.
    fc
      .tuple(fc.constantFrom(...Object.values(tdxCommands)), fc.nat(1))
      .map(([id, flags]) => new Uint8Array([id, 0, 0, 0, flags, ...new Array(19).fill(0)])),
  ),
  data: fc.oneof(
    fc.uint8Array({ maxLength: 3000 }),
    fc.nat(200).map((fill) => new Uint8Array(16384).fill(fill)),
  ),
  faults: fc.array(fc.boolean(), { maxLength: 6 }),
  immediateExit: fc.boolean(),
});

function expectAnswer(answer: Answer): void {
  if (answer.ok) expect(answer.value).toBeGreaterThanOrEqual(0);
  else expect(errnoNumbers[answer.errno]).toBeGreaterThan(0);
}

test.each(names)('any call is answered (%s)', async (kernelAbi) => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyCall, { minLength: 1, maxLength: 12 }), async (calls) => {
      const driver = new Driver({ kernelAbi });
      const handles = {
        system: driver.kvm,
        vm: driver.createVm('KVM_X86_DEFAULT_VM'),
        ...tdOf(driver),
      };
      for (const call of calls) {
        const client = new Client();
        client.kernelAbi = driver.machine.kernelAbi;
        client.fds.set(3, { kind: 'ours', handle: handles.guest_memfd });
        client.fds.set(4, { kind: 'other' });
        client.fds.set(5, { kind: 'eventfd', id: 1 });
        const bytes = call.bytes.slice();
        const data = client.place(call.data);
        if (bytes.length >= 16) new DataView(bytes.buffer).setBigUint64(8, data, true);
        const arg = call.arg === 'placed' ? client.place(bytes) : BigInt(call.arg);
        const faults = [...call.faults];
        client.faults = () => faults.shift() ?? false;
        const runPage = new Uint8Array(runPageBytes);
        runPage[1] = call.immediateExit ? 1 : 0;
        const decoded = decode({
          file: call.file === 'td' ? 'vm' : call.file,
          number: call.number,
          arg,
          memory: client,
          fd: (fd) => client.fds.get(fd),
          runPage,
          kernelAbi: client.kernelAbi,
        });
        const handle = handles[call.file as keyof typeof handles];
        const caller = {
          mm: 1,
          cgroup: '/',
          memory: client,
          pendingSignal: () => 'none' as const,
        };
        if (decoded.kind !== 'run') {
          expectAnswer(driver.machine.ioctl(caller, handle, decoded.request));
        } else {
          const run = driver.machine.run(caller, handle, decoded.request);
          run.cancel();
          expectAnswer(await run.answer);
        }
      }
    }),
    { numRuns: 60 },
  );
});

function tdOf(driver: Driver): { td: number; vcpu: number; guest_memfd: number } {
  const td = driver.createTd();
  driver.initVm(td);
  const vcpu = driver.createVcpu(td, 0);
  const guestMemfd = driver.createGuestMemfd(td);
  return { td, vcpu: Number(vcpu), guest_memfd: Number(guestMemfd) };
}
