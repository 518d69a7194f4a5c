/** What is found in a trace is bounded; what is beyond is counted. */
import { expect, test } from 'vitest';
import { StraceFiles } from '../../../src/trace/lint/read/strace-files.ts';
import { judgedText } from './judged.ts';

function refusedVcpus(count: number): string {
  return [
    '# tdctl trace 2: host=sim, kernel=upstream-7.3, command=[vmm]',
    'T0  open("/dev/kvm") = fd [sys#0]',
    'T0  sys#0.KVM_CREATE_VM(type=KVM_X86_TDX_VM) = fd [vm#1]',
    ...Array.from(
      { length: count },
      (_, at) => `T0  vm#1.KVM_CREATE_VCPU(id=${10_000 + at}) = EINVAL`,
    ),
    '# end: status=0',
  ].join('\n');
}

test('a thousand findings are listed, and the others are counted by severity', async () => {
  const { findings, further } = await judgedText(refusedVcpus(1_100));
  expect(findings).toHaveLength(1_000);
  expect(findings.length + further.error + further.warning + further.note).toBeGreaterThanOrEqual(
    1_100,
  );
  expect(further.error).toBeGreaterThanOrEqual(100);
});

test('where all are listed, there are no further ones', async () => {
  const { further } = await judgedText(refusedVcpus(10));
  expect(further).toEqual({ error: 0, warning: 0, note: 0 });
});

test('a file is closed with the last of its descriptors, whatever else took their numbers', () => {
  const files = new StraceFiles();
  const vm = files.make(3, 'vm');
  files.duplicate(3, 4);
  files.duplicate(4, 4);
  expect(files.close(3)).toBeUndefined();
  expect(files.open).toEqual([vm]);
  expect(files.close(4)).toBe(vm);
  expect(files.close(4)).toBeUndefined();
  files.make(5, 'vm');
  const other = files.make(5, 'vcpu');
  expect(files.open).toEqual([other]);
});
