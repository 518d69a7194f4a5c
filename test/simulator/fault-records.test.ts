/** Each kind of fault shows what KVM would show: the errno, whether the VM is dead, what is lost. */
import { describe, expect, test } from 'vitest';
import {
  type FaultRecord,
  injectorOf,
  parseFault,
  possibleFaults,
  type TraceEvent,
} from '../../src/simulator/index.ts';
import { Driver, type Result } from './drive.ts';
import { memRegion } from './structs.ts';

function faults(...texts: string[]): FaultRecord[] {
  return texts.map((text) => {
    const fault = parseFault(text);
    if ('problem' in fault) throw new Error(`${text}: ${fault.problem}`);
    return fault;
  });
}

const driverWith = (...texts: string[]) => new Driver({ faults: injectorOf(faults(...texts)) });

/** Builds, finalizes and closes a TD, whatever is refused on the way. Answers by request. */
function wholeLife(driver: Driver): Record<string, Result[]> {
  const answers: Record<string, Result[]> = {};
  const note = (request: string, result: Result) => {
    answers[request] = [...(answers[request] ?? []), result];
    return typeof result === 'number' ? result : undefined;
  };
  const vm = note('CREATE_VM', driver.call(driver.kvm, { request: 'KVM_CREATE_VM', type: 5 }));
  if (vm === undefined) return answers;
  const held = [vm];
  note('SPLIT_IRQCHIP', driver.cap(vm, 'KVM_CAP_SPLIT_IRQCHIP', 24n));
  note('INIT_VM', driver.initVm(vm));
  for (const id of [0, 1, 2]) {
    const vcpu = note('CREATE_VCPU', driver.createVcpu(vm, id));
    if (vcpu === undefined) continue;
    held.push(vcpu);
    note('SET_CPUID2', driver.setCpuid2(vcpu));
    note('INIT_VCPU', driver.initVcpu(vcpu));
  }
  const guestMemfd = note('CREATE_GUEST_MEMFD', driver.createGuestMemfd(vm));
  if (guestMemfd !== undefined) {
    held.push(guestMemfd);
    note('SET_SLOT', driver.setSlot(vm, guestMemfd));
  }
  note('SET_PRIVATE', driver.setPrivate(vm, 0x10_0000n, 16));
  const firstVcpu = held[1];
  if (firstVcpu !== undefined && firstVcpu !== guestMemfd) {
    const region = memRegion({ nrPages: 4n });
    note('INIT_MEM_REGION', driver.initMemRegion(firstVcpu, region, 1));
    note('pages left', Number(region.value.nrPages));
  }
  note('FINALIZE_VM', driver.finalizeVm(vm));
  note('dead', driver.machine.snapshot().vms[0]?.dead ? 1 : 0);
  driver.release(...held.reverse());
  return answers;
}

const nothingHeld = {
  keySlots: { total: 63, free: 63, leaked: 0, assigned: 0, flushed: 0, foreign: 0 },
  hostPages: { inUse: 0, leaked: 0 },
  vms: [],
  handles: 1,
};

describe('a leaf that answers a status', () => {
  test('TDX_RND_NO_ENTROPY is EAGAIN as often as it comes; the VM lives and can try again', () => {
    const driver = driverWith('TDH.MNG.CREATE#1x3=TDX_RND_NO_ENTROPY');
    const vm = driver.createVm();
    const answers = [1, 2, 3, 4].map(() => driver.initVm(vm));
    expect(answers).toEqual(['EAGAIN', 'EAGAIN', 'EAGAIN', 0]);
    driver.release(vm);
    expect(driver.machine.snapshot()).toMatchObject(nothingHeld);
  });

  test('TDX_KEY_GENERATION_FAILED on the second package is EIO and bugs the VM; nothing is lost', () => {
    const driver = driverWith('TDH.MNG.KEY.CONFIG#2=TDX_KEY_GENERATION_FAILED');
    const answers = wholeLife(driver);
    expect(answers).toMatchObject({
      INIT_VM: ['EIO'],
      CREATE_VCPU: ['EIO', 'EIO', 'EIO'],
      dead: [1],
    });
    expect(driver.machine.snapshot()).toMatchObject(nothingHeld);
  });

  test('TDX_OPERAND_BUSY three times while a page is added is not seen outside', () => {
    const driver = driverWith('TDH.MEM.PAGE.ADD#2x3=TDX_OPERAND_BUSY|SEPT_TREE');
    expect(wholeLife(driver)).toMatchObject({
      INIT_MEM_REGION: [0],
      'pages left': [0],
      FINALIZE_VM: [0],
    });
    expect(driver.machine.snapshot()).toMatchObject(nothingHeld);
  });

  test('TDX_OPERAND_BUSY without end stops at EINTR, with the region advanced', () => {
    const driver = driverWith('TDH.MEM.PAGE.ADD#3+=TDX_OPERAND_BUSY|SEPT_TREE');
    expect(wholeLife(driver)).toMatchObject({ INIT_MEM_REGION: ['EINTR'], 'pages left': [2] });
    expect(driver.machine.snapshot()).toMatchObject(nothingHeld);
  });

  test('TDX_OPERAND_BUSY at TDH.MR.FINALIZE is EBUSY, and the TD can be finalized later', () => {
    const driver = driverWith('TDH.MR.FINALIZE=TDX_OPERAND_BUSY|RCX');
    const { vm } = driver.builtTd();
    expect([driver.finalizeVm(vm), driver.finalizeVm(vm)]).toEqual(['EBUSY', 0]);
  });

  test('TDX_FLUSHVP_NOT_DONE leaks the key slot and the control pages, without a word', () => {
    const driver = driverWith('TDH.MNG.VPFLUSHDONE#1+=TDX_FLUSHVP_NOT_DONE');
    expect(wholeLife(driver)).toMatchObject({ FINALIZE_VM: [0], dead: [0] });
    const { keySlots, hostPages, vms, handles } = driver.machine.snapshot();
    expect(keySlots).toMatchObject({ free: 62, leaked: 1, assigned: 0 });
    expect(hostPages.inUse).toBe(0);
    expect(hostPages.leaked).toBeGreaterThan(0);
    expect([vms, handles]).toEqual([[], 1]);
  });
});

describe('an errno', () => {
  test('as an ioctl begins leaves no trace of the call', () => {
    const driver = driverWith('KVM_CREATE_VCPU#3=ENOMEM');
    const answers = wholeLife(driver);
    expect(answers.CREATE_VCPU?.map((answer) => typeof answer)).toEqual([
      'number',
      'number',
      'string',
    ]);
    expect(answers).toMatchObject({ FINALIZE_VM: [0], dead: [0] });
    expect(driver.machine.snapshot()).toMatchObject(nothingHeld);
  });

  test('at a step of it comes after the checks before that step', () => {
    const driver = driverWith('KVM_CREATE_VCPU: install the fd#1+=EMFILE');
    const vm = driver.initializedTd();
    expect([driver.createVcpu(vm, -1), driver.createVcpu(vm, 0)]).toEqual(['EINVAL', 'EMFILE']);
  });

  test('is not seen on a dead VM, which answers EIO', () => {
    const driver = driverWith('TDH.MNG.CREATE=TDX_OPERAND_BUSY|KOT', 'KVM_CREATE_VCPU#1+=ENOMEM');
    expect(wholeLife(driver)).toMatchObject({
      INIT_VM: ['EIO'],
      CREATE_VCPU: ['EIO', 'EIO', 'EIO'],
    });
  });
});

test('a signal before page 2 is EINTR with the region advanced by two; a second call goes on', () => {
  const driver = driverWith('KVM_TDX_INIT_MEM_REGION=signal@2');
  const { vcpus } = driver.builtTd();
  const region = memRegion({ nrPages: 5n });
  expect(driver.initMemRegion(vcpus[0] as number, region)).toBe('EINTR');
  expect(region.value.nrPages).toBe(3n);
  expect(driver.initMemRegion(vcpus[0] as number, region)).toBe(0);
});

describe('what others do', () => {
  test('a package that goes offline makes INIT_VM EIO; it may be tried again once it is back', () => {
    const driver = driverWith(
      'KVM_TDX_INIT_VM=package-offline',
      'KVM_TDX_INIT_VM#2=package-online',
    );
    const vm = driver.createVm();
    const [first, online, second] = [
      driver.initVm(vm),
      driver.check(driver.kvm, 'KVM_CAP_NR_VCPUS'),
      driver.initVm(vm),
    ];
    // The reference does not say whether "All packages need to have online CPU" bugs the VM.
    expect(first).toBe('EIO');
    expect(online).toBe(112);
    expect(second).toBe(0);
    driver.release(vm);
    expect(driver.machine.snapshot()).toMatchObject(nothingHeld);
  });

  test('a package cannot go offline while a TD holds a key slot', () => {
    const driver = new Driver();
    const vm = driver.initializedTd();
    expect(driver.machine.setLastPackageOnline(false)).toBe(false);
    driver.release(vm);
    expect(driver.machine.setLastPackageOnline(false)).toBe(true);
  });

  test('foreign TDs that take every slot make INIT_VM ENOSPC, and it works when they give some back', () => {
    const driver = driverWith(
      'KVM_TDX_INIT_VM=foreign-tds+999',
      'KVM_TDX_INIT_VM#2=foreign-tds-10',
    );
    const vm = driver.createVm();
    expect(driver.initVm(vm)).toBe('ENOSPC');
    expect(driver.machine.snapshot().keySlots).toMatchObject({ foreign: 63, free: 0 });
    expect(driver.initVm(vm)).toBe(0);
    expect(driver.machine.snapshot().keySlots).toMatchObject({ foreign: 53, assigned: 1, free: 9 });
    driver.release(vm);
    driver.machine.changeForeignTds(-999);
    expect(driver.machine.snapshot()).toMatchObject(nothingHeld);
  });

  test('a limit of the cgroup makes INIT_VM EBUSY and keeps no slot', () => {
    const driver = driverWith('KVM_TDX_INIT_VM=cgroup-max:0:/');
    const vm = driver.createVm();
    expect(driver.initVm(vm)).toBe('EBUSY');
    driver.release(vm);
    expect(driver.machine.snapshot()).toMatchObject(nothingHeld);
  });
});

describe('possibleFaults', () => {
  function recorded(): TraceEvent[] {
    const driver = new Driver();
    const events: TraceEvent[] = [];
    driver.machine.listen((event) => events.push(event));
    wholeLife(driver);
    return events;
  }

  test('lists each fault once, and among them those of every kind', () => {
    const list = possibleFaults(recorded());
    expect(new Set(list.map((fault) => JSON.stringify(fault))).size).toBe(list.length);
    for (const text of [
      'TDH.MNG.KEY.CONFIG#2=TDX_KEY_GENERATION_FAILED',
      'TDH.MNG.VPFLUSHDONE=TDX_FLUSHVP_NOT_DONE',
      'KVM_CREATE_VCPU: install the fd#3=EMFILE',
      'KVM_TDX_INIT_MEM_REGION=signal@3',
      'KVM_TDX_INIT_VM=package-offline',
      'KVM_TDX_INIT_VM=cgroup-max:0:/',
    ]) {
      expect(list).toContainEqual(faults(text)[0]);
    }
  });

  test('each of them is met when the same run is made again, and nothing is lost but by a leak', () => {
    const clean = recorded();
    const usual = JSON.stringify(shape(clean));
    for (const fault of possibleFaults(clean)) {
      const driver = new Driver({ faults: injectorOf([fault]) });
      const events: TraceEvent[] = [];
      driver.machine.listen((event) => events.push(event));
      wholeLife(driver);
      driver.machine.changeForeignTds(-999);
      expect(JSON.stringify(shape(events)), JSON.stringify(fault)).not.toBe(usual);
      const { keySlots, hostPages, vms, handles } = driver.machine.snapshot();
      expect(keySlots.assigned + keySlots.flushed, JSON.stringify(fault)).toBe(0);
      expect([hostPages.inUse, vms, handles], JSON.stringify(fault)).toEqual([0, [], 1]);
      if (!teardownLeaves.test(fault.at)) {
        expect([keySlots.leaked, hostPages.leaked], JSON.stringify(fault)).toEqual([0, 0]);
      }
    }
  });

  /** Only these can keep something for good. */
  const teardownLeaves =
    /^TDH\.(VP\.FLUSH|MNG\.VPFLUSHDONE|MNG\.KEY\.FREEID|PHYMEM\..*|MEM\.(RANGE\.BLOCK|TRACK|PAGE\.REMOVE))$/;

  /** What happened, without times. */
  function shape(events: readonly TraceEvent[]): unknown[] {
    return events.map((event) => {
      if (event.kind === 'seamcall') return [event.leaf, String(event.status)];
      if (event.kind === 'release') return event.kind;
      return [event.request.request, event.answer.ok || event.answer.errno];
    });
  }
});
