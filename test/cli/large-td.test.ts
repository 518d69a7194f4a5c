/** TDs as large as the address space of a process lets them be. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { cli } from '../support/cli.ts';
import { projectRoot } from '../support/tdctl.ts';

const scratch = mkdtempSync(join(tmpdir(), 'tdctl-large-'));
afterAll(() => rmSync(scratch, { recursive: true }));

function specFile(fields: Record<string, unknown>): string {
  const path = join(scratch, `td-${fields.memory}.yaml`);
  const spec = { vcpus: 2, firmware: join(projectRoot, 'examples/firmware/hello.fd'), ...fields };
  const head = {
    apiVersion: 'tdctl.io/v1alpha1',
    kind: 'TrustDomain',
    metadata: { name: 'large' },
  };
  writeFileSync(path, JSON.stringify({ ...head, spec }));
  return path;
}

/** A host with all the memory that 52 address bits reach. */
const hostFile = join(scratch, 'large.json');
const large = `sim:${hostFile}`;
const objectHead = { apiVersion: 'tdctl.io/v1alpha1', metadata: { name: 'large' } };
const spec4096TiB = { platform: { memory: '4096TiB' } };
writeFileSync(
  hostFile,
  JSON.stringify({ ...objectHead, kind: 'SimulatedHost', spec: spec4096TiB }),
);

describe('a large TD', () => {
  test.each([
    { memory: '1TiB', slots: 3 },
    { memory: '1200GiB', slots: 3 },
    // KVM takes less than 8 TiB in one slot.
    { memory: '8TiB', slots: 4 },
    { memory: '120TiB', slots: 32 },
  ])('of $memory is planned and run', async ({ memory, slots }) => {
    const spec = specFile({ memory });
    const plan = await cli(['plan', spec, '--host', large, '-o', 'json']);
    expect(plan).toMatchObject({ exitCode: 0, stderr: '' });
    const { memorySlots } = JSON.parse(plan.stdout).plan;
    expect(memorySlots).toHaveLength(slots);
    expect(holesIn(memorySlots.filter(({ holds }: { holds: string }) => holds === 'ram'))).toBe(1);
    const run = await cli(['run', spec, '--host', large, '--until', 'runnable']);
    expect(run).toMatchObject({ exitCode: 0, stderr: '' });
  });

  test('that no process can map is a finding of its plan, in the words that its run ends with', async () => {
    const spec = specFile({ memory: '200TiB', gpaw: 52 });
    const words = 'creatingVm: the memory of the TD could not be mapped (ENOMEM) [TDCTL_E_IOCTL]';
    const plan = await cli(['plan', spec, '--host', large]);
    expect(plan).toMatchObject({ exitCode: 6, stderr: '' });
    expect(plan.stdout).toContain(words);
    const run = await cli(['run', spec, '--host', large, '--until', 'runnable']);
    expect(run.exitCode).toBe(1);
    expect(run.stderr).toContain(words);
  });
});

interface Slot {
  readonly gpa: string;
  readonly sizeBytes: string;
}

/** How often RAM does not go on where the slot before it ends. */
function holesIn(slots: readonly Slot[]): number {
  return slots.filter(({ gpa }, at) => {
    const before = slots[at - 1];
    return before !== undefined && BigInt(gpa) !== BigInt(before.gpa) + BigInt(before.sizeBytes);
  }).length;
}
