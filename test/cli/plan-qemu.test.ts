/** `tdctl plan` for a TD that QEMU runs. */
import { chmodSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cli } from '../support/cli.ts';
import { projectRoot } from '../support/tdctl.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'tdctl-plan-'));
  copyFileSync(join(projectRoot, 'examples/firmware/hello.fd'), join(directory, 'OVMF.fd'));
  writeFileSync(join(directory, 'data.raw'), Buffer.alloc(4096));
  const kernel = Buffer.alloc(0x400);
  kernel.write('MZ');
  kernel.write('HdrS', 0x202);
  writeFileSync(join(directory, 'vmlinuz'), kernel);
  writeFileSync(join(directory, 'initrd.img'), 'initrd');
  qemu('qemu', 11);
  qemu('old-qemu', 9);
});
afterAll(() => rmSync(directory, { recursive: true }));

/** Answers as QEMU does when it is asked what it can do. */
function qemu(name: string, major: number) {
  const path = join(directory, name);
  writeFileSync(
    path,
    `#!/bin/sh
echo '{"QMP": {"version": {"qemu": {"major": ${major}, "minor": 1, "micro": 3}}}}'
read line; echo '{"return": {}}'
read line; echo '{"return": [{"name": "attributes"}]}'
read line
`,
  );
  chmodSync(path, 0o755);
}

async function plan(fields: Record<string, unknown>, more: readonly string[] = []) {
  const path = join(directory, 'td.yaml');
  const spec = {
    ...{
      engine: 'qemu',
      vcpus: 2,
      memory: '128MiB',
      firmware: 'OVMF.fd',
      qemu: { binary: './qemu' },
    },
    ...fields,
  };
  const head = {
    apiVersion: 'tdctl.io/v1alpha1',
    kind: 'TrustDomain',
    metadata: { name: 'web-1' },
  };
  writeFileSync(path, JSON.stringify({ ...head, spec }));
  const ended = await cli(['plan', path, '--host', 'sim', ...more]);
  const shown = (text: string) =>
    text.replaceAll(directory, '/td').replaceAll(/"sha256": "[0-9a-f]{64}"/g, '"sha256": "…"');
  return { ...ended, stdout: shown(ended.stdout), stderr: shown(ended.stderr) };
}

const boot = { boot: { kernel: 'vmlinuz', initrd: 'initrd.img', cmdline: 'console=ttyS0' } };

describe('tdctl plan for the engine qemu', () => {
  test('shows the line, the MRTD, and what direct boot adds to the measurement', async () => {
    const fields = { ...boot, disks: [{ path: 'data.raw' }], networks: [{ user: {} }] };
    const { stdout, stderr, exitCode } = await plan(fields);
    expect(stderr).toBe('');
    await expect(stdout).toMatchFileSnapshot('../golden/plan-qemu.txt');
    expect(exitCode).toBe(0);
  });

  test('and all of it as data', async () => {
    const { stdout, exitCode } = await plan(
      { ...boot, qemu: { binary: './qemu', extraArgs: ['-device', 'virtio-rng-pci'] } },
      ['-o', 'json'],
    );
    expect(exitCode).toBe(0);
    const { engine, vmm, plan: made, findings } = JSON.parse(stdout);
    expect({ engine, findings, steps: made.steps, boot: made.boot }).toEqual({
      engine: 'qemu',
      findings: [],
      steps: [],
      boot: null,
    });
    expect(vmm).toMatchObject({
      qemu: { path: '/td/qemu', version: '11.1.3', tdOptions: ['attributes'] },
      isReproducible: false,
      measuredBoot: [
        { what: 'kernel', register: 1, sha384: null },
        // printf 'console=ttyS0 initrd=initrd\0' | iconv -t UTF-16LE | sha384sum
        {
          what: 'cmdline',
          register: 2,
          sha384:
            '1d26f8aff8992fdfc37e88b4fdf4a1a0ebb815a2ce925ea3046b3ba1f24a933e75a163af2af579268c20ca5f476f5386',
        },
        // printf initrd | sha384sum
        {
          what: 'initrd',
          register: 2,
          sha384:
            '0ea077a251cb5b89108623041521d525aa49452a84239b04232bd69ad66b2885b792748e445082253569dd304c50a110',
        },
      ],
    });
    expect(vmm.launch.args.slice(-2)).toEqual(['-device', 'virtio-rng-pci']);
    expect(vmm.launch.files[0]).toEqual({ fd: 3, path: '/td/OVMF.fd', access: 'read' });
  });

  test('tells what INIT_VM would refuse, and what of the host is missing, at once', async () => {
    const { stdout, exitCode } = await plan({
      attributes: ['debug', 'sept-ve-disable'],
      tsc: '1.5GHz',
      disks: [{ path: 'absent.raw' }],
    });
    expect(exitCode).toBe(6);
    expect(stdout).toContain('spec.attributes: ');
    expect(stdout).toContain('spec.disks.0.path: /td/absent.raw: there is no such file');
    expect(stdout).toContain('2 findings');
  });

  test('ends with 8 where this QEMU makes no TDs, and says the rest all the same', async () => {
    const { stdout, exitCode } = await plan({
      qemu: { binary: './old-qemu' },
      disks: [{ path: 'absent.raw' }],
    });
    expect(exitCode).toBe(8);
    expect(stdout).toContain('it is QEMU 9.1.3; TDs need 10.1 or later');
    expect(stdout).toContain('-confidential-guest-support'.slice(1));
    expect(stdout).toContain('2 findings');
  });

  test('finds a kernel that is not there', async () => {
    const { stdout, exitCode } = await plan({ boot: { kernel: 'none' } });
    expect(exitCode).toBe(6);
    expect(stdout).toContain('TDCTL_E_NOT_FOUND');
  });
});
