/**
 * Every check of every request, under every kernel that makes it: its condition alone is refused, by
 * the check itself and with an errno of its row.
 */
import { describe, expect, test } from 'vitest';
import {
  askedOn,
  book,
  type CheckedRequest,
  type CheckName,
  checkedRequests,
  errnosOf,
} from '../../../../src/abi/kvm/checks/index.ts';
import { type KernelAbi, kernelAbis } from '../../../../src/simulator/index.ts';
import { Driver } from '../../drive.ts';
import { type Case, type Conformance, listed } from './case.ts';
import { sharedCases } from './shared.ts';
import { conformance } from './tables.ts';

const kernels: readonly KernelAbi[] = Object.values(kernelAbis);

/** The ways to bring about the condition of a check; none: nobody has written one. */
function casesOf(request: CheckedRequest, check: CheckName): readonly Case[] {
  const table: Conformance | undefined = conformance[request];
  const own = table?.cases[check];
  if (own !== undefined) return listed(own);
  const shared = sharedCases[check];
  if (table?.request === undefined || shared === undefined) return [];
  return listed(shared({ ...table, request: table.request, on: askedOn(request) }));
}

const reachable = (abi: KernelAbi, request: CheckedRequest) =>
  abi.checks[request].filter((check) => !abi.unreachable.includes(check));

describe.each(checkedRequests)('%s', (request) => {
  const rows = kernels.flatMap((abi) =>
    reachable(abi, request).map((check) => ({ abi, kernel: abi.name, check })),
  );

  test.each(rows)('$check refuses by itself ($kernel)', async ({ abi, check }) => {
    const cases = casesOf(request, check).filter(({ of = () => true }) => of(abi));
    expect(cases.length, `no case brings about ${check} of ${request}`).toBeGreaterThan(0);
    for (const { provoke, profile = 'spr-1.5', guest, title = '' } of cases) {
      const script = guest && { guest: { run: guest } };
      const driver = new Driver({ kernelAbi: abi, profile, ...script });
      const result = await provoke(driver);
      expect([driver.refusedBy, title]).toEqual([check, title]);
      expect(errnosOf(book[check])).toContain(result);
    }
  });

  test('every case is about a check that some kernel makes', () => {
    const made = new Set(kernels.flatMap((abi) => reachable(abi, request)));
    const written = Object.keys(conformance[request]?.cases ?? {}) as CheckName[];
    expect(written.filter((check) => !made.has(check))).toEqual([]);
  });
});
