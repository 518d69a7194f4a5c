import { rmSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Difference, diffHosts } from '../../../src/diagnosis/capture/index.ts';
import { type DoctorFacts, readFacts } from '../../../src/diagnosis/doctor/index.ts';
import { fixtureNames, hostTree } from '../doctor/host-tree.ts';

async function factsOf(fixture: string): Promise<DoctorFacts> {
  const directory = hostTree(fixture);
  try {
    return await readFacts(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

type Answers = Extract<DoctorFacts['kvm']['answers'], { state: 'read' }>['value'];

/** The same host, with other answers of KVM. */
function withAnswers(facts: DoctorFacts, change: (answers: Answers) => Answers): DoctorFacts {
  const { answers } = facts.kvm;
  if (answers.state !== 'read') throw new Error('the fixture has no answers of KVM');
  return { ...facts, kvm: { ...facts.kvm, answers: { ...answers, value: change(answers.value) } } };
}

function withTdxVm(facts: DoctorFacts, change: Partial<NonNullable<Answers['tdxVm']>>) {
  return withAnswers(facts, (answers) => ({
    ...answers,
    tdxVm: answers.tdxVm && { ...answers.tdxVm, ...change },
  }));
}

const healthy = await factsOf('healthy');
const find = (differences: readonly Difference[], field: string) =>
  differences.find((difference) => difference.field === field);

test.each(fixtureNames)('%s does not differ from itself', async (fixture) => {
  const facts = await factsOf(fixture);
  expect(diffHosts(facts, facts)).toEqual([]);
});

test.each(fixtureNames)('%s: what differs from A to B differs from B to A', async (fixture) => {
  const other = await factsOf(fixture);
  const fields = (differences: readonly Difference[]) =>
    differences.map(({ field, a, b }) => [field, a, b]);
  const swapped = diffHosts(other, healthy).map(({ field, a, b }) => [field, b, a]);
  expect(fields(diffHosts(healthy, other)).sort()).toEqual(swapped.sort());
});

describe('a TD is kept from B by', () => {
  test.each([
    ['fewer vCPUs', 'limits.vcpus', { maxVcpus: 64 }],
    ['an XFAM feature that B lacks', 'xfam', { supportedXfam: '0xe7' }],
    ['an attribute that B lacks', 'attributes', { supportedAttributes: '0x0' }],
  ])('%s, and not the other way round', (_, field, change) => {
    const lesser = withTdxVm(healthy, change);
    expect(find(diffHosts(healthy, lesser), field)).toMatchObject({ effect: 'blocks' });
    expect(find(diffHosts(lesser, healthy), field)).toMatchObject({ effect: 'info' });
  });

  test('a CPUID bit that may not be chosen there', () => {
    const lesser = withTdxVm(healthy, { configurableCpuid: [] });
    const one = withTdxVm(healthy, {
      configurableCpuid: [{ function: 7, index: 0, flags: 1, eax: 0, ebx: 0x10, ecx: 0, edx: 0 }],
    });
    const none = withTdxVm(healthy, {
      configurableCpuid: [{ function: 7, index: 0, flags: 1, eax: 0, ebx: 0, ecx: 0, edx: 0 }],
    });
    expect(diffHosts(one, none)).toEqual([
      {
        field: 'cpuid.configurable.0x7.ebx',
        a: '0x10',
        b: '0x0',
        effect: 'blocks',
        meaning: 'a TD that sets 0x10 is refused by INIT_VM on B',
      },
    ]);
    // A host that was not asked says nothing of its leaves.
    expect(diffHosts(healthy, lesser)).toEqual([]);
  });

  test('48-bit addresses', () => {
    const narrow = withAnswers(healthy, (answers) => ({
      ...answers,
      supportedCpuid: answers.supportedCpuid.map((entry) =>
        entry.function === 0x80000008 ? { ...entry, eax: 0x303934 } : entry,
      ),
    }));
    expect(find(diffHosts(healthy, narrow), 'guest-address-bits')).toMatchObject({
      a: '52',
      b: '48',
      effect: 'blocks',
    });
  });

  test('no TDX at all', async () => {
    const without = await factsOf('kvm-intel-without-tdx');
    expect(diffHosts(healthy, without)[0]).toMatchObject({
      field: 'tdx.offered',
      a: 'yes',
      b: 'no',
      effect: 'blocks',
    });
  });
});

test('the clock, the module and the microcode change what a verifier sees, and block nothing', () => {
  const other: DoctorFacts = {
    ...withAnswers(healthy, (answers) => ({
      ...answers,
      supportedCpuid: answers.supportedCpuid.map((entry) =>
        entry.function === 0x15 ? { ...entry, ebx: 80 } : entry,
      ),
    })),
    tdxHost: {
      ...healthy.tdxHost,
      version: { state: 'read', from: 'test', value: '1.5.34' },
    },
    keySlots: { ...healthy.keySlots, capacity: { state: 'read', from: 'test', value: 31 } },
  };
  const differences = diffHosts(healthy, other);
  expect(find(differences, 'tsc')).toMatchObject({
    a: '1900 MHz',
    b: '2000 MHz',
    effect: 'changes',
  });
  expect(find(differences, 'module.release')).toMatchObject({ b: '1.5.34', effect: 'changes' });
  expect(find(differences, 'key-slots.capacity')).toMatchObject({
    effect: 'info',
    meaning: 'B holds fewer TDs at a time',
  });
  expect(differences.filter(({ effect }) => effect === 'blocks')).toEqual([]);
});

test('what is known of one host only is said to be so', () => {
  const blind: DoctorFacts = {
    ...healthy,
    kvm: { ...healthy.kvm, answers: { state: 'not-asked', from: 'KVM' } },
  };
  expect(find(diffHosts(healthy, blind), 'limits.vcpus')).toMatchObject({
    a: '128',
    b: 'not known',
    effect: 'info',
  });
});
