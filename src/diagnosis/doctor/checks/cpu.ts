import { fail, inGroup, pass, unknown, warn } from '../check.ts';
import { moduleRuns } from '../evidence.ts';
import { knownValue, whyNotRead } from '../reading.ts';

/** The family and model of CPUs that come with TDX. Source: arch/x86/include/asm/intel-family.h. */
const tdxModels: Readonly<Record<string, string>> = {
  '6/143': 'Sapphire Rapids (some SKUs only)',
  '6/207': 'Emerald Rapids',
  '6/173': 'Granite Rapids',
  '6/174': 'Granite Rapids D',
  '6/175': 'Sierra Forest',
  '6/221': 'Clearwater Forest',
  '19/1': 'Diamond Rapids',
};

/** The kernel asks for these before it starts the module: tdx_enable() in virt/vmx/tdx/tdx.c. */
const neededFlags = { movdir64b: 'MOVDIR64B', xsave: 'XSAVE', ss: 'self-snoop' } as const;

export const cpuChecks = inGroup('CPU', [
  {
    id: 'cpu.vendor',
    title: 'The CPU is made by Intel',
    needs: ['env.virtual-machine'],
    reads: 'vendor_id in /proc/cpuinfo',
    evaluate({ cpu }) {
      if (cpu.state !== 'read') return unknown(whyNotRead(cpu));
      const { vendor, modelName } = cpu.value;
      if (vendor === '') return unknown(`${cpu.from} names no vendor`);
      if (vendor === 'GenuineIntel') return pass(modelName || vendor);
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
    reads: 'cpu family and model in /proc/cpuinfo',
    evaluate(input) {
      const { cpu } = input;
      if (cpu.state !== 'read') return unknown(whyNotRead(cpu));
      const { family, model } = cpu.value;
      if (family === null || model === null) return unknown(`${cpu.from} gives no model`);
      const name = tdxModels[`${family}/${model}`];
      const place = `family ${family}, model ${model}`;
      if (name !== undefined) return pass(`${name}: ${place}`);
      if (moduleRuns(input) !== undefined) return pass(`${place}, and TDX runs on it`);
      return warn(
        `${place} is not one that tdctl knows to have TDX (Xeon of the 5th generation or later)`,
        'check the data sheet of the CPU for "Intel Trust Domain Extensions"',
      );
    },
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
