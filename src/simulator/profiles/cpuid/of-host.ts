/** Gives the CPUs of a simulated host its own number of cores, clock, address width and features. */
import {
  executeCpuid,
  type RawCpuid,
  type RawLeaf,
  rawXstate,
  withRows,
  xsaveAreaBytes,
} from '../../../abi/cpuid/raw.ts';
import { eachRegister } from '../../../abi/cpuid/registers.ts';
import { ADDRESS_SIZES_LEAF } from '../../../abi/kvm/cpuid.ts';
import { dynamicXstate, kvmXstate } from '../../../abi/kvm/xstate.ts';
import { bitsWithoutXfam } from '../../../abi/tdx/cpuid/xfam-features.ts';

export interface HostCpu {
  /** CPUID(1).EAX holds family, model and stepping. */
  readonly signature: number;
  readonly physicalAddressBits: number;
  readonly tscKhz: number;
  readonly coresPerPackage: number;
  readonly threadsPerCore: number;
  /**
   * Components of extended state that the CPUs have at most, of those that KVM can give a guest
   * (`kvmXstate`). Of the others they keep what they have.
   */
  readonly xfam: bigint;
}

const crystalHz = 25_000_000;

export function cpuidOfHost(cpu: RawCpuid, host: HostCpu): RawCpuid {
  return withComponents(withRows(cpu, rowsOf(cpu, host)), host.xfam);
}

function rowsOf(cpu: RawCpuid, host: HostCpu): RawLeaf[] {
  const { signature, physicalAddressBits, tscKhz, coresPerPackage, threadsPerCore } = host;
  const threads = coresPerPackage * threadsPerCore;
  const coreShift = Math.ceil(Math.log2(threadsPerCore));
  const packageShift = coreShift + Math.ceil(Math.log2(coresPerPackage));
  const row = (leaf: number, subleaf: number | undefined, change: Partial<RawLeaf>): RawLeaf => ({
    leaf,
    subleaf,
    ...executeCpuid(cpu, leaf, subleaf),
    ...change,
  });
  const { ebx } = executeCpuid(cpu, 1);
  return [
    row(1, undefined, {
      eax: signature,
      ebx: replaced(ebx, 0x00ff_0000, Math.min(2 ** packageShift, 255) << 16),
    }),
    ...[0, 1, 2, 3].map((cache) => {
      const { eax } = executeCpuid(cpu, 4, cache);
      // The last level is the package's, the others are a core's.
      const sharedBy = 2 ** (cache === 3 ? packageShift : coreShift);
      const cores = Math.min(2 ** (packageShift - coreShift), 64);
      const shares = ((cores - 1) << 26) | ((sharedBy - 1) << 14);
      return row(4, cache, { eax: replaced(eax, 0xffff_c000, shares) });
    }),
    ...[0xb, 0x1f].flatMap((leaf) => [
      row(leaf, 0, { eax: coreShift, ebx: threadsPerCore }),
      row(leaf, 1, { eax: packageShift, ebx: threads }),
    ]),
    row(0x15, undefined, {
      eax: 1,
      ebx: Math.floor((tscKhz * 1000) / crystalHz),
      ecx: crystalHz,
    }),
    row(0x16, undefined, { eax: Math.floor(tscKhz / 1000) }),
    row(ADDRESS_SIZES_LEAF, undefined, {
      eax: replaced(executeCpuid(cpu, ADDRESS_SIZES_LEAF).eax, 0xff, physicalAddressBits),
    }),
  ];
}

function replaced(value: number, mask: number, bits: number): number {
  return ((value & ~mask) | (bits & mask)) >>> 0;
}

/** A CPU without a component lacks the features that keep their state in it, too. */
function withComponents(cpu: RawCpuid, xfam: bigint): RawCpuid {
  const { xcr0, xss } = rawXstate(cpu);
  const lacking = (kvmXstate.xcr0 | kvmXstate.xss) & ~xfam;
  const lacks = (component: number) => ((lacking >> BigInt(component)) & 1n) === 1n;
  const present = (xcr0 | xss) & ~lacking;
  const rows = cpu
    .filter(({ leaf, subleaf = 0 }) => leaf !== 0xd || subleaf < 2 || !lacks(subleaf))
    .map((row) => withoutFeatures(row, present));
  const bytes = xsaveAreaBytes(rows, xcr0 & present, 'standard');
  const [user, supervisor] = [executeCpuid(rows, 0xd, 0), executeCpuid(rows, 0xd, 1)];
  return withRows(rows, [
    { ...user, leaf: 0xd, subleaf: 0, eax: Number(xcr0 & present), ebx: bytes, ecx: bytes },
    {
      ...supervisor,
      leaf: 0xd,
      subleaf: 1,
      // XFD is there for AMX.
      eax: (present & dynamicXstate) === 0n ? supervisor.eax & ~(1 << 4) : supervisor.eax,
      ecx: Number(xss & present),
    },
  ]);
}

function withoutFeatures(row: RawLeaf, present: bigint): RawLeaf {
  const { leaf, subleaf } = row;
  const registers = eachRegister(
    (register) => row[register] & ~bitsWithoutXfam({ leaf, subleaf, register }, present),
  );
  return { leaf, subleaf, ...registers };
}
