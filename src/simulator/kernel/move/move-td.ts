/** A move takes the TD itself, its vCPUs and its memory attributes from one VM to another. */
import { statusCodes } from '../../../abi/tdx/status.ts';
import { RangeSet } from '../../range-set.ts';
import type { AssignedKey, TdOfVcpu, Vcpu } from '../objects.ts';
import { vmcs } from '../tdx/init-vcpu.ts';
import { flushVcpusOf } from '../tdx/release-key-id.ts';
import { leakTd } from '../vm/teardown.ts';
import { bugVm } from '../vm/vm.ts';
import type { Move } from './move.ts';

/**
 * A move takes the HKID, the TDR, the TDCS and the mirror page tables along. It makes no SEAMCALL: the
 * module sees the same TD, and the number of key IDs in use does not change. Guest memory stays where
 * it is, in its inode.
 */
export function moveTd(move: Move, key: AssignedKey | undefined): void {
  const { kernel, destination, source } = move;
  const { td: to } = destination;
  const { td: from } = source;
  if (to === undefined || from === undefined) return;
  flushVcpus(move);
  // The posted code does not check whether the destination has a TD of its own, and overwrites it.
  leakTd(kernel, destination, to);
  to.key = key;
  from.key = undefined;
  to.guest = from.guest;
  to.tdr = from.tdr;
  from.tdr = undefined;
  to.tdcs = from.tdcs;
  from.tdcs = [];
  to.attributes = from.attributes;
  to.xfam = from.xfam;
  to.sharedBit = from.sharedBit;
  to.septTables = from.septTables;
  from.septTables = new Map();
  to.acceptedControlPages = from.acceptedControlPages;
  from.acceptedControlPages = undefined;
  to.privatePages = from.privatePages;
  from.privatePages = new Map();
  to.premapped = from.premapped;
  from.premapped = new Set();
  to.state = 'RUNNABLE';
  from.state = 'UNINITIALIZED';
}

export function flushVcpus({ tdx, source }: Move): void {
  flushVcpusOf(tdx, source);
}

/** vCPUs are paired by their index, as far as both sides have one. */
export function moveVcpus(move: Move): void {
  for (const [index, from] of move.source.vcpus.entries()) {
    const to = move.destination.vcpus[index];
    if (to?.td === undefined || from.td === undefined) continue;
    moveVcpu(move, from, from.td, to, to.td);
  }
}

function moveVcpu(
  { tdx, destination }: Move,
  from: Vcpu,
  fromTd: TdOfVcpu,
  to: Vcpu,
  toTd: TdOfVcpu,
): void {
  toTd.tdvpr = fromTd.tdvpr;
  fromTd.tdvpr = undefined;
  toTd.tdcx = fromTd.tdcx;
  fromTd.tdcx = [];
  toTd.state = fromTd.state;
  fromTd.state = 'UNINITIALIZED';
  toTd.logicalCpu = undefined;
  toTd.x2apicBaseSet = true;
  to.mpState = 'RUNNABLE';
  // These are the GPRs, the arguments of TDH.VP.ENTER, and how far MapGPA has got.
  to.pendingCompletion = from.pendingCompletion;
  from.pendingCompletion = undefined;
  to.tdvmcall = from.tdvmcall;
  from.tdvmcall = undefined;
  if (toTd.tdvpr === undefined) return;
  const field = { rcx: toTd.tdvpr, rdx: vmcs.POSTED_INTR_DESC_ADDR, r8: 0n };
  if (tdx.module.seamcall('TDH.VP.WR', field) !== statusCodes.TDX_SUCCESS) bugVm(destination);
}

/** The whole mem_attr_array moves, so whatever the destination had in its own is gone. */
export function moveMemoryAttributes({ destination, source }: Move): void {
  destination.privateRanges = source.privateRanges;
  source.privateRanges = new RangeSet();
}
