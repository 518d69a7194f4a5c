import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeStatus,
  formatStatus,
  isStatus,
  isStatusError,
  type OperandName,
  operandIds,
  type StatusName,
  statusCodes,
  statusWord,
} from '../../src/abi/tdx/status.ts';

describe('TDX status words', () => {
  test('a refusal names its operand', () => {
    expect(formatStatus(0xc000010000000044n)).toBe(
      'TDX_OPERAND_INVALID | MAX_VCPUS (0xC000010000000044)',
    );
    expect(formatStatus(statusWord('TDX_OPERAND_INVALID', 'RAX'))).toBe(
      'TDX_OPERAND_INVALID | RAX (0xC000010000000000)',
    );
  });

  test('a code without an operand stands alone', () => {
    expect(formatStatus(0n)).toBe('TDX_SUCCESS (0x0000000000000000)');
    expect(formatStatus(0x8000082400000000n)).toBe('TDX_FLUSHVP_NOT_DONE (0x8000082400000000)');
    expect(formatStatus(0xc000070500000000n)).toBe('TDX_MAX_VCPUS_EXCEEDED (0xC000070500000000)');
  });

  test('details that are no operand are shown in hex: the MSR of TDX_INCONSISTENT_MSR', () => {
    expect(formatStatus(0xc00009200000003bn)).toBe(
      'TDX_INCONSISTENT_MSR | 0x3B (0xC00009200000003B)',
    );
  });

  test('an unknown word says so', () => {
    expect(formatStatus(0xc000fff000000001n)).toBe('unknown TDX status (0xC000FFF000000001)');
  });

  test('informational words are no errors', () => {
    expect(isStatusError(statusWord('TDX_KEY_CONFIGURED'))).toBe(false);
    expect(isStatusError(statusWord('TDX_OPERAND_BUSY', 'TDR'))).toBe(true);
    expect(decodeStatus(statusWord('TDX_TD_FATAL'))).toMatchObject({ fatal: true, error: true });
  });

  test('codes are distinct, and every name and operand comes back from its word', () => {
    const names = Object.keys(statusCodes) as StatusName[];
    expect(new Set(Object.values(statusCodes)).size).toBe(names.length);
    const operands = Object.keys(operandIds) as OperandName[];
    for (const name of names) {
      for (const operand of operands) {
        const word = statusWord(name, operand);
        expect(decodeStatus(word).name).toBe(name);
        expect(isStatus(word, name)).toBe(true);
      }
    }
    for (const operand of operands) {
      expect(decodeStatus(statusWord('TDX_OPERAND_INVALID', operand)).operand).toBe(operand);
    }
  });

  test('any 64-bit word has a text', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), (word) => {
        expect(formatStatus(word)).toMatch(/\(0x[0-9A-F]{16}\)$/);
      }),
    );
  });
});
