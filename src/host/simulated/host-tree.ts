/**
 * The files by which programs find out what a host is, as the machine that is simulated would have them: whoever looks for
 * a TDX host asks these, and never KVM.
 */
import { executeCpuid, type RawCpuid } from '../../abi/cpuid/raw.ts';
import type { CpuidRegisters } from '../../abi/cpuid/registers.ts';
import { ADDRESS_SIZES_LEAF } from '../../abi/kvm/cpuid.ts';
import { onlineCpus, presentCpus, type SimulatedMachine } from '../../simulator/index.ts';

/** Text by path. */
export type HostTree = Readonly<Record<string, string>>;

export const keySlotsPath = '/sys/fs/cgroup/misc.current';

/** What of it changes. */
export function keySlotsText(used: number): string {
  return `tdx ${used}\n`;
}

export function hostTree({ profile, keySlots }: SimulatedMachine): HostTree {
  const { platform, module } = profile;
  return {
    '/proc/cpuinfo': cpuinfo(platform.cpuid, onlineCpus(platform), module !== undefined),
    '/sys/devices/system/cpu/present': cpuList(presentCpus(platform)),
    '/sys/devices/system/cpu/online': cpuList(onlineCpus(platform)),
    '/sys/fs/cgroup/misc.capacity': `tdx ${keySlots.total}\n`,
    [keySlotsPath]: keySlotsText(keySlots.used),
    '/sys/module/kvm_intel/parameters/tdx': module === undefined ? 'N\n' : 'Y\n',
    // Without a module there is no such device (drivers/virt/coco/tdx-host).
    ...(module !== undefined && {
      '/sys/devices/faux/tdx_host/version': `${module.release}\n`,
    }),
  };
}

/** As the kernel writes a mask of CPUs without a gap. */
function cpuList(count: number): string {
  return count === 1 ? '0\n' : `0-${count - 1}\n`;
}

type Flag = readonly [name: string, leaf: number, register: keyof CpuidRegisters, bit: number];

/** Those that TDX needs, and that tools look for; by the names of arch/x86/include/asm/cpufeatures.h. */
const flags: readonly Flag[] = [
  ['fpu', 1, 'edx', 0],
  ['tsc', 1, 'edx', 4],
  ['msr', 1, 'edx', 5],
  ['apic', 1, 'edx', 9],
  ['mca', 1, 'edx', 14],
  ['clflush', 1, 'edx', 19],
  ['sse2', 1, 'edx', 26],
  ['ss', 1, 'edx', 27],
  ['ht', 1, 'edx', 28],
  ['vmx', 1, 'ecx', 5],
  ['smx', 1, 'ecx', 6],
  ['x2apic', 1, 'ecx', 21],
  ['aes', 1, 'ecx', 25],
  ['xsave', 1, 'ecx', 26],
  ['avx', 1, 'ecx', 28],
  ['hypervisor', 1, 'ecx', 31],
  ['sgx', 7, 'ebx', 2],
  ['avx2', 7, 'ebx', 5],
  ['tme', 7, 'ecx', 13],
  ['la57', 7, 'ecx', 16],
  ['movdir64b', 7, 'ecx', 28],
  ['amx_tile', 7, 'edx', 24],
  ['lm', 0x8000_0001, 'edx', 29],
];

function cpuinfo(cpu: RawCpuid, cpus: number, hasTdx: boolean): string {
  const { eax } = executeCpuid(cpu, 1);
  const { eax: sizes } = executeCpuid(cpu, ADDRESS_SIZES_LEAF);
  const found = flags
    .filter(([, leaf, register, bit]) => ((executeCpuid(cpu, leaf)[register] >>> bit) & 1) === 1)
    .map(([name]) => name);
  const about = [
    ['vendor_id', vendorOf(cpu)],
    ['cpu family', String(familyOf(eax))],
    ['model', String(((eax >>> 12) & 0xf0) | ((eax >>> 4) & 0xf))],
    ['model name', modelName(cpu)],
    ['stepping', String(eax & 0xf)],
    ['flags', [...found, ...(hasTdx ? ['tdx_host_platform'] : [])].join(' ')],
    ['address sizes', `${sizes & 0xff} bits physical, ${(sizes >>> 8) & 0xff} bits virtual`],
  ];
  const rest = about.map(([name, value]) => `${name}\t: ${value}\n`).join('');
  return Array.from({ length: cpus }, (_, number) => `processor\t: ${number}\n${rest}\n`).join('');
}

/** A family of 15 has more in bits 27:20 (SDM vol. 2A, CPUID). */
function familyOf(eax: number): number {
  const family = (eax >>> 8) & 0xf;
  return family === 0xf ? family + ((eax >>> 20) & 0xff) : family;
}

function vendorOf(cpu: RawCpuid): string {
  const { ebx, ecx, edx } = executeCpuid(cpu, 0);
  return textOf([ebx, edx, ecx]);
}

function modelName(cpu: RawCpuid): string {
  const leaves = [0x8000_0002, 0x8000_0003, 0x8000_0004].map((leaf) => executeCpuid(cpu, leaf));
  return textOf(leaves.flatMap(({ eax, ebx, ecx, edx }) => [eax, ebx, ecx, edx])).trim();
}

function textOf(registers: readonly number[]): string {
  const bytes = Buffer.alloc(registers.length * 4);
  for (const [place, value] of registers.entries()) bytes.writeUInt32LE(value >>> 0, place * 4);
  return bytes.toString('latin1').replaceAll('\0', '');
}
