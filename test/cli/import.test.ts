import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cli } from '../support/cli.ts';

const fixture = (name: string) => `test/fixtures/definitions/${name}`;

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'tdctl-import-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

describe('tdctl import', () => {
  test('prints a TrustDomain file, and ends with 0 where all was taken over', async () => {
    const { stdout, stderr, exitCode } = await cli(['import', fixture('libvirt-tdx.xml')]);
    expect(stdout).toMatch(/^apiVersion: tdctl.io\/v1alpha1\nkind: TrustDomain\n/);
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
  });

  test('lists what has no place in the file with where it stands, and ends with 6', async () => {
    const { stderr, exitCode } = await cli(['import', fixture('libvirt-pflash.xml')]);
    expect(stderr).toContain('9 things could not be taken over as they are:\n');
    expect(stderr).toContain(
      "libvirt-pflash.xml:15:5: <tpm model='tpm-crb'>: there is no field for it\n",
    );
    expect(exitCode).toBe(6);
  });

  test('takes a command as it is typed', async () => {
    const command = [
      'qemu-system-x86_64',
      '-m',
      '2G',
      '-smp',
      '2',
      '-bios',
      '/f',
      '-object',
      'tdx-guest,id=t',
    ];
    const { stdout, exitCode } = await cli(['import', '--name', 'web-1', '--', ...command]);
    expect(stdout).toContain('name: web-1');
    expect(exitCode).toBe(0);
  });

  test('writes a file that plan reads, and says why the TD does not start', async () => {
    const file = join(directory, 'td.yaml');
    const made = await cli(['import', fixture('dstack.sh'), '--save', file]);
    expect(made.stdout).toBe('');
    expect(made.stderr).toContain(`next: tdctl plan ${file}\n`);
    const { stdout, exitCode } = await cli(['plan', file, '--host', 'sim']);
    expect(stdout).toContain('spec.disks.0.path: /images/rootfs.img.verity: there is no such file');
    expect(exitCode).toBe(8);
    const again = await cli(['import', fixture('dstack.sh'), '--save', file]);
    expect(again.exitCode).toBe(4);
    expect(readFileSync(file, 'utf8')).toContain('name: dstack');
  });

  test('gives the same as data', async () => {
    const { stdout } = await cli(['import', fixture('one-line.sh'), '-o', 'json']);
    const { kind, td, trustDomain, notTaken } = JSON.parse(stdout);
    expect({ kind, td, notTaken }).toEqual({ kind: 'tdctl.Import', td: 'vm1', notTaken: [] });
    expect(trustDomain).toContain('path: /images/vm1.qcow2');
  });

  test.each([
    ['a file that is not there', 'absent.xml', 3],
    ['XML that is cut off', 'cut.xml', 5],
    ['a TrustDomain file', 'examples/hello.yaml', 5],
    ['a binary', process.execPath, 5],
  ])('refuses %s', async (_, file, expected) => {
    writeFileSync(join(directory, 'cut.xml'), '<domain>');
    const path = file === 'cut.xml' ? join(directory, file) : file;
    const { stdout, stderr, exitCode } = await cli(['import', path]);
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: expected });
    expect(stderr).toMatch(/hint|remedy/);
  });
});
