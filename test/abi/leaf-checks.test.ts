/** The book of the TDX module's checks: what a reader of a row may count on. */
import { describe, expect, test } from 'vitest';
import {
  type LeafCheck,
  leafChecks,
  type ModuleCheckName,
} from '../../src/abi/tdx/checks/index.ts';
import { seamcalls } from '../../src/abi/tdx/seamcalls.ts';
import { isStatusError, statusCodes } from '../../src/abi/tdx/status.ts';

const rows = Object.entries(leafChecks).flatMap(([leaf, checks]) =>
  Object.entries<LeafCheck>(checks).map(([check, row]) => ({ leaf, check, row })),
);
const prefixOf = (leaf: string) => leaf.replace('TDH.', '').toLowerCase().replaceAll('.', '-');

describe('the rows of a leaf', () => {
  test('are there for every leaf', () => {
    expect(Object.keys(leafChecks).sort()).toEqual(Object.keys(seamcalls).sort());
  });

  test.each(rows)('$leaf $check is a clause with its source', ({ row }) => {
    expect(row.when).toMatch(/^[^\s].*[^.\s]$/);
    expect(row.remedy ?? 'none').toMatch(/^[^\s].*[^.\s]$/);
    expect(row.source).not.toBe('');
  });

  test('are named by their leaf, or by what many leaves look at', () => {
    const shared = ['tdr', 'tdvpr', 'page', 'td', 'vcpu', 'gpa', 'sept'];
    const foreign = rows.filter(({ leaf, check }) => {
      const [prefix = ''] = check.split('.');
      return prefix !== prefixOf(leaf) && !shared.includes(prefix);
    });
    expect(foreign).toEqual([]);
  });

  test('of the same name differ in nothing but the operand', () => {
    const byName = new Map<string, Omit<LeafCheck, 'operand'>>();
    for (const { check, row } of rows) {
      const { operand: _, ...rest } = row;
      const before = byName.get(check);
      if (before !== undefined) expect(rest).toEqual(before);
      byName.set(check, rest);
    }
  });

  test('only inform where the status is no error', () => {
    const informing = rows.filter(({ row }) => !isStatusError(statusCodes[row.status]));
    const expected: ModuleCheckName[] = [
      'mng-key-config.done-already',
      'phymem-cache-wb.nothing-flushed',
    ];
    expect(informing.map(({ check }) => check)).toEqual(expected);
  });
});

test('TD_PARAMS is looked at field by field, in the order that the first wrong field decides', () => {
  const fields = Object.entries<LeafCheck>(leafChecks['TDH.MNG.INIT'])
    .filter(([check]) => check.startsWith('mng-init.'))
    .map(([, { operand, status }]) => operand ?? status);
  expect(fields).toEqual([
    'ATTRIBUTES',
    'XFAM',
    'MAX_VCPUS',
    'NUM_L2_VMS',
    'TDX_TDCS_NOT_ALLOCATED',
    'EXEC_CONTROLS',
    'EPTP_CONTROLS',
    'TSC_FREQUENCY',
    'RDX',
    'CPUID_CONFIG',
    'TDX_CPUID_LEAF_1F_FORMAT_UNRECOGNIZED',
    'RDX',
    'IA32_ARCH_CAPABILITIES_CONFIG',
    'RDX',
  ]);
});
