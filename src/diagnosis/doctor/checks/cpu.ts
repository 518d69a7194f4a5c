import { type CheckInput, fail, inGroup, pass, unknown, type Verdict, warn } from '../check.ts';
import { cpuModel } from '../cpu-models.ts';
import { moduleRuns, offersTdx, vmTypesText } from '../evidence.ts';
import { knownValue, whyNotRead } from '../reading.ts';

/** IA32_MTRRCAP bit 15: the CPU has SEAM. Source: Intel, "TDX CPU Architectural Specification". */
const SEAM_SUPPORTED = 1n << 15n;

/** The kernel asks for these before it starts the module: tdx_enable() in virt/vmx/tdx/tdx.c. */
const neededFlags = { movdir64b: 'MOVDIR64B', xsave: 'XSAVE', ss: 'self-snoop' } as const;

export const cpuChecks = inGroup('CPU', [
  {
    id: 'cpu.vendor',
    title: 'The CPU is made by Intel',
    needs: ['env.virtual-machine'],
    reads: 'vendor_id in /proc/cpuinfo',
    evaluate(input) {
      const { cpu } = input;
      if (cpu.state !== 'read') return unknown(whyNotRead(cpu));
      const { vendor, modelName } = cpu.value;
      if (vendor === '') return unknown(`${cpu.from} names no vendor`);
      if (vendor === 'GenuineIntel') return pass(modelName || vendor);
      if (offersTdx(input) === true) {
        return warn(
          `${vendor} (${cpu.from}), and KVM offers TDX VMs all the same (${vmTypesText(input)}): it answers for another machine than the one that /proc and /sys show, as under \`tdctl exec\``,
          'count on what KVM was asked here; what is read from /proc and /sys is of this machine, which is not the one its TDs run on',
        );
      }
      return fail(
        `${vendor}, expected GenuineIntel (${cpu.from})`,
        'TDX is a feature of Intel CPUs; for AMD SEV-SNP see `snphost ok`',
      );
    },
  },
  {
    id: 'cpu.model',
    title: 'The CPU model comes with TDX',
    needs: ['cpu.vendor'],
    reads: 'cpu family and model in /proc/cpuinfo; MSR 0xfe',
    evaluate: model,
  },
  {
    id: 'cpu.instructions',
    title: 'The CPU has the instructions that TDX needs',
    needs: ['cpu.vendor'],
    reads: 'flags in /proc/cpuinfo',
    evaluate({ cpu }) {
      if (cpu.state !== 'read') return unknown(whyNotRead(cpu));
      const { flags } = cpu.value;
      if (flags.length === 0) return unknown(`${cpu.from} lists no flags`);
      const missing = Object.entries(neededFlags).filter(([flag]) => !flags.includes(flag));
      if (missing.length === 0) return pass(`${Object.values(neededFlags).join(', ')}`);
      return fail(
        `missing in ${cpu.from}: ${missing.map(([flag, name]) => `${flag} (${name})`).join(', ')}`,
        'look for clearcpuid= on the kernel command line, and update the BIOS and microcode',
      );
    },
  },
  {
    id: 'cpu.online',
    title: 'Every CPU is online',
    needs: ['cpu.vendor'],
    reads: '/sys/devices/system/cpu/present and online',
    evaluate({ topology }) {
      const present = knownValue(topology.presentCpus);
      const online = knownValue(topology.onlineCpus);
      if (present === undefined) return unknown(whyNotRead(topology.presentCpus));
      if (online === undefined) return unknown(whyNotRead(topology.onlineCpus));
      const packages = knownValue(topology.packages);
      const where =
        packages === undefined ? '' : ` in ${packages} package${packages === 1 ? '' : 's'}`;
      if (online >= present) return pass(`${online} CPUs${where}`);
      return warn(
        `${online} of ${present} CPUs are online${where}; a package with none online stops every TDX build (EIO)`,
        'bring one CPU of every package online: /sys/devices/system/cpu/cpuN/online',
      );
    },
  },
]);

function model(input: CheckInput): Verdict {
  const { cpu, msrs } = input;
  if (cpu.state !== 'read') return unknown(whyNotRead(cpu));
  const { family, model, modelName } = cpu.value;
  if (family === null || model === null) return unknown(`${cpu.from} gives no model`);
  const known = cpuModel(family, model);
  const place = `family ${family}, model ${model}`;
  const named = known === undefined ? place : `${known.name} (${place})`;
  if (moduleRuns(input) !== undefined) return pass(`${named}, and TDX runs on it`);
  if (known?.tdx === 'none') {
    return fail(
      `${modelName || 'this CPU'} is ${named}: no CPU of this model has TDX`,
      otherCpuFix,
    );
  }
  const capabilities = knownValue(msrs.IA32_MTRRCAP);
  if (capabilities !== undefined && (BigInt(capabilities) & SEAM_SUPPORTED) === 0n) {
    return fail(
      `${modelName || named} has no TDX: ${msrs.IA32_MTRRCAP.from} is ${capabilities}, expected bit 15 set (SEAM)`,
      otherCpuFix,
    );
  }
  if (capabilities !== undefined) return pass(`${named}; bit 15 of MSR 0xfe is set: it has SEAM`);
  if (known?.tdx === 'every') return pass(named);
  if (known?.tdx === 'some') {
    return unknown(
      `${named} is sold with TDX and without, and ${whyNotRead(msrs.IA32_MTRRCAP)}`,
      'sudo modprobe msr; sudo rdmsr 0xfe -f 15:15 (expected 1), or look for TDX in the data sheet of the CPU',
    );
  }
  return warn(
    `${place} is not one that tdctl knows to have TDX (Xeon of the 5th generation or later)`,
    'check the data sheet of the CPU for "Intel Trust Domain Extensions"',
  );
}

const otherCpuFix =
  'use a CPU with TDX: Xeon of the 5th generation, Xeon 6, or a 4th-generation SKU whose data sheet names it';
