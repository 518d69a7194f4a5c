/** Moving a TD to another VM, and what a move that fails leaves, under the two patch series. */

import { describe, expect, test } from 'vitest';
import { makesCheck, makesVcpusFirst } from '../../../src/abi/kvm/kernels/record.ts';
import { statusWord } from '../../../src/abi/tdx/status.ts';
import { type KernelAbiName, kernelAbis, StructValue } from '../../../src/simulator/index.ts';
import { Driver, expectOk } from '../drive.ts';
import { destinationOf, pairOf, type Td, type VcpuCounts } from '../moved-td.ts';
import { memRegion, page, ramGpa } from '../structs.ts';
import { abisWhere, poolEmpty } from './abis.ts';

const moveRequest = 'KVM_ENABLE_CAP(KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM)';

/** On a machine of its own. */
function pair(kernelAbi: KernelAbiName, vcpus: VcpuCounts = {}) {
  const driver = new Driver({ kernelAbi });
  return { driver, ...pairOf(driver, vcpus) };
}

const releaseTd = (driver: Driver, { vm, vcpus, guestMemfd }: Td) =>
  driver.release(vm, ...vcpus, guestMemfd);
const vmsOf = (driver: Driver) => driver.machine.snapshot().vms;
const isDead = (driver: Driver, vm: number) => driver.check(vm, 'KVM_CAP_IRQFD') === 'EIO';

const moving = abisWhere((abi) => abi.move !== undefined);
const v1 = abisWhere((abi) => abi.move?.protocol === 'rfc-v1');
const v2 = abisWhere((abi) => abi.move?.protocol === 'rfc-v2');
const withoutOwnKey = (names: readonly KernelAbiName[]) =>
  names.filter((name) => makesVcpusFirst(kernelAbis[name]));

describe.each(abisWhere((abi) => abi.move === undefined))(
  'no TD can be moved (%s)',
  (kernelAbi) => {
    test('the capability says 1, and enabling it is EINVAL whatever the fd is', () => {
      const driver = new Driver({ kernelAbi });
      const source = driver.runnableTd();
      const vm = driver.createVm();
      expect(driver.check(vm, 'KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM')).toBe(1);
      for (const fd of [source.vm, vm, source.vcpus[0] as number, 0, 9999]) {
        expect(driver.move(vm, fd)).toBe('EINVAL');
      }
      expect(isDead(driver, source.vm)).toBe(false);
    });

    test('KVM_LINK_GUEST_MEMFD does not exist: ENOTTY; a slot refuses the file of another VM', () => {
      const driver = new Driver({ kernelAbi });
      const { guestMemfd } = driver.builtTd();
      const vm = driver.createVm();
      expect(driver.link(vm, guestMemfd)).toBe('ENOTTY');
      expect(driver.setSlot(vm, guestMemfd)).toBe('EINVAL');
    });
  },
);

describe('what RFC v2 changes for a destination', () => {
  test('KVM_CREATE_VCPU is legal before INIT_VM; KVM_TDX_INIT_VCPU is EINVAL without a key ID', () => {
    const driver = new Driver({ kernelAbi: 'rfc-migration-v2' });
    const vm = driver.createTd();
    const vcpu = driver.createVcpu(vm, 0) as number;
    expect(vcpu).toBeTypeOf('number');
    expect(driver.setCpuid2(vcpu)).toBe(0);
    expect(driver.initVcpu(vcpu)).toBe('EINVAL');
    expect(driver.machine.keySlots.used).toBe(0);
  });
});

describe.each(moving)('what is moved (%s)', (kernelAbi) => {
  test('the TD with its key ID, pages, vCPUs and attributes; the source is dead and empty', () => {
    const { driver, source, destination } = pair(kernelAbi, {
      sourceVcpus: 2,
      destinationVcpus: 2,
    });
    const before = vmsOf(driver)[0];
    expect(driver.move(destination.vm, source.vm)).toBe(0);
    const [from, to] = vmsOf(driver);
    expect(to).toMatchObject({
      dead: false,
      td: { state: 'RUNNABLE', hkid: before?.td?.hkid, privatePages: 4, opState: 'RUNNABLE' },
      vcpus: [
        { id: 0, initialized: true },
        { id: 1, initialized: true },
      ],
    });
    expect(from).toMatchObject({ dead: true, bugged: false, td: { privatePages: 0 } });
    expect(from?.td?.hkid).toBeUndefined();
    expect(driver.createVcpu(source.vm, 5)).toBe('EIO');
    expect(driver.setCpuid2(source.vcpus[0] as number)).toBe('EIO');
  });

  test('SEAMCALLs: every source vCPU is flushed, every moved one gets its descriptor; no other', () => {
    const { driver, source, destination } = pair(kernelAbi, {
      sourceVcpus: 2,
      destinationVcpus: 2,
    });
    const calls = driver.record();
    driver.move(destination.vm, source.vm);
    expect(calls).toEqual([
      'TDH.VP.FLUSH',
      'TDH.VP.FLUSH',
      'TDH.VP.WR',
      'TDH.VP.WR',
      'KVM_ENABLE_CAP',
    ]);
  });

  test('the MRTD goes with a TD that is moved', () => {
    const { driver, source, destination } = pair(kernelAbi);
    const mrtd = driver.machine.mrtd(source.vm);
    driver.move(destination.vm, source.vm);
    expect(driver.machine.mrtd(destination.vm)).toEqual(mrtd);
    expect(driver.machine.mrtd(source.vm)).toBeUndefined();
  });

  test('a vCPU that runs holds its mutex: EINTR, and nothing has happened', async () => {
    const { driver, source, destination } = pair(kernelAbi);
    const running = driver.run(source.vcpus[0] as number);
    expect(driver.move(destination.vm, source.vm)).toBe('EINTR');
    running.cancel();
    expect(await running.result).toBe('EINTR');
    expect(driver.move(destination.vm, source.vm)).toBe(0);
  });
});

describe.each(withoutOwnKey(moving))('tdx_migrate_tests (%s)', (kernelAbi) => {
  test('closing the source keeps the destination running', async () => {
    const { driver, source, destination } = pair(kernelAbi);
    expect(driver.machine.keySlots.used).toBe(1);
    expect(driver.move(destination.vm, source.vm)).toBe(0);
    const files = source.guestMemfd === destination.guestMemfd ? [] : [source.guestMemfd];
    driver.release(source.vm, ...source.vcpus, ...files);
    expect(driver.machine.keySlots.used).toBe(1);
    expect(driver.machine.snapshot().pages.REG).toBe(4);
    const running = driver.run(destination.vcpus[0] as number);
    running.cancel();
    expect(await running.result).toBe('EINTR');
    releaseTd(driver, destination);
    const { keySlots, hostPages, pages, vms } = driver.machine.snapshot();
    expect({ leaked: keySlots.leaked, used: driver.machine.keySlots.used }).toEqual({
      leaked: 0,
      used: 0,
    });
    expect(hostPages).toEqual({ inUse: 0, leaked: 0 });
    expect(Object.values(pages)).toEqual([0, 0, 0, 0, 0]);
    expect(vms).toEqual([]);
  });

  test('a TD that was in an exit goes on from it on the other side', async () => {
    let out = 0n;
    const guest = {
      run: () =>
        ({
          reason: 'KVM_EXIT_IO',
          direction: 'out',
          port: 0x50,
          sizeBytes: 4,
          data: ++out,
        }) as const,
    };
    const driver = new Driver({ kernelAbi, guest });
    const source = driver.runnableTd();
    const first = driver.run(source.vcpus[0] as number);
    expect([await first.result, first.exits]).toMatchObject([0, [{ data: 1n }]]);
    const destination = destinationOf(driver, source);
    expect(driver.move(destination.vm, source.vm)).toBe(0);
    const second = driver.run(destination.vcpus[0] as number);
    expect([await second.result, second.exits]).toMatchObject([0, [{ data: 2n }]]);
    expect(await driver.run(source.vcpus[0] as number).result).toBe('EIO');
  });

  test('the guest is the same one before and after', async () => {
    const seen: number[] = [];
    const guest = {
      run: (vcpu: { guest: number }) => {
        seen.push(vcpu.guest);
        return { reason: 'KVM_EXIT_SHUTDOWN' } as const;
      },
    };
    const driver = new Driver({ kernelAbi, guest });
    const source = driver.runnableTd();
    await driver.run(source.vcpus[0] as number).result;
    const destination = destinationOf(driver, source);
    driver.move(destination.vm, source.vm);
    await driver.run(destination.vcpus[0] as number).result;
    expect(seen[0]).toBe(seen[1]);
  });

  test('ten hops, then back into the dead source: EIO; everything is given back', () => {
    const driver = new Driver({ kernelAbi });
    const source = driver.runnableTd();
    const hkid = vmsOf(driver)[0]?.td?.hkid;
    const chain: Td[] = [source];
    for (let hop = 0; hop < 10; hop++) {
      const from = chain.at(-1) as Td;
      const to = destinationOf(driver, from);
      expect(driver.move(to.vm, from.vm)).toBe(0);
      expect(driver.machine.keySlots.used).toBe(1);
      chain.push(to);
    }
    const last = chain.at(-1) as Td;
    expect(vmsOf(driver).at(-1)?.td?.hkid).toBe(hkid);
    expect(driver.move(source.vm, last.vm)).toBe('EIO');
    for (const td of chain) releaseTd(driver, td);
    expect(driver.machine.snapshot()).toMatchObject({
      keySlots: { assigned: 0, leaked: 0 },
      hostPages: { inUse: 0, leaked: 0 },
      vms: [],
    });
  });
});

const otherThanTd = (driver: Driver) => driver.createVm('KVM_X86_DEFAULT_VM');

describe.each(v1)('RFC v1 (%s)', (kernelAbi) => {
  const { move } = kernelAbis[kernelAbi];
  test('a destination that is no TD is ENOTTY, before the fd is looked at', () => {
    const driver = new Driver({ kernelAbi });
    expect(driver.move(otherThanTd(driver), 0)).toBe('ENOTTY');
  });

  test('no memory is found too late: the source is dead, and its close frees the key', () => {
    const { driver, source, destination } = pair(kernelAbi);
    const before = driver.machine.keySlots.used;
    driver.failAt('KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM: allocate', 'ENOMEM');
    expect(driver.move(destination.vm, source.vm)).toBe('ENOMEM');
    expect(isDead(driver, source.vm)).toBe(true);
    expect(isDead(driver, destination.vm)).toBe(false);
    releaseTd(driver, source);
    expect(driver.machine.keySlots.used).toBe(before - 1);
    releaseTd(driver, destination);
    expect(driver.machine.snapshot().hostPages).toEqual({ inUse: 0, leaked: 0 });
  });

  test('the private memory of the time is a file of no VM; both slots have it', () => {
    const { driver, source, destination } = pair(kernelAbi);
    expect(destination.guestMemfd).toBe(source.guestMemfd);
    driver.move(destination.vm, source.vm);
    driver.release(source.guestMemfd);
    expect(driver.machine.snapshot().pages.REG).toBe(0);
  });

  test('the charge of the source', () => {
    const { driver, source, destination } = pair(kernelAbi);
    driver.move(destination.vm, source.vm);
    releaseTd(driver, source);
    releaseTd(driver, destination);
    const [root] = driver.machine.snapshot().cgroups;
    const stays = move?.sourceCharge === 'never released' ? 1 : 0;
    // A destination that had a key slot of its own has lost it, and its charge.
    expect(root?.usage).toBe(stays + driver.machine.snapshot().keySlots.leaked);
  });
});

describe.each(
  abisWhere(
    (abi) => abi.move !== undefined && !withoutOwnKey(moving).includes(abi.name as KernelAbiName),
  ),
)('seed thread: a destination that must have a key slot of its own (%s)', (kernelAbi) => {
  test('needs two slots at once, and a host with one refuses it', () => {
    const driver = new Driver({ kernelAbi, profile: 'one-slot' });
    driver.runnableTd();
    const made = driver.call(driver.kvm, { request: 'KVM_CREATE_VM', type: 5 });
    const refused = typeof made === 'number' ? driver.initVm(made) : made;
    expect(refused).toBe(poolEmpty(kernelAbis[kernelAbi]));
  });

  test('UNCONFIRMED: the move overwrites its key ID, which is leaked with its pages', () => {
    const { driver, source, destination } = pair(kernelAbi);
    expect(driver.machine.keySlots.used).toBe(2);
    expect(driver.move(destination.vm, source.vm)).toBe(0);
    expect(driver.machine.snapshot().keySlots).toMatchObject({ assigned: 1, leaked: 1 });
    // A TDR and 6 TDCS pages.
    expect(driver.machine.snapshot().hostPages.leaked).toBe(7);
  });
});

describe.each(withoutOwnKey(moving))('seed thread: a full host (%s)', (kernelAbi) => {
  test('a destination takes no key slot, so a TD moves where no slot is left', () => {
    const driver = new Driver({ kernelAbi, profile: 'one-slot' });
    const source = driver.runnableTd();
    expect(driver.machine.keySlots).toEqual({ total: 1, used: 1 });
    const destination = destinationOf(driver, source);
    expect(driver.move(destination.vm, source.vm)).toBe(0);
    expect(driver.machine.keySlots).toEqual({ total: 1, used: 1 });
  });
});

test.each(
  v1.filter((name) => makesCheck(kernelAbis[name], moveRequest, 'move.memslot-counts-differ')),
)('posted defect: the loop over the slots sees no other memory in them (%s)', (kernelAbi) => {
  const driver = new Driver({ kernelAbi });
  const source = driver.runnableTd();
  const other = driver.builtTd().guestMemfd;
  const destination = destinationOf(driver, { ...source, guestMemfd: other });
  expect(driver.move(destination.vm, source.vm)).toBe(0);
});

test.each(
  v1.filter((name) => !makesCheck(kernelAbis[name], moveRequest, 'move.vcpu-counts-differ')),
)('posted defect: vCPU counts that differ succeed, and vCPUs are lost (%s)', (kernelAbi) => {
  const { driver, source, destination } = pair(kernelAbi, { sourceVcpus: 2 });
  expect(driver.move(destination.vm, source.vm)).toBe(0);
  expect(vmsOf(driver).map((vm) => vm.vcpus.map((vcpu) => vcpu.initialized))).toEqual([
    [false, true],
    [true],
  ]);
  releaseTd(driver, source);
  releaseTd(driver, destination);
  // The lost vCPU's 6 pages, and the TDR that cannot go before them.
  expect(driver.machine.snapshot().hostPages).toEqual({ inUse: 0, leaked: 7 });
});

describe.each(v2)('RFC v2 (%s)', (kernelAbi) => {
  test('an fd of no VM is EBADF before the types of the VMs are compared', () => {
    const driver = new Driver({ kernelAbi });
    expect(driver.move(otherThanTd(driver), 0)).toBe('EBADF');
  });

  test('slot numbers and userspace addresses do not count', () => {
    const { driver, source } = pair(kernelAbi);
    const vm = driver.createTd();
    driver.setSlot(vm, driver.link(vm, source.guestMemfd) as number, 7);
    driver.setCpuid2(driver.createVcpu(vm, 0) as number);
    expect(driver.move(vm, source.vm)).toBe(0);
  });

  test('the source is dead before TDX looks: one of two ordinary VMs of the same slots is, too', () => {
    const driver = new Driver({ kernelAbi });
    const [destination, source] = [otherThanTd(driver), otherThanTd(driver)];
    expect(driver.move(destination, source)).toBe(0);
    expect([isDead(driver, source), isDead(driver, destination)]).toEqual([true, false]);
  });

  test('defect: a source that is not RUNNABLE is dead all the same; its close gives everything back', () => {
    const driver = new Driver({ kernelAbi });
    const source = driver.builtTd();
    const destination = destinationOf(driver, source);
    expect(driver.move(destination.vm, source.vm)).toBe('EINVAL');
    expect(isDead(driver, source.vm)).toBe(true);
    releaseTd(driver, source);
    releaseTd(driver, destination);
    expect(driver.machine.snapshot()).toMatchObject({
      keySlots: { assigned: 0, leaked: 0 },
      hostPages: { inUse: 0, leaked: 0 },
    });
  });

  test('defect: for a destination that is RUNNABLE the source is dead, the destination alive', () => {
    const { driver, source } = pair(kernelAbi);
    const vm = driver.createTd();
    expectOk(driver.initVm(vm));
    expectOk(driver.setSlot(vm, driver.link(vm, source.guestMemfd) as number));
    const vcpu = driver.newVcpu(vm, 0);
    expectOk(driver.finalizeVm(vm));
    expect(driver.move(vm, source.vm)).toBe('EINVAL');
    expect([isDead(driver, source.vm), isDead(driver, vm)]).toEqual([true, false]);
    driver.release(vcpu);
  });

  test('not checked: a destination in state INITIALIZED is accepted, its key ID lost', () => {
    const driver = new Driver({ kernelAbi });
    const source = driver.runnableTd();
    const vm = driver.createTd();
    expectOk(driver.initVm(vm));
    expectOk(driver.setSlot(vm, driver.link(vm, source.guestMemfd) as number));
    driver.newVcpu(vm, 0);
    expect(driver.move(vm, source.vm)).toBe(0);
    expect(driver.machine.snapshot().keySlots).toMatchObject({ assigned: 1, leaked: 1 });
  });

  test("for the caller's cgroup at its limit the source is dead, and its close frees the key ID", () => {
    const { driver, source, destination } = pair(kernelAbi);
    driver.machine.setCgroupMax({ path: '/full', max: 0 });
    driver.cgroup = '/full';
    expect(driver.move(destination.vm, source.vm)).toBe('EBUSY');
    expect(isDead(driver, source.vm)).toBe(true);
    releaseTd(driver, source);
    releaseTd(driver, destination);
    expect(driver.machine.keySlots.used).toBe(0);
  });

  test('defect: after a move to another cgroup that of the source stays charged', () => {
    const { driver, source, destination } = pair(kernelAbi);
    driver.cgroup = '/other';
    expect(driver.move(destination.vm, source.vm)).toBe(0);
    releaseTd(driver, source);
    releaseTd(driver, destination);
    const { cgroups, keySlots } = driver.machine.snapshot();
    expect(keySlots.assigned).toBe(0);
    expect(Object.fromEntries(cgroups.map(({ path, usage }) => [path, usage]))).toEqual({
      '/': 1,
      '/other': 0,
    });
  });

  test('in the same cgroup nothing is charged or left', () => {
    const { driver, source, destination } = pair(kernelAbi);
    driver.move(destination.vm, source.vm);
    releaseTd(driver, source);
    releaseTd(driver, destination);
    expect(driver.machine.snapshot().cgroups[0]?.usage).toBe(0);
  });

  test('UNCONFIRMED: for a destination vCPU without x2APIC the TD stays in the dead source', () => {
    const { driver, source } = pair(kernelAbi);
    const vm = driver.createTd();
    expectOk(driver.setSlot(vm, driver.link(vm, source.guestMemfd) as number));
    driver.createVcpu(vm, 0);
    expect(driver.move(vm, source.vm)).toBe('EINVAL');
    expect(isDead(driver, source.vm)).toBe(true);
    expect(vmsOf(driver)[0]?.td?.hkid).toBeDefined();
    releaseTd(driver, source);
    expect(driver.machine.keySlots.used).toBe(0);
  });

  test('a descriptor that cannot be written bugs the destination', () => {
    const { driver, source, destination } = pair(kernelAbi);
    driver.failLeaf('TDH.VP.WR', statusWord('TDX_OPERAND_BUSY', 'TDVPR'));
    driver.move(destination.vm, source.vm);
    expect(vmsOf(driver)[1]).toMatchObject({ bugged: true, td: { state: 'RUNNABLE' } });
  });

  test('not checked: a destination with more vCPUs keeps some that never run', async () => {
    const { driver, source, destination } = pair(kernelAbi, { destinationVcpus: 2 });
    expect(driver.move(destination.vm, source.vm)).toBe(0);
    expect(vmsOf(driver)[1]?.vcpus.map((vcpu) => vcpu.initialized)).toEqual([true, false]);
    const idle = driver.run(destination.vcpus[1] as number, { immediateExit: true });
    expect(await idle.result).toBe('EINTR');
  });

  test('not checked: a destination with fewer vCPUs is an oops; here EIO, and both VMs bugged', () => {
    const { driver, source, destination } = pair(kernelAbi, { sourceVcpus: 2 });
    expect(driver.move(destination.vm, source.vm)).toBe('EIO');
    expect(vmsOf(driver).map((vm) => vm.bugged)).toEqual([true, true]);
    releaseTd(driver, source);
    releaseTd(driver, destination);
    expect(driver.machine.snapshot()).toMatchObject({
      keySlots: { assigned: 0, leaked: 0 },
      hostPages: { inUse: 0, leaked: 7 },
    });
  });

  test('defect: the second move of the attributes leaves the destination with none', () => {
    const { driver, source, destination } = pair(kernelAbi);
    driver.move(destination.vm, source.vm);
    const [vcpu] = destination.vcpus;
    const range = new StructValue({ gpa: ramGpa + 8n * page, size: page, flags: 0n });
    const calls = driver.record();
    driver.call(vcpu ?? 0, { request: 'KVM_PRE_FAULT_MEMORY', range });
    expect(calls).not.toContain('TDH.MEM.PAGE.AUG');
  });
});

describe('KVM_LINK_GUEST_MEMFD (rfc-migration-v2)', () => {
  const linked = () => {
    const driver = new Driver({ kernelAbi: 'rfc-migration-v2' });
    return { driver, source: driver.builtTd(), vm: driver.createTd() };
  };

  test('the new file pins its own VM, and the pages live until the last file is closed', () => {
    const { driver, source, vm } = linked();
    const file = driver.link(vm, source.guestMemfd) as number;
    driver.release(vm);
    expect(vmsOf(driver)).toHaveLength(2);
    driver.initMemRegion(source.vcpus[0] as number, memRegion({ nrPages: 2n }));
    driver.release(source.vm, ...source.vcpus, source.guestMemfd);
    expect(driver.machine.snapshot().hostPages.inUse).toBe(2);
    driver.release(file);
    expect(driver.machine.snapshot()).toMatchObject({ hostPages: { inUse: 0 }, vms: [] });
  });
});
