import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { bookworm, ovmf, skipWithout } from '../firmware/debian-ovmf.ts';
import { buildTdvfImage, imageA, withSection } from '../firmware/tdvf-image.ts';
import { cli } from '../support/cli.ts';
import { tdctl } from '../support/tdctl.ts';

// Relative, because the golden files hold the path as it was given.
const hello = 'examples/firmware/hello.fd';

const measure = (args: readonly string[], options = {}) => cli(['measure', ...args], options);

describe('tdctl measure prints a contract', () => {
  test.each([
    ['text', 'measure-hello.txt'],
    ['json', 'measure-hello.json'],
    ['yaml', 'measure-hello.yaml'],
  ])('as %s', async (format, golden) => {
    const { stdout, stderr } = await measure([hello, '--output', format]);
    expect(stderr).toBe('');
    await expect(stdout).toMatchFileSnapshot(`../golden/${golden}`);
  });

  test('YAML holds the same data as JSON', async () => {
    const json = await measure([hello, '-o', 'json']);
    const yaml = await measure([hello, '-o', 'yaml']);
    expect(parseYaml(yaml.stdout)).toEqual(JSON.parse(json.stdout));
  });

  test('colours change nothing but colours', async () => {
    const plain = await measure([hello]);
    const colored = await measure([hello], { colors: true });
    expect(colored.stdout).not.toBe(plain.stdout);
    expect(stripVTControlCharacters(colored.stdout)).toBe(plain.stdout);
  });

  test('--order section gives another MRTD, and says which order it is', async () => {
    const page = JSON.parse((await measure([hello, '-o', 'json'])).stdout);
    const section = JSON.parse((await measure([hello, '--order', 'section', '-o', 'json'])).stdout);
    expect(section.mrtd).not.toBe(page.mrtd);
    expect(section).toEqual({ ...page, order: 'section', mrtd: section.mrtd });
  });
});

describe('tdctl measure with files of its own', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'tdctl-measure-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  function file(name: string, bytes: Uint8Array): string {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    return path;
  }

  test('--vars names both files, and digests them joined', async () => {
    const image = buildTdvfImage(imageA);
    const path = file('CODE.fd', image.subarray(0x1000));
    const varsPath = file('VARS.fd', image.subarray(0, 0x1000));
    const { stdout } = await measure([path, '--vars', varsPath, '-o', 'json']);
    expect(JSON.parse(stdout).firmware).toEqual({
      path,
      varsPath,
      sizeBytes: 0x10000,
      sha256: '245ad03933d9bbc6e018a3730d6fdaab45c55f2c456cec1944c55814f7ebd63d',
      loadAddress: '0xffff0000',
    });
    const text = await measure([path, '--vars', varsPath]);
    expect(text.stdout).toContain(`variables  ${varsPath}\n`);
  });

  test('a path with control characters is printed harmlessly', async () => {
    const path = file('evil\u001b[2Jname.fd', buildTdvfImage(imageA));
    const { stdout } = await measure([path]);
    expect(stdout).not.toContain('\u001b');
    expect(stdout).toContain('evil\\u{1b}[2Jname.fd');
  });

  test('an image that cannot start a TD ends with its error and prints nothing', async () => {
    const path = file('code-alone.fd', buildTdvfImage(imageA).subarray(0x1000));
    const { exitCode, stdout, stderr } = await measure([path]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 5, stdout: '' });
    expect(stderr).toMatch(new RegExp(`^error: ${path}: .*\\[TDCTL_E_FIRMWARE_INVALID\\]`));
  });

  test('an image that only other VMMs launch is measured, and says so', async () => {
    const path = file('shim.fd', withSection(2, { type: 4, attributes: 2 }));
    const data = JSON.parse((await measure([path, '-o', 'json'])).stdout);
    expect(data).toMatchObject({ launchedByQemu: false, addedPages: 18 });
    expect(data.sections[2]).toMatchObject({ type: 'PERM_MEM', addedAtBuild: false });
    const text = await measure([path]);
    expect(text.stdout).toMatch(/^PERM_MEM +0x810000 +8 KiB +- +- \(PAGE\.AUG\)$/m);
    expect(text.stdout).toContain('QEMU and tdctl do not launch this image: it has PERM_MEM\n');
  });

  test('a file that does not exist exits 3', async () => {
    const { exitCode, stderr } = await measure([join(folder, 'missing.fd')]);
    expect(exitCode).toBe(3);
    expect(stderr).toContain('[TDCTL_E_NOT_FOUND]');
  });
});

describe('tdctl measure --help', () => {
  test('teaches: examples, the two orders and who uses which', async () => {
    const { stdout: help } = await measure(['--help']);
    expect(help).toContain('tdctl measure OVMF_CODE.fd --vars OVMF_VARS.fd');
    expect(help).toMatch(/page {5}Each page is added, then measured.*\n.*QEMU from 10\.1/);
    expect(help).toMatch(/section {2}All pages of a section are added/);
    expect(help.split('\n').every((line) => line.length <= 80)).toBe(true);
  });

  test.each([
    ['an order that is none', [hello, '--order', 'backwards'], /Allowed choices are page, section/],
    ['a format that is none', [hello, '--output', 'xml'], /Allowed choices are text, json, yaml/],
    ['no firmware', [], /missing required argument 'firmware'/],
  ])('%s is refused with what there is', async (_, args, message) => {
    const { exitCode, stderr } = await measure(args);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(message);
  });
});

describe('tdctl measure as a process', () => {
  test("Debian's OVMF.fd: known MRTD on stdout, nothing on stderr", async (ctx) => {
    skipWithout(ctx, ovmf.whole);
    const { stdout, stderr } = await tdctl(['measure', ovmf.whole, '-ojson']);
    expect(stderr).toBe('');
    const measurement = JSON.parse(stdout);
    if (measurement.firmware.sha256 !== bookworm.whole.sha256) ctx.skip('another build of ovmf');
    expect(measurement.mrtd).toBe(bookworm.whole.mrtd);
  });

  test('OVMF_CODE.fd alone: exit 5, the remedy, no stack trace', async (ctx) => {
    skipWithout(ctx, ovmf.code);
    const { exitCode, stdout, stderr } = await tdctl(['measure', ovmf.code]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 5, stdout: '' });
    expect(stderr).toMatch(/OVMF_CODE\.fd: this is firmware code without its variable/);
    expect(stderr).toMatch(/--vars FILE/);
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});
