/** A status word by itself is answered without the messages, and as with them. */
import { fc, test as propertyTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { statusCodes } from '../../../src/abi/tdx/status.ts';
import { explainTyped } from '../../../src/diagnosis/explain/index.ts';
import { explainStatusWord } from '../../../src/diagnosis/explain/status-word.ts';

const codes = Object.entries(statusCodes);
const digitsOf = (word: bigint) => word.toString(16).padStart(16, '0');

describe.each(codes)('%s', (_, code) => {
  test.each([
    ['as the kernel prints it', `0x${digitsOf(code)}`],
    ['without 0x', digitsOf(code).toUpperCase()],
    ['as in a source', `0x${digitsOf(code)}ULL`],
  ])('%s', (_form, text) => {
    expect(explainStatusWord(text)).toEqual(explainTyped(text));
  });
});

propertyTest.prop([
  fc.constantFrom(...codes.map(([, code]) => code)),
  fc.bigInt({ min: 0n, max: 0xffff_ffffn }),
])('with any details', (code, details) => {
  const text = `0x${digitsOf(code | details)}`;
  expect(explainStatusWord(text)).toEqual(explainTyped(text));
});

test.each([
  'TDX_OPERAND_BUSY',
  'ENOSPC KVM_TDX_INIT_VM',
  '0xc000010000000044 0x8000020300000000',
  'SEAMCALL failed: 0xc000010000000044',
  '0x1234567890abcdef',
  'deadbeef',
  '',
])('%s is not for it', (text) => {
  expect(explainStatusWord(text)).toBeUndefined();
});
