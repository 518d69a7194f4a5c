import {
  chmod,
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { fc, test as propertyTest } from '@fast-check/vitest';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { initCommand } from '../../src/cli/commands/init.ts';
import { nameFromFile } from '../../src/documents/name.ts';
import { TdctlError } from '../../src/errors/index.ts';
import { loadTrustDomain, parseTrustDomain } from '../../src/spec/index.ts';
import { schemaReference } from '../../src/spec/schema-file.ts';
import { trustDomainTemplate } from '../../src/spec/template.ts';
import { terminal } from '../support/cli.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tdctl-init-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

async function init(...args: string[]) {
  const { io, written } = terminal();
  await initCommand(io).exitOverride().parseAsync(args, { from: 'user' });
  return written;
}

async function failureOf(...args: string[]): Promise<TdctlError> {
  try {
    await init(...args);
  } catch (error) {
    if (error instanceof TdctlError) return error;
    throw error;
  }
  throw new Error('was meant to be refused');
}

describe('tdctl init', () => {
  it('writes a file that loads, named after the file, with the firmware found from it', async () => {
    const path = join(directory, 'Web 1.yaml');
    const firmware = join(directory, 'OVMF.fd');
    await copyFile('/dev/null', firmware);
    const { stdout, stderr } = await init(path, '--firmware', firmware);
    expect(stdout).toBe('');
    expect(stderr).toBe(`wrote ${path}\nnext: tdctl run '${path}' --host sim --until runnable\n`);
    const trustDomain = await loadTrustDomain(path);
    expect(trustDomain.name).toBe('web-1');
    expect(trustDomain.firmware.path).toBe(firmware);
  });

  it('names a relative firmware from where the file is', async () => {
    const path = join(directory, 'td.yaml');
    await init(path, '--firmware', 'OVMF.fd');
    expect((await loadTrustDomain(path)).firmware.path).toBe(resolve('OVMF.fd'));
  });

  it('says when the firmware is not there', async () => {
    const { stderr } = await init(join(directory, 'td.yaml'), '--firmware', '/no/such.fd');
    expect(stderr).toContain('firmware: there is no /no/such.fd; name yours');
  });

  it('writes to standard output for -, and nothing but the file', async () => {
    const { stdout, stderr } = await init('-');
    expect(stderr).toBe('');
    expect(parseTrustDomain(stdout, { path: 'td.yaml' }).name).toBe('td');
  });

  it('names a schema that is there, in the first line', async () => {
    const path = join(directory, 'td.yaml');
    await init(path);
    const [line = ''] = (await readFile(path, 'utf8')).split('\n');
    const schema = /^# yaml-language-server: \$schema=(\S+)$/.exec(line)?.[1] ?? '';
    expect(isAbsolute(schema)).toBe(true);
    expect(JSON.parse(await readFile(schema, 'utf8')).title).toBe('TrustDomain');
  });

  it('never overwrites, and offers the next free name', async () => {
    const path = join(directory, 'td.yaml');
    await writeFile(path, 'mine');
    await writeFile(join(directory, 'td-2.yaml'), 'mine too');
    const error = await failureOf(path);
    expect(error).toMatchObject({ code: 'TDCTL_E_EXISTS', exitCode: 4 });
    expect(error.hint).toContain(join(directory, 'td-3.yaml'));
    expect(await readFile(path, 'utf8')).toBe('mine');
  });

  it('does not write through a link that leads nowhere', async () => {
    const path = join(directory, 'td.yaml');
    await symlink(join(directory, 'target.yaml'), path);
    expect((await failureOf(path)).code).toBe('TDCTL_E_EXISTS');
    await expect(readFile(join(directory, 'target.yaml'))).rejects.toThrow('ENOENT');
  });

  it('says which directory is missing', async () => {
    const error = await failureOf(join(directory, 'no', 'td.yaml'));
    expect(error).toMatchObject({ code: 'TDCTL_E_NOT_FOUND', exitCode: 3 });
    expect(error.hint).toContain(`mkdir -p ${join(directory, 'no')}`);
  });

  it('says when the directory is not one, or may not be written to', async () => {
    await writeFile(join(directory, 'file'), '');
    const error = await failureOf(join(directory, 'file', 'td.yaml'));
    expect(error.code).toBe('TDCTL_E_NOT_WRITABLE');
    expect(error.message).toContain('is not a directory');
    const proc = await failureOf('/proc/td.yaml');
    expect(['TDCTL_E_NOT_WRITABLE', 'TDCTL_E_NOT_FOUND']).toContain(proc.code);
  });

  it('respects a directory without permission', async (ctx) => {
    if (process.getuid?.() === 0) ctx.skip('root may write everywhere');
    const locked = join(directory, 'locked');
    await mkdir(locked);
    await chmod(locked, 0o500);
    const error = await failureOf(join(locked, 'td.yaml'));
    expect(error.code).toBe('TDCTL_E_NOT_WRITABLE');
    expect(error.message).toContain('may not write');
  });

  it('refuses a name that is no DNS label, and offers one', async () => {
    const error = await failureOf(join(directory, 'td.yaml'), '--name', 'Web_1');
    expect(error).toMatchObject({ code: 'TDCTL_E_USAGE', exitCode: 2 });
    expect(error.hint).toContain('--name web-1');
  });
});

describe('the template', () => {
  const engines = fc.constantFrom('builtin' as const, 'qemu' as const);
  propertyTest.prop([fc.string({ unit: 'binary' }), fc.string({ minLength: 1 }), engines])(
    'is valid for any file name and any firmware path without NUL, for each engine',
    (fileName, firmwarePath, engine) => {
      const firmware = firmwarePath.replaceAll('\0', '0');
      const name = nameFromFile(fileName);
      const text = trustDomainTemplate({ name, firmware, schema: undefined, engine });
      const trustDomain = parseTrustDomain(text, { path: '/specs/td.yaml' });
      expect(trustDomain.name).toBe(name);
      expect(trustDomain.firmware.path).toBe(resolve('/specs', firmware));
    },
  );

  it('is valid with every commented line switched on', () => {
    const text = trustDomainTemplate({
      ...{ name: 'a', firmware: 'OVMF.fd', schema: undefined, engine: 'builtin' },
    } as const);
    const all = text.replace(/^ {2}# ((?: {2})?[a-z]\w*:(?: .*)?)$/gm, '  $1');
    const trustDomain = parseTrustDomain(all, { path: 'td.yaml' });
    expect(trustDomain.xfam).toBe(7n);
    expect(trustDomain.tscKhz).toBe(1_500_000);
    expect(trustDomain.measurement.expect).toBe('00'.repeat(48));
  });
});

describe('the template of the engine qemu', () => {
  it('is valid with every commented line switched on, and has all that this engine reads', () => {
    const options = { name: 'a', firmware: 'OVMF.fd', schema: undefined, engine: 'qemu' } as const;
    const text = trustDomainTemplate(options);
    const all = text.replace(/^( +)# ((?: *)(?:- )?[a-z]\w*:(?: .*)?)$/gm, '$1$2');
    const { engine, quotes, boot } = parseTrustDomain(all, { path: '/td/td.yaml' });
    expect(engine).toMatchObject({
      kind: 'qemu',
      disks: [{ path: '/td/root.qcow2', format: 'qcow2' }],
      networks: [{}, { backend: { forwards: [{ hostPort: 2222 }] } }, { backend: { kind: 'tap' } }],
      vsock: 'auto',
      devices: [{ vfio: '0000:17:00.0' }],
      console: { logPath: '/td/guest.log', socketPath: '/td/guest.sock' },
      extraArgs: ['-device', 'virtio-rng-pci'],
    });
    expect(quotes).toMatchObject({ kind: 'unix' });
    expect(boot).toMatchObject({ kernelPath: '/td/vmlinuz' });
  });

  it('says what comes next', async () => {
    const path = join(directory, 'td.yaml');
    const { stderr } = await init(path, '--engine', 'qemu', '--firmware', '/dev/null');
    expect(stderr).toBe(`wrote ${path}\nnext: tdctl plan ${path} --host sim\n`);
  });
});

describe('the schema’s path', () => {
  const inside = '/project/node_modules/tdctl/schema/trust-domain.json';

  it('is relative where tdctl is installed in the project, absolute elsewhere', () => {
    const reference = (schemaPath: string, fileDirectory: string) =>
      schemaReference({ schemaPath, directory: fileDirectory, projectDirectory: '/project' });
    expect(reference(inside, '/project')).toBe('./node_modules/tdctl/schema/trust-domain.json');
    expect(reference(inside, '/project/tds')).toBe(
      '../node_modules/tdctl/schema/trust-domain.json',
    );
    expect(reference(inside, '/elsewhere')).toBe(inside);
    expect(reference('/usr/lib/tdctl/schema.json', '/project')).toBe('/usr/lib/tdctl/schema.json');
  });

  it('is a URL where the path has a space, at which the editor would stop', () => {
    const schemaPath = '/my tools/tdctl/schema.json';
    const reference = schemaReference({
      schemaPath,
      directory: '/project',
      projectDirectory: '/project',
    });
    expect(reference).toBe('file:///my%20tools/tdctl/schema.json');
  });
});

it('refuses a file of JSON with the name it can have, and writes nothing', async () => {
  const error = await failureOf(join(directory, 'x.json'));
  expect(error).toMatchObject({ code: 'TDCTL_E_USAGE', hint: expect.stringContaining('x.yaml') });
  expect(await readdir(directory)).toEqual([]);
});
