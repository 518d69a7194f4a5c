/** `tdctl run --host soft`: what plain KVM can do is done for real, and given back. */
import { existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, type TestContext, test } from 'vitest';
import { loadAddon } from '../../native/index.ts';
import { bookworm, ovmf, skipWithout } from '../firmware/debian-ovmf.ts';
import { projectRoot, startTdctl } from '../support/tdctl.ts';

const scratch = mkdtempSync(join(tmpdir(), 'tdctl-soft-'));
afterAll(() => rmSync(scratch, { recursive: true }));

function skipWithoutKvm(context: TestContext): void {
  if (!existsSync('/dev/kvm')) context.skip('/dev/kvm is not here');
  if (!loadAddon().available) context.skip('the native addon is not built (g++, make, python3)');
}

function specFile(fields: Record<string, unknown>): string {
  const path = join(scratch, 'td.yaml');
  writeFileSync(
    path,
    JSON.stringify({
      apiVersion: 'tdctl.io/v1alpha1',
      kind: 'TrustDomain',
      metadata: { name: 'td' },
      spec: { vcpus: 8, memory: '512MiB', ...fields },
    }),
  );
  return path;
}

/** What KVM objects a process has open: `kvm-vm`, `kvm-vcpu:0`, `[kvm-gmem]`, `/dev/kvm`. */
function kvmFds(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`)
    .map((fd) => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${fd}`);
      } catch {
        return ''; // Closed between the listing and the look.
      }
    })
    .filter((target) => /kvm/.test(target))
    .map((target) => target.replace('anon_inode:', ''))
    .sort();
}

const helloFirmware = join(projectRoot, 'examples/firmware/hello.fd');

describe('tdctl run --host soft', () => {
  test('holds a real VM and 8 real vCPUs while the TD is runnable, and none of them after', async (context) => {
    skipWithoutKvm(context);
    const run = startTdctl([
      'run',
      specFile({ firmware: helloFirmware }),
      '--host',
      'soft',
      '-o',
      'json',
    ]);
    await run.waitForStdout('"state":"runnable"');
    const pid = run.child.pid as number;
    const held = kvmFds(pid);
    expect(held.filter((target) => target.startsWith('kvm-vcpu'))).toHaveLength(8);
    expect(held.filter((target) => target === 'kvm-vm')).toHaveLength(1);
    expect(held).toContain('/dev/kvm');
    run.child.kill('SIGTERM');
    const { exitCode, stdout } = await run.ended;
    expect(exitCode).toBe(0);
    expect(existsSync(`/proc/${pid}`)).toBe(false);
    expect(stdout.trimEnd().split('\n').at(-1)).toContain('"outcome":"destroyed"');
  });

  test("ends with the known MRTD of Debian's OVMF.fd, measured from real memory", async (context) => {
    skipWithoutKvm(context);
    skipWithout(context, ovmf.whole);
    const run = startTdctl([
      'run',
      specFile({ firmware: ovmf.whole }),
      '--host',
      'soft',
      '--until',
      'runnable',
      '-o',
      'json',
    ]);
    const { exitCode, stdout } = await run.ended;
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`"event":"td.finalized","mrtd":"${bookworm.whole.mrtd}"`);
  });

  test('says on a repeated Ctrl-C what it is waiting for, and gives everything back all the same', async (context) => {
    skipWithoutKvm(context);
    const spec = specFile({ firmware: helloFirmware, vcpus: 200 });
    const run = startTdctl(['run', spec, '--host', 'soft', '-o', 'json']);
    await run.waitForStdout('"provisioning.initializingVcpus"');
    // No longer than until it has answered: a signal in Node's own last moments kills any process.
    const again = setInterval(() => {
      if (run.output.stderr === '') run.child.kill('SIGINT');
    }, 1);
    const { exitCode, stdout, stderr } = await run.ended.finally(() => clearInterval(again));
    expect(exitCode).toBe(130);
    expect(stderr).toMatch(/^already stopping: waiting for /m);
    expect(stdout.trimEnd().split('\n').at(-1)).toContain('"outcome":"destroyed"');
  });

  // Within one process, so that what is left behind would be seen: the process's own exit hides it.
  test('gives every fd back to the process that made it, wherever it is stopped', async (context) => {
    skipWithoutKvm(context);
    const { openSoftHost } = await import('../../src/host/soft/soft-host.ts');
    const { planTd } = await import('../../src/plan/index.ts');
    const { askHost } = await import('../../src/plan/judge/index.ts');
    const { startTd } = await import('../../src/orchestrator/index.ts');
    const { loadTrustDomain } = await import('../../src/spec/index.ts');
    const { loadFirmware } = await import('../../src/firmware/index.ts');
    const spec = await loadTrustDomain(specFile({ firmware: helloFirmware }));
    const firmware = await loadFirmware(spec.firmware);
    const before = kvmFds(process.pid);

    const host = await openSoftHost({});
    const plan = planTd({ spec, firmware, host: await askHost(host) });
    const states = new Set<string>();
    for (let stopAfter = 0; ; stopAfter += 1) {
      let events = 0;
      const td = startTd({
        host,
        plan,
        onEvent: ({ state }) => {
          states.add(state);
          events += 1;
          if (events === stopAfter) queueMicrotask(() => td.stop());
        },
      });
      const ranToTheEnd = await td.runnable;
      td.stop();
      expect((await td.ended).outcome).toBe('destroyed');
      expect(kvmFds(process.pid)).toEqual([...before, '/dev/kvm'].sort());
      expect(await host.keySlots()).toMatchObject({ used: 0 });
      if (ranToTheEnd && events > 0 && stopAfter > events) break;
    }
    await host.close();
    expect(kvmFds(process.pid)).toEqual(before);
    expect(states).toContain('interrupting');
  });
});
