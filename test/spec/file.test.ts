import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TdctlError } from '../../src/errors/index.ts';
import { loadTrustDomain } from '../../src/spec/index.ts';
import { specText } from './valid-spec.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tdctl-spec-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

async function failureOf(path: string): Promise<TdctlError> {
  try {
    await loadTrustDomain(path);
  } catch (error) {
    if (error instanceof TdctlError) return error;
    throw error;
  }
  throw new Error(`${path} was meant to be refused`);
}

async function fileWith(content: string | Uint8Array, name = 'td.yaml'): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, content);
  return path;
}

describe('a spec file that cannot be used', () => {
  it('does not exist: the nearest name in its directory is offered', async () => {
    const path = await fileWith(specText(), 'web.yaml');
    const error = await failureOf(join(directory, 'wbe.yaml'));
    expect(error).toMatchObject({ code: 'TDCTL_E_NOT_FOUND', exitCode: 3 });
    expect(error.hint).toBe(`did you mean ${path}?`);
    expect((await failureOf(join(directory, 'web'))).hint).toBe(`did you mean ${path}?`);
    expect((await failureOf(join(directory, 'other.yaml'))).hint).toContain('tdctl init');
  });

  it('is in a directory that does not exist', async () => {
    for (const path of [join(directory, 'no/td.yaml'), join(await fileWith('x'), 'td.yaml')]) {
      const error = await failureOf(path);
      expect(error).toMatchObject({ code: 'TDCTL_E_NOT_FOUND', exitCode: 3 });
      expect(error.message).toContain('is not a directory that can be read');
    }
  });

  it('is a directory: a file in it is offered', async () => {
    expect((await failureOf(directory)).hint).toContain('tdctl init');
    const path = await fileWith(specText());
    const error = await failureOf(directory);
    expect(error.code).toBe('TDCTL_E_NOT_READABLE');
    expect(error.hint).toContain(path);
  });

  it('may not be read by this user', async (ctx) => {
    if (process.getuid?.() === 0) ctx.skip('root may read every file');
    const path = await fileWith(specText());
    await chmod(path, 0);
    const error = await failureOf(path);
    expect(error.code).toBe('TDCTL_E_NOT_READABLE');
    expect(error.message).toContain('this user may not read it');
  });

  it('is a link that leads in a circle', async () => {
    const path = join(directory, 'loop.yaml');
    await symlink('loop.yaml', path);
    const error = await failureOf(path);
    expect(error.code).toBe('TDCTL_E_NOT_READABLE');
    expect(error.message).toContain('circle');
  });

  it('has a name that no file can have', async () => {
    expect((await failureOf('a\0b')).code).toBe('TDCTL_E_NOT_READABLE');
    expect((await failureOf(`${directory}/${'x'.repeat(300)}`)).message).toContain('longer');
  });

  it('is larger than 1 MiB, or endless', async () => {
    const path = await fileWith(`${specText()}#${'x'.repeat(1024 * 1024)}\n`);
    for (const large of [path, '/dev/zero']) {
      const error = await failureOf(large);
      expect(error).toMatchObject({ code: 'TDCTL_E_SPEC_INVALID', exitCode: 5 });
      expect(error.message).toContain('larger than 1MiB');
    }
  });

  it('is not UTF-8: the line and column of the first wrong byte are named', async () => {
    const path = await fileWith(Buffer.from('kind: x\nname: "b\xfcro"\n', 'latin1'));
    const error = await failureOf(path);
    expect(error).toMatchObject({ code: 'TDCTL_E_SPEC_INVALID', exitCode: 5 });
    expect(error.details[0]).toBe(`${path}:2:9: these bytes are no UTF-8 character`);
    const utf16 = await fileWith(Buffer.from('\uFEFFkind: x\n', 'utf16le'));
    expect((await failureOf(utf16)).details[0]).toContain('UTF-16');
  });

  it('never brings control characters of its name to the terminal', async () => {
    const error = await failureOf(join(directory, 'a\u001b[31m.yaml'));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: their absence is the point
    expect(`${error.message}${error.hint}${error.place}`).not.toMatch(/[\u0000-\u001f]/);
  });
});

describe('a spec file that can be used', () => {
  it('is read from a pipe', async () => {
    const path = join(directory, 'pipe');
    await promisify(execFile)('mkfifo', [path]);
    const [trustDomain] = await Promise.all([loadTrustDomain(path), writeFile(path, specText())]);
    expect(trustDomain.name).toBe('web-1');
  });

  it('is exactly 1 MiB long', async () => {
    const text = specText();
    const path = await fileWith(`${text}#${'x'.repeat(1024 * 1024 - text.length - 2)}\n`);
    expect((await loadTrustDomain(path)).vcpus).toBe(2);
  });
});
