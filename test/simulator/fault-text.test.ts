/** Faults as text: what is printed is read back, and mistakes are named. */
import { fc, test as propertyTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { errnoNumbers } from '../../src/abi/kvm/errno.ts';
import { ioctlNumbers, tdxCommands } from '../../src/abi/kvm/requests.ts';
import { seamcalls } from '../../src/abi/tdx/seamcalls.ts';
import { operandIds, statusCodes } from '../../src/abi/tdx/status.ts';
import {
  type FaultRecord,
  faultPoints,
  formatFault,
  parseFault,
} from '../../src/simulator/index.ts';

const nameOf = (table: object) => fc.constantFrom(...Object.keys(table));
const many = fc.integer({ min: 2, max: 99_999 });
const calls = fc.record(
  { nth: many, times: fc.oneof(many, fc.constant('always')) },
  { requiredKeys: [] },
);
const request = nameOf({ ...ioctlNumbers, ...tdxCommands }).filter((name) => name !== 'KVM_RUN');

const event = fc.oneof(
  fc.constantFrom({ kind: 'package-offline' }, { kind: 'package-online' }),
  fc.record({
    kind: fc.constant('foreign-tds'),
    change: fc.integer({ min: -999, max: 999 }).filter((change) => change !== 0),
  }),
  fc.record({
    kind: fc.constant('cgroup-max'),
    max: fc.nat(2047),
    path: fc.stringMatching(/^\/[\w./#=:-]*$/),
  }),
);

const what = fc.oneof(
  fc.record(
    { at: nameOf(seamcalls), answer: nameOf(statusCodes), operand: nameOf(operandIds) },
    { requiredKeys: ['at', 'answer'] },
  ),
  fc.record({
    at: fc.oneof(request, fc.constantFrom(...faultPoints)),
    errno: nameOf(errnoNumbers),
  }),
  fc.record({ at: fc.constant('KVM_TDX_INIT_MEM_REGION'), signalBeforePage: fc.nat(99_999) }),
  fc.record({ at: request, event }),
);
const anyFault = fc
  .tuple(what, calls)
  .map(([one, other]) => ({ ...one, ...other }) as unknown as FaultRecord);

propertyTest.prop([anyFault])('every fault is read back from its text', (fault) => {
  expect(parseFault(formatFault(fault))).toEqual(fault);
});

propertyTest.prop([fc.string()])('any text is read or answered with a problem', (text) => {
  const result = parseFault(text);
  expect('problem' in result || 'at' in result).toBe(true);
});

describe('the documented forms', () => {
  test.each([
    ['TDH.MNG.KEY.CONFIG#2=TDX_KEY_GENERATION_FAILED', { nth: 2 }],
    ['TDH.MNG.CREATE#1x3=TDX_RND_NO_ENTROPY', { times: 3 }],
    ['TDH.PHYMEM.CACHE.WB#1+=TDX_OPERAND_BUSY|WBCACHE', { times: 'always', operand: 'WBCACHE' }],
    ['KVM_CREATE_VCPU#3=ENOMEM', { nth: 3, errno: 'ENOMEM' }],
    ['KVM_CREATE_VCPU: install the fd#3=EMFILE', { at: 'KVM_CREATE_VCPU: install the fd' }],
    ['KVM_TDX_INIT_MEM_REGION=signal@5', { signalBeforePage: 5 }],
    ['KVM_TDX_INIT_VM=package-offline', { event: { kind: 'package-offline' } }],
    ['KVM_TDX_INIT_VM=foreign-tds+63', { event: { kind: 'foreign-tds', change: 63 } }],
    ['KVM_TDX_INIT_VM=cgroup-max:0:/', { event: { kind: 'cgroup-max', max: 0, path: '/' } }],
  ])('%s is read as documented', (text, expected) => {
    expect(parseFault(text)).toMatchObject(expected);
  });
});

describe('a mistake names its word and what could stand there', () => {
  test.each([
    ['KVM_CREATE_VCPUS=ENOMEM', 'KVM_CREATE_VCPUS', 'KVM_CREATE_VCPU'],
    ['KVM_CREATE_VCPU=ENOMEN', 'ENOMEN', 'ENOMEM'],
    ['TDH.MNG.CREATE=TDX_RND_NO_ENTROPHY', 'TDX_RND_NO_ENTROPHY', 'TDX_RND_NO_ENTROPY'],
    ['TDH.MNG.CREATE=TDX_OPERAND_BUSY|KOTT', 'KOTT', 'KOT'],
  ])('of %s the word %s is named, and %s offered', (text, word, candidate) => {
    const result = parseFault(text);
    if (!('problem' in result)) expect.unreachable();
    expect(result.word).toBe(word);
    expect(result.candidates).toContain(candidate);
  });

  test.each([
    'KVM_CREATE_VCPU',
    'KVM_CREATE_VCPU#0=ENOMEM',
    'KVM_CREATE_VCPU#2x=ENOMEM',
    'KVM_CREATE_VCPU=signal@1',
    'KVM_TDX_INIT_VM=foreign-tds+0',
    'KVM_TDX_INIT_VM=cgroup-max:0:relative',
    'TDH.MNG.CREATE=ENOMEM',
    'KVM_RUN=EINTR',
  ])('%s is refused', (text) => {
    expect(parseFault(text)).toHaveProperty('problem');
  });
});
