/** Each thing that the linter knows to say, in a trace of which it is true; and a trace that is right. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { statusWord } from '../../../src/abi/tdx/status.ts';
import { CapabilitiesValue, type GuestScript } from '../../../src/simulator/index.ts';
import { lintRules } from '../../../src/trace/lint/index.ts';
import type { Driver } from '../../simulator/drive.ts';
import {
  addressSizes,
  command,
  cpuidOf,
  memRegion,
  ramGpa,
  x2apicLeaf,
} from '../../simulator/structs.ts';
import {
  ids,
  type JudgedUnder,
  judged,
  judgedJson,
  judgedText,
  recorded,
  straceOf,
} from './judged.ts';

const shutsDown: GuestScript = { run: () => ({ reason: 'KVM_EXIT_SHUTDOWN' }) };

/** A TD as it should be made: asked, built, measured, run and closed. */
async function rightLife(driver: Driver): Promise<void> {
  const { vm, vcpus, guestMemfd } = built(driver);
  driver.finalizeVm(vm);
  await driver.run(vcpus[0] as number).result;
  driver.release(guestMemfd, ...vcpus, vm);
}

/** Up to FINALIZE, which is missing. */
function built(driver: Driver) {
  const vm = driver.createTd();
  driver.capabilities(vm);
  driver.check(vm, 'KVM_CAP_MAX_VCPUS');
  driver.cap(vm, 'KVM_CAP_EXIT_HYPERCALL', 0x1000n);
  driver.initVm(vm);
  const vcpus = [0, 1].map((id) => driver.newVcpu(vm, id));
  const guestMemfd = driver.createGuestMemfd(vm) as number;
  driver.setSlot(vm, guestMemfd);
  driver.setPrivate(vm, ramGpa, 16);
  driver.initMemRegion(vcpus[0] as number, memRegion({ nrPages: 2n }), 1);
  return { vm, vcpus, guestMemfd };
}

test('a TD that is made as it should be gives nothing to say, in text and in JSON', async () => {
  const records = await recorded(rightLife, { guest: shutsDown });
  const report = await judged(records);
  expect(report.findings).toEqual([]);
  expect(report).toMatchObject({ tds: 1, format: 'tdctl' });
  expect(report.replayed).toBeGreaterThan(12);
  await expect(judgedJson(records)).resolves.toEqual(report);
});

interface Case {
  readonly finds: string;
  readonly when: string;
  readonly run: (driver: Driver) => unknown;
  readonly under?: JudgedUnder;
  /** What the finding must say. */
  readonly says?: RegExp;
}

const closed = (driver: Driver, { vm, vcpus, guestMemfd }: ReturnType<typeof built>) =>
  driver.release(guestMemfd, ...vcpus, vm);

const ruleCases: readonly Case[] = [
  {
    finds: 'error init-vm.not-repeated',
    when: 'INIT_VM found no entropy',
    run: (driver) => {
      driver.failLeaf('TDH.MNG.CREATE', statusWord('TDX_RND_NO_ENTROPY'));
      driver.initVm(driver.createTd());
    },
  },
  {
    finds: 'error init-mem-region.not-repeated',
    when: 'a signal came while memory was added',
    run: (driver) => {
      const td = built(driver);
      driver.signalBeforePage = 1;
      driver.initMemRegion(
        td.vcpus[0] as number,
        memRegion({ gpa: ramGpa + 0x4000n, nrPages: 3n }),
        1,
      );
      driver.finalizeVm(td.vm);
    },
  },
  {
    finds: 'error finalize-vm.not-repeated',
    when: 'the module was busy at FINALIZE',
    run: (driver) => {
      const { vm } = built(driver);
      driver.failLeaf('TDH.MR.FINALIZE', statusWord('TDX_OPERAND_BUSY', 'TDR'));
      driver.finalizeVm(vm);
    },
  },
  {
    finds: 'error capabilities.gave-up',
    when: 'CAPABILITIES was asked once, with too little room',
    run: (driver) => {
      const { vm } = built(driver);
      const cmd = command('KVM_TDX_CAPABILITIES');
      driver.call(vm, { request: 'KVM_TDX_CAPABILITIES', cmd, data: new CapabilitiesValue(1) });
    },
  },
  {
    finds: 'warning finalize-vm.nothing-added',
    when: 'a TD is finalised empty',
    run: (driver) => {
      const vm = driver.initializedTd();
      driver.newVcpu(vm, 0);
      driver.finalizeVm(vm);
    },
  },
  {
    finds: 'warning finalize-vm.nothing-measured',
    when: 'all memory was added without being measured',
    run: (driver) => {
      const { vm, vcpus } = driver.builtTd();
      driver.initMemRegion(vcpus[0] as number, memRegion(), 0);
      driver.finalizeVm(vm);
    },
  },
  {
    finds: 'warning td.never-finalized',
    when: 'the program stops after INIT_VM',
    run: (driver) => driver.initializedTd(),
  },
  {
    finds: 'warning vcpu.never-initialized',
    when: 'a spare vCPU was not initialised',
    run: (driver) => {
      const { vm } = built(driver);
      driver.createVcpu(vm, 5);
      driver.finalizeVm(vm);
    },
    says: /KVM_CREATE_VCPU\(id=5\)/,
  },
  {
    finds: 'warning exit-hypercall.off',
    when: 'a TD runs without MapGPA',
    run: async (driver) => {
      const { vcpus } = driver.runnableTd();
      await driver.run(vcpus[0] as number).result;
    },
  },
  {
    finds: 'note capabilities.not-asked',
    when: 'INIT_VM comes out of the blue',
    run: (driver) => driver.initializedTd(),
  },
  {
    finds: 'note max-vcpus.asked-elsewhere',
    when: 'the limit of vCPUs is asked of /dev/kvm',
    run: (driver) => {
      driver.check(driver.kvm, 'KVM_CAP_MAX_VCPUS');
      driver.builtTd();
    },
  },
  {
    finds: 'note capabilities.again',
    when: 'CAPABILITIES is asked twice',
    run: (driver) => {
      const { vm } = built(driver);
      driver.capabilities(vm);
    },
  },
  {
    finds: 'warning set-tsc-khz.no-effect',
    when: 'the TSC is set after INIT_VM',
    run: (driver) => driver.setTscKhz(driver.initializedTd(), 1_000_000),
  },
  {
    finds: 'note encrypt-region.of-sev',
    when: 'memory is registered as for SEV',
    run: (driver) => {
      const { vm } = built(driver);
      driver.call(vm, {
        request: 'KVM_MEMORY_ENCRYPT_REG_REGION',
        region: { read: () => ({ addr: 0n, size: 4096n }), write: () => true },
      });
    },
  },
  {
    finds: 'warning key-slot.still-held',
    when: 'a guest_memfd outlives its VM',
    run: (driver) => {
      const { vm, vcpus } = built(driver);
      driver.finalizeVm(vm);
      driver.release(...vcpus, vm);
    },
    says: /never closed: gmem#4/,
  },
  {
    finds: 'warning key-slot.held-while-next',
    when: 'the next TD is made before the last one is gone',
    run: async (driver) => {
      const { vm, vcpus, guestMemfd } = built(driver);
      driver.finalizeVm(vm);
      driver.release(...vcpus, vm);
      await rightLife(driver);
      driver.release(guestMemfd);
    },
  },
  {
    finds: 'warning td.never-closed',
    when: 'the program ends and the TD is still there',
    run: (driver) => driver.finalizeVm(built(driver).vm),
  },
  {
    finds: 'note terminate-vm.not-used',
    when: 'the kernel could free the key slot first',
    under: { kernel: 'posted-terminate-vm' },
    run: (driver) => {
      const td = built(driver);
      driver.finalizeVm(td.vm);
      closed(driver, td);
    },
  },
];

describe('what is missing or too much', () => {
  test.each(ruleCases)('$finds: $when', async ({ finds, run, under, says }) => {
    const report = await judged(await recorded(run, { guest: shutsDown }), under);
    expect(ids(report)).toContain(finds);
    const found = report.findings.find(({ id }) => finds.endsWith(` ${id}`));
    expect(found?.kernel).toBeDefined();
    expect(found?.remedy).toBeDefined();
    if (says !== undefined) expect(`${found?.call} ${found?.problem}`).toMatch(says);
  });

  test('every rule has a trace of which it is true', () => {
    const found = ruleCases.map(({ finds }) => finds.split(' ')[1]);
    expect(lintRules.map(({ id }) => id).filter((id) => !found.includes(id))).toEqual([]);
  });

  test('docs/exec-trace.md names every rule', () => {
    const docs = readFileSync('docs/exec-trace.md', 'utf8');
    expect(lintRules.map(({ id }) => id).filter((id) => !docs.includes(`\`${id}\``))).toEqual([]);
  });
});

const refusalCases: readonly Case[] = [
  {
    finds: 'error create-vcpu.td-state',
    when: 'a vCPU comes before INIT_VM',
    run: (driver) => driver.createVcpu(driver.createTd(), 0),
    says: /step 6: the TD is not initialised yet.* create every vCPU between KVM_TDX_INIT_VM/,
  },
  {
    finds: 'error create-vcpu.irqchip',
    when: 'the irqchip is not split',
    run: (driver) => {
      const vm = driver.createVm();
      driver.initVm(vm);
      driver.createVcpu(vm, 0);
    },
    says: /step 7: .*SPLIT_IRQCHIP/,
  },
  {
    finds: 'error init-vm.done-already',
    when: 'INIT_VM comes a second time',
    run: (driver) => driver.initVm(driver.initializedTd()),
    says: /step 6: .*another KVM_CREATE_VM/,
  },
  {
    finds: 'error init-vm.attributes',
    when: 'an attribute is not offered',
    run: (driver) => driver.initVm(driver.createTd(), { attributes: 1n << 63n }),
    says: /step 17: .*`perfmon` is not supported by this host/,
  },
  {
    finds: 'error init-vm.address-width',
    when: 'the guest address width is 0',
    run: (driver) =>
      driver.initVm(driver.createTd(), { cpuid: cpuidOf({ ...addressSizes, eax: 0 }) }),
    says: /step 19: .*0 address bits; a TD has 48 or 52/,
  },
  {
    finds: 'error init-vm.cpuid-unmatched',
    when: 'a CPUID leaf is not configurable',
    run: (driver) =>
      driver.initVm(driver.createTd(), {
        cpuid: cpuidOf(addressSizes, { ...x2apicLeaf, function: 0x4000_0000 }),
      }),
    says: /step 22: .*leaf 0x40000000 is not configurable/,
  },
  {
    finds: 'error init-vcpu.no-x2apic',
    when: 'a vCPU is initialised before its CPUID is set',
    run: (driver) => {
      const vcpu = driver.createVcpu(driver.initializedTd(), 0);
      driver.initVcpu(vcpu as number);
    },
    says: /step 10: .*no x2APIC.* call KVM_SET_CPUID2/,
  },
  {
    finds: 'error run.td-not-finalised',
    when: 'KVM_RUN comes before FINALIZE',
    run: async (driver) => {
      const { vcpus } = driver.builtTd();
      await driver.run(vcpus[0] as number).result;
    },
    says: /KVM_TDX_FINALIZE_VM/,
  },
  {
    finds: 'error create-irqchip.td-needs-split',
    when: 'the irqchip is to be in the kernel',
    run: (driver) => driver.call(driver.createVm(), { request: 'KVM_CREATE_IRQCHIP' }),
  },
  {
    finds: 'note enable-cap.unknown',
    when: 'KVM_CAP_MAX_VCPUS is tried',
    run: (driver) => driver.cap(driver.createVm(), 'KVM_CAP_MAX_VCPUS', 4n),
  },
  {
    finds: 'warning init-vm.no-key-slot',
    when: 'no key slot is free',
    run: (driver) => {
      driver.machine.changeForeignTds(63);
      driver.initVm(driver.createTd());
    },
  },
];

describe('what is refused', () => {
  test.each(refusalCases)('$finds: $when', async ({ finds, run, under, says }) => {
    const report = await judged(await recorded(run), under);
    expect(ids(report)).toContain(finds);
    const found = report.findings.find(({ id }) => finds.endsWith(` ${id}`));
    if (says !== undefined) expect(`${found?.kernel} ${found?.remedy}`).toMatch(says);
  });

  test('what was tried again is a note: the VMM did what it should', async () => {
    const records = await recorded(async (driver) => {
      driver.failLeaf('TDH.MNG.CREATE', (nth) =>
        nth < 2 ? statusWord('TDX_RND_NO_ENTROPY') : undefined,
      );
      const vm = driver.createTd();
      driver.capabilities(vm);
      driver.initVm(vm);
      driver.initVm(vm);
      driver.initVm(vm);
    });
    const { findings } = await judged(records);
    expect(findings.filter(({ id }) => id === 'init-vm.create-no-entropy')).toMatchObject([
      {
        severity: 'note',
        problem: expect.stringMatching(
          /^refused: EAGAIN, and tried again until it was taken on line/,
        ),
        count: 2,
      },
    ]);
  });

  test('a dead VM is told once, however often it says EIO', async () => {
    const records = await recorded((driver) => {
      const { vm, vcpus } = built(driver);
      driver.failLeaf('TDH.MEM.PAGE.ADD', statusWord('TDX_PAGE_NOT_FREE'));
      driver.initMemRegion(vcpus[0] as number, memRegion({ gpa: ramGpa + 0x8000n }));
      for (let times = 0; times < 5; times++) driver.finalizeVm(vm);
    });
    const { findings } = await judged(records);
    const errors = findings.filter(({ severity }) => severity === 'error');
    expect(errors).toMatchObject([{ count: 6 }]);
  });

  test('what worked elsewhere is played under the kernel that is asked for', async () => {
    const underRfc = await recorded(
      (driver) => {
        const vm = driver.createTd();
        driver.createVcpu(vm, 0);
      },
      { kernelAbi: 'rfc-migration-v2' },
    );
    expect(ids(await judged(underRfc))).toContain('error create-vcpu.td-state');
    const [finding] = (await judged(underRfc)).findings;
    expect(finding?.problem).toBe(
      'this was taken, and upstream-7.3 on sim:spr-1.5 would refuse it: EIO',
    );
    expect(ids(await judged(underRfc, { kernel: 'rfc-migration-v2' }))).toEqual([]);
  });

  test('one wrong call does not make those after it wrong', async () => {
    const records = await recorded(rightLife, { guest: shutsDown });
    // As on a host that has more leaves to configure.
    const elsewhere = records.map((record) =>
      record.kind === 'call' && record.request === 'KVM_TDX_INIT_VM'
        ? { ...record, args: { ...record.args, attributes: '0x8000000010000000' } }
        : record,
    );
    expect(ids(await judged(elsewhere))).toEqual(['error init-vm.attributes']);
  });

  test('what this kernel would take is said, and does not count as done', async () => {
    const records = await recorded(rightLife, { guest: shutsDown });
    const at = records.findIndex(
      (record) => record.kind === 'call' && record.request === 'KVM_TDX_INIT_VM',
    );
    const refused = { ...records[at], outcome: { errno: 'EINVAL' } } as (typeof records)[number];
    const report = await judged([...records.slice(0, at), refused, ...records.slice(at)]);
    expect(ids(report)).toEqual(['error init-vm.parameter-refused']);
    expect(report.findings[0]?.problem).toBe(
      'refused: EINVAL; upstream-7.3 on sim:spr-1.5 would take it',
    );
  });
});

describe('a trace that cannot be judged whole', () => {
  test('says that it was cut off', async () => {
    const records = await recorded(rightLife, { guest: shutsDown });
    const report = await judged(records.slice(0, 8));
    expect(ids(report)).toContain('note trace.cut-off');
    expect(ids(report)).not.toContain('warning td.never-closed');
  });

  test('names the lines that it could not read', async () => {
    const records = await recorded(rightLife, { guest: shutsDown });
    const report = await judgedText(
      [straceLike(records), 'T0  vm#1.KVM_CREATE_VCPU(id=0'].join('\n'),
    );
    expect(report.findings.filter(({ id }) => id === 'trace.unreadable')).toHaveLength(1);
  });

  test('of strace without close() says so', async () => {
    const records = await recorded(rightLife, { guest: shutsDown });
    const withoutCloses = records.filter(({ kind }) => kind !== 'close');
    expect(ids(await judgedText(straceOf(withoutCloses)))).toContain('note trace.without-closes');
  });
});

function straceLike(records: Awaited<ReturnType<typeof recorded>>): string {
  return records.map((record) => JSON.stringify(record)).join('\n');
}
