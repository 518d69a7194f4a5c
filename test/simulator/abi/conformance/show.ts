/** A check of a kernel is shown: its condition alone is refused by it, with an errno of its row. */
import { expect } from 'vitest';
import {
  askedOn,
  book,
  type CheckedRequest,
  type CheckName,
  errnosOf,
} from '../../../../src/abi/kvm/checks/index.ts';
import type { KernelAbi } from '../../../../src/simulator/index.ts';
import { Driver } from '../../drive.ts';
import { type Case, type Conformance, listed } from './case.ts';
import { sharedCases } from './shared.ts';
import { conformance } from './tables.ts';

/** The ways to bring about the condition of a check; none: nobody has written one. */
function casesOf(request: CheckedRequest, check: CheckName): readonly Case[] {
  const table: Conformance | undefined = conformance[request];
  const own = table?.cases[check];
  if (own !== undefined) return listed(own);
  const shared = sharedCases[check];
  if (table?.request === undefined || shared === undefined) return [];
  return listed(shared({ ...table, request: table.request, on: askedOn(request) }));
}

const hasDeadVm = ({ machine }: Driver) => machine.snapshot().vms.some(({ dead }) => dead);

/** The condition of these is that the VM is dead. */
const ofDeadVm: readonly CheckName[] = ['vm.dead', 'run.vm-died'];

/** Whether the request leaves a VM behind that answers EIO to everything. */
function leavesVmDead(request: CheckedRequest, check: CheckName): boolean {
  // What is refused here was not made.
  if (request === 'KVM_CREATE_VM') return false;
  const { vmDead = false, leaves } = book[check];
  // A move that fails too late has killed the source, and its row tells of that.
  const lost = check.startsWith('move.') && leaves !== undefined;
  return vmDead || lost || ofDeadVm.includes(check);
}

/** Checks that something can come to. */
export function reachable(abi: KernelAbi, request: CheckedRequest): readonly CheckName[] {
  return abi.checks[request].filter((check) => !abi.unreachable.includes(check));
}

/** Brings about the condition of a check, in every way there is, and looks at what comes of it. */
export async function show(
  abi: KernelAbi,
  request: CheckedRequest,
  check: CheckName,
): Promise<void> {
  const cases = casesOf(request, check).filter(({ of = () => true }) => of(abi));
  expect(cases.length, `no case brings about ${check} of ${request}`).toBeGreaterThan(0);
  for (const { provoke, profile = 'spr-1.5', guest, title = '' } of cases) {
    const script = guest && { guest: { run: guest } };
    const driver = new Driver({ kernelAbi: abi, profile, ...script });
    const result = await provoke(driver);
    expect([driver.refusedBy, title]).toEqual([check, title]);
    expect(errnosOf(book[check])).toContain(result);
    expect(hasDeadVm(driver), `a VM is dead: ${title}`).toBe(leavesVmDead(request, check));
  }
}
