/**
 * The TDX module of one simulated machine is entered leaf by leaf, as by SEAMCALL. RAX is the return
 * value, and other outputs are in {@link TdxModule.out}. Every leaf makes the checks of the book
 * (src/abi/tdx/checks/) in its order; a refusal changes nothing.
 */
import { rawXstate } from '../../abi/cpuid/raw.ts';
import type { ModuleCheckName } from '../../abi/tdx/checks/index.ts';
import { type ModuleRelease, moduleReleases } from '../../abi/tdx/module-releases.ts';
import type { SeamcallName } from '../../abi/tdx/seamcalls.ts';
import { statusCodes } from '../../abi/tdx/status.ts';
import { xfamFixed0 } from '../../abi/tdx/xfam.ts';
import { seamcallCosts } from '../costs.ts';
import type { FaultInjector } from '../faults.ts';
import type { LeafStatus } from '../interface.ts';
import { type HostProfile, type InstalledModule, type Platform, presentCpus } from '../platform.ts';
import type { Trace } from '../trace.ts';
import type { Hpa } from './addresses.ts';
import * as build from './build.ts';
import type { LeafAnswer } from './checks.ts';
import { KeyOwnershipTable } from './key-ownership-table.ts';
import * as memory from './memory.ts';
import type { ModuleLimits, ModuleState, OutputRegisters } from './module-state.ts';
import { PageMetadataTable } from './page-metadata-table.ts';
import * as pamt from './pamt.ts';
import * as teardown from './teardown.ts';
import * as vcpu from './vcpu.ts';

const leaves = {
  'TDH.MNG.CREATE': build.mngCreate,
  'TDH.MNG.KEY.CONFIG': build.mngKeyConfig,
  'TDH.MNG.ADDCX': build.mngAddcx,
  'TDH.MNG.INIT': build.mngInit,
  'TDH.MNG.RD': build.mngRd,
  'TDH.VP.CREATE': vcpu.vpCreate,
  'TDH.VP.ADDCX': vcpu.vpAddcx,
  'TDH.VP.INIT': vcpu.vpInit,
  'TDH.VP.ENTER': vcpu.vpEnter,
  'TDH.VP.FLUSH': vcpu.vpFlush,
  'TDH.VP.WR': vcpu.vpWr,
  'TDH.MEM.SEPT.ADD': memory.memSeptAdd,
  'TDH.MEM.PAGE.ADD': memory.memPageAdd,
  'TDH.MEM.PAGE.AUG': memory.memPageAug,
  'TDH.MEM.RANGE.BLOCK': memory.memRangeBlock,
  'TDH.MEM.TRACK': memory.memTrack,
  'TDH.MEM.PAGE.REMOVE': memory.memPageRemove,
  'TDH.MR.EXTEND': memory.mrExtend,
  'TDH.MR.FINALIZE': memory.mrFinalize,
  'TDH.MNG.VPFLUSHDONE': teardown.mngVpflushdone,
  'TDH.PHYMEM.CACHE.WB': teardown.phymemCacheWb,
  'TDH.MNG.KEY.FREEID': teardown.mngKeyFreeid,
  'TDH.MNG.KEY.RECLAIMID': teardown.mngKeyReclaimid,
  'TDH.PHYMEM.PAGE.RECLAIM': teardown.phymemPageReclaim,
  'TDH.PHYMEM.PAGE.WBINVD': teardown.phymemPageWbinvd,
  'TDH.PHYMEM.PAMT.ADD': pamt.phymemPamtAdd,
  'TDH.PHYMEM.PAMT.REMOVE': pamt.phymemPamtRemove,
} as const satisfies Partial<Record<SeamcallName, unknown>>;

export type ModelledLeaf = keyof typeof leaves;
export type LeafOperands<L extends ModelledLeaf> = Parameters<(typeof leaves)[L]>[1];

type Leaf = (module: ModuleState, operands: unknown, logicalCpu: number) => LeafAnswer;

export class TdxModule {
  readonly #state: ModuleState;
  readonly #faults: FaultInjector;
  readonly #trace: Trace;
  #refusedBy: ModuleCheckName | undefined;
  #last: LeafStatus | undefined;

  constructor(
    profile: HostProfile,
    installed: InstalledModule,
    faults: FaultInjector,
    trace: Trace,
    { dynamicPamt }: { readonly dynamicPamt: boolean } = { dynamicPamt: false },
  ) {
    const release: ModuleRelease = moduleReleases[installed.release];
    this.#state = {
      profile,
      release,
      limits: moduleLimits(profile.platform, installed, release),
      pamt: new PageMetadataTable(),
      pamtPairs: dynamicPamt ? new Map() : undefined,
      keys: new KeyOwnershipTable(profile.platform.keyIds),
      out: { rcx: 0n, rdx: 0n, r8: 0n, rsi: 0n },
    };
    this.#faults = faults;
    this.#trace = trace;
  }

  get release(): ModuleRelease {
    return this.#state.release;
  }

  get limits(): ModuleLimits {
    return this.#state.limits;
  }

  get out(): OutputRegisters {
    return this.#state.out;
  }

  /**
   * Gives the row that the last leaf answered with, or undefined when it succeeded or its status was
   * injected.
   */
  get refusedBy(): ModuleCheckName | undefined {
    return this.#refusedBy;
  }

  /** Gives the last leaf with its status, or undefined when it succeeded. */
  get last(): LeafStatus | undefined {
    return this.#last;
  }

  get keys(): KeyOwnershipTable {
    return this.#state.keys;
  }

  /** Gives the pages that the module holds, with what they are and whose. */
  get pages(): Pick<PageMetadataTable, 'get' | 'has' | 'counts'> {
    return this.#state.pamt;
  }

  /** Makes one SEAMCALL on one logical CPU. */
  seamcall<L extends ModelledLeaf>(leaf: L, operands: LeafOperands<L>, logicalCpu = 0): bigint {
    const run = leaves[leaf] as Leaf;
    const trace = this.#trace;
    const startedNs = trace.clock.nowNs;
    trace.clock.advance(seamcallCosts[leaf].ns);
    const injected = this.#faults.statusOf?.(leaf, logicalCpu);
    const refused = injected === undefined ? run(this.#state, operands, logicalCpu) : undefined;
    this.#refusedBy = refused?.check;
    const status = injected ?? refused?.status ?? statusCodes.TDX_SUCCESS;
    this.#last = status === statusCodes.TDX_SUCCESS ? undefined : { name: leaf, status };
    if (trace.active) {
      const outputs = status === statusCodes.TDX_SUCCESS ? this.#outputsOf(leaf) : {};
      const check = this.#refusedBy;
      trace.emit(
        { kind: 'seamcall', leaf, operands: { ...operands }, logicalCpu, status, check, outputs },
        startedNs,
      );
    }
    return status;
  }

  /** Somebody is told of each call of the leaf, or may have one answer something else. */
  isHeard(leaf: SeamcallName): boolean {
    const { statusOf, counts } = this.#faults;
    return this.#trace.active || (statusOf !== undefined && counts?.(leaf) !== false);
  }

  /** Accounts for calls that change nothing, whose answers are known already and of which nobody hears. */
  account(leaf: SeamcallName, calls: number): void {
    this.#trace.clock.advance(calls * seamcallCosts[leaf].ns);
  }

  /** What TDH.MNG.RD reads as the CPUID of a TD: one object for all TDs in which that is the same. */
  cpuidOf(tdr: Hpa): object | undefined {
    return this.#state.pamt.get(tdr)?.owner.initialized?.cpuid;
  }

  #outputsOf(leaf: SeamcallName): Readonly<Record<string, bigint>> {
    const registers = outputRegisters[leaf] ?? [];
    return Object.fromEntries(registers.map((register) => [register, this.out[register]]));
  }
}

/** The answer of these leaves is more than a status. */
const outputRegisters: Readonly<Partial<Record<SeamcallName, readonly (keyof OutputRegisters)[]>>> =
  {
    'TDH.MNG.RD': ['r8'],
    'TDH.VP.INIT': ['rsi'],
    'TDH.PHYMEM.PAMT.REMOVE': ['rdx', 'r8'],
  };

function moduleLimits(
  platform: Platform,
  installed: InstalledModule,
  release: ModuleRelease,
): ModuleLimits {
  const { xcr0, xss } = rawXstate(platform.cpuid);
  return {
    maxVcpusPerTd: installed.maxVcpusPerTd ?? release.maxVcpusPerTd,
    attributesFixed0: release.attributesFixed0,
    xfamFixed0: xfamFixed0 & (xcr0 | xss),
    configFlagsFixed0: release.configFlagsFixed0,
    memoryBytes: Number(platform.memoryBytes),
    packages: platform.packages,
    cpusPerPackage: presentCpus(platform) / platform.packages,
  };
}
