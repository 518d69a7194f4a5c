/**
 * SEAMCALL leaf functions by number, as the kernel prints them: `SEAMCALL (0x0000000000000021)
 * failed`, `SEAMCALL TDH_MNG_INIT failed`, and in early kernels `leaf 33`.
 * Source: Intel TDX module, tdx_vmm_api_handlers.h; P-SEAMLDR, pseamldr_api_defs.h.
 */
import { seamcalls } from '../../../abi/tdx/seamcalls.ts';

/** Leaves that a log can name and that no host of ours calls. */
const leavesOnlyRead = {
  'TDH.MEM.PAGE.RELOCATE': 5,
  'TDH.MEM.RD': 12,
  'TDH.MNG.WR': 13,
  'TDH.MEM.WR': 14,
  'TDH.MEM.PAGE.DEMOTE': 15,
  'TDH.MEM.PAGE.PROMOTE': 23,
  'TDH.PHYMEM.PAGE.RDMD': 24,
  'TDH.MEM.SEPT.RD': 25,
  'TDH.VP.RD': 26,
  'TDH.MNG.KEY.RECLAIMID': 27,
  'TDH.MEM.SEPT.REMOVE': 30,
  'TDH.SYS.KEY.CONFIG': 31,
  'TDH.SYS.INFO': 32,
  'TDH.SYS.INIT': 33,
  'TDH.SYS.RD': 34,
  'TDH.SYS.LP.INIT': 35,
  'TDH.SYS.TDMR.INIT': 36,
  'TDH.SYS.RDALL': 37,
  'TDH.MEM.RANGE.UNBLOCK': 39,
  'TDH.SYS.LP.SHUTDOWN': 44,
  'TDH.SYS.CONFIG': 45,
  'TDH.SERVTD.BIND': 48,
  'TDH.SERVTD.PREBIND': 49,
  'TDH.SYS.SHUTDOWN': 52,
  'TDH.SYS.UPDATE': 53,
  'TDH.EXPORT.ABORT': 64,
  'TDH.EXPORT.BLOCKW': 65,
  'TDH.EXPORT.RESTORE': 66,
  'TDH.EXPORT.MEM': 68,
  'TDH.EXPORT.PAUSE': 70,
  'TDH.EXPORT.TRACK': 71,
  'TDH.EXPORT.STATE.IMMUTABLE': 72,
  'TDH.EXPORT.STATE.TD': 73,
  'TDH.EXPORT.STATE.VP': 74,
  'TDH.EXPORT.UNBLOCKW': 75,
  'TDH.IMPORT.ABORT': 80,
  'TDH.IMPORT.END': 81,
  'TDH.IMPORT.COMMIT': 82,
  'TDH.IMPORT.MEM': 83,
  'TDH.IMPORT.TRACK': 84,
  'TDH.IMPORT.STATE.IMMUTABLE': 85,
  'TDH.IMPORT.STATE.TD': 86,
  'TDH.IMPORT.STATE.VP': 87,
  'TDH.MIG.STREAM.CREATE': 96,
} as const;

/** P-SEAMLDR, the loader of the TDX module, is called with bit 63 of the leaf set. */
const loaderLeaves = {
  'SEAMLDR.INFO': 0,
  'SEAMLDR.INSTALL': 1,
  'SEAMLDR.SHUTDOWN': 2,
  'SEAMLDR.SEAMINFO': 3,
  'SEAMLDR.CLEANUP': 4,
} as const;

const moduleLeaves = { ...leavesOnlyRead, ...seamcalls } as const;

export type LeafName = keyof typeof moduleLeaves | keyof typeof loaderLeaves;

export interface Leaf {
  /** As the line gave it; undefined where it gave a name. */
  readonly number: bigint | undefined;
  /** undefined: no leaf known here has this number. */
  readonly name: LeafName | undefined;
}

const moduleLeafNames = namesByNumber(moduleLeaves);
const loaderLeafNames = namesByNumber(loaderLeaves);

/** @param rax leaf in bits 15:0, version in 23:16; bit 63 calls P-SEAMLDR. */
export function leafByNumber(rax: bigint): Leaf {
  const names = rax >> 63n === 1n ? loaderLeafNames : moduleLeafNames;
  return { number: rax, name: names.get(Number(rax & 0xffffn)) };
}

const leafNames = new Map(
  [...Object.keys(moduleLeaves), ...Object.keys(loaderLeaves)].map((name) => [
    name.replaceAll('.', '_'),
    name as LeafName,
  ]),
);

/** Takes `TDH_MNG_INIT`, `tdh_mng_init` and `TDH.MNG.INIT`. */
export function leafByName(name: string): Leaf | undefined {
  const found = leafNames.get(name.toUpperCase().replaceAll('.', '_'));
  return found === undefined ? undefined : { number: undefined, name: found };
}

function namesByNumber(leaves: Readonly<Record<string, number>>): ReadonlyMap<number, LeafName> {
  return new Map(Object.entries(leaves).map(([name, number]) => [number, name as LeafName]));
}
