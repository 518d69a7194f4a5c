import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseTrustDomain } from '../../src/spec/index.ts';
import { headlines } from './refusal.ts';
import { specText } from './valid-spec.ts';

const path = 'somewhere/td.yaml';

describe('a TrustDomain that is valid', () => {
  it('has every default filled in', () => {
    const { source, ...trustDomain } = parseTrustDomain(specText(), { path });
    expect(source.path).toBe(path);
    expect(trustDomain).toEqual({
      name: 'web-1',
      labels: {},
      engine: { kind: 'builtin' },
      annotations: {},
      vcpus: 2,
      maxVcpus: 2,
      memoryBytes: 2n ** 31n,
      firmware: { path: resolve('somewhere/OVMF.fd') },
      boot: undefined,
      console: undefined,
      attributes: 0x1000_0000n,
      xfam: undefined,
      tscKhz: undefined,
      gpaw: 48,
      identity: {
        mrConfigId: new Uint8Array(48),
        mrOwner: new Uint8Array(48),
        mrOwnerConfig: new Uint8Array(48),
      },
      measurement: { expect: undefined, order: 'page' },
    });
  });

  it('keeps everything that is written', () => {
    const hex = 'AB'.repeat(48);
    const base64 = Buffer.alloc(48, 0xfb).toString('base64');
    const text = specText(
      {
        maxVcpus: '8',
        memory: '1.5GiB',
        firmware: '{ path: /fw/CODE.fd, vars: ../VARS.fd }',
        boot: '{ kernel: vmlinuz, initrd: /boot/initrd.img, cmdline: "quiet" }',
        console: '{ socket: td.sock }',
        attributes: '[debug, sept-ve-disable]',
        xfam: '0x7',
        tsc: '1.5GHz',
        gpaw: '52',
        identity: `{ mrConfigId: ${hex}, mrOwner: ${base64} }`,
        measurement: `{ expect: ${hex}, order: section }`,
      },
      '{ name: web-1, labels: { app.kubernetes.io/name: web }, annotations: { note: "a b" } }',
    );
    expect(parseTrustDomain(text, { path })).toMatchObject({
      labels: { 'app.kubernetes.io/name': 'web' },
      annotations: { note: 'a b' },
      maxVcpus: 8,
      memoryBytes: 1_610_612_736n,
      firmware: { path: '/fw/CODE.fd', varsPath: resolve('VARS.fd') },
      boot: {
        kernelPath: resolve('somewhere/vmlinuz'),
        initrdPath: '/boot/initrd.img',
        cmdline: 'quiet',
      },
      console: { kind: 'socket', path: resolve('somewhere/td.sock') },
      attributes: 0x1000_0001n,
      xfam: 7n,
      tscKhz: 1_500_000,
      gpaw: 52,
      identity: {
        mrConfigId: new Uint8Array(48).fill(0xab),
        mrOwner: new Uint8Array(48).fill(0xfb),
        mrOwnerConfig: new Uint8Array(48),
      },
      measurement: { expect: hex.toLowerCase(), order: 'section' },
    });
  });

  it('puts the console to one place, and tells Linux of it', () => {
    const read = (fields: Record<string, string>) => parseTrustDomain(specText(fields), { path });
    expect(read({ console: 'stdio' }).console).toEqual({ kind: 'stdio' });
    expect(read({ console: '{ file: a.log }' }).console).toEqual({
      kind: 'file',
      path: resolve('somewhere/a.log'),
    });
    expect(read({ boot: '{ kernel: vmlinux }' }).boot).toEqual({
      kernelPath: resolve('somewhere/vmlinux'),
      cmdline: 'console=ttyS0',
    });
  });

  it('keeps the highest attribute exact, though a double could not', () => {
    const attributes = (value: string) =>
      parseTrustDomain(specText({ attributes: value }), { path }).attributes;
    expect(attributes('0x8000000010000001')).toBe(0x8000_0000_1000_0001n);
    expect(attributes('"0x8000000010000001"')).toBe(0x8000_0000_1000_0001n);
    expect(attributes('[perfmon, debug]')).toBe(0x8000_0000_0000_0001n);
    expect(attributes('[]')).toBe(0n);
  });

  it('reads alike as JSON, with CRLF, after a byte order mark and under %YAML 1.1', () => {
    const text = specText({ attributes: '0x10000000' });
    const json = JSON.stringify({
      apiVersion: 'tdctl.io/v1alpha1',
      kind: 'TrustDomain',
      metadata: { name: 'web-1' },
      spec: { vcpus: 2, memory: '2GiB', firmware: 'OVMF.fd' },
    });
    const plain = (source: string) => {
      const { source: _, ...rest } = parseTrustDomain(source, { path });
      return rest;
    };
    for (const variant of [
      json,
      text.replaceAll('\n', '\r\n'),
      `\uFEFF${text}`,
      `%YAML 1.1\n---\n${text}`,
    ]) {
      expect(plain(variant)).toEqual(plain(text));
    }
  });
});

describe('places', () => {
  it('count from the same characters with and without byte order mark and CRLF', () => {
    const text = specText({ memory: '2GB' });
    const expected = ['6:11: spec.memory: "2GB": GB is not a unit here; write 2GiB'];
    expect(headlines(text)).toEqual(expected);
    expect(headlines(`\uFEFF${text}`)).toEqual(expected);
    expect(headlines(text.replaceAll('\n', '\r\n'))).toEqual(expected);
  });

  it('are known for every field afterwards, by the nearest parent where one is not written', () => {
    const { source } = parseTrustDomain(specText({ attributes: '[debug, pks]' }), { path });
    expect(source.locate('spec.memory')).toBe('somewhere/td.yaml:6:11');
    expect(source.locate('spec.attributes.1')).toBe('somewhere/td.yaml:8:23');
    expect(source.locate('spec.maxVcpus')).toBe('somewhere/td.yaml:4:1');
    expect(source.locate('spec.identity.mrOwner')).toBe('somewhere/td.yaml:4:1');
    expect(source.locate('nothing.like.this')).toBe('somewhere/td.yaml:1:1');
  });

  it('make later findings look like the loader’s own', () => {
    const { source } = parseTrustDomain(specText(), { path });
    expect(source.finding({ field: 'spec.vcpus', problem: 'is more than \u001b[31m1' })).toBe(
      [
        'somewhere/td.yaml:5:10: spec.vcpus: is more than \\u{1b}[31m1',
        '    5 |   vcpus: 2',
        '      |          ^',
      ].join('\n'),
    );
  });
});

describe('findings', () => {
  it('do not hide one another: cross-field rules show beside errors in other fields', () => {
    const text = specText({ vcpus: '4', maxVcpus: '3', memory: '1GB', colour: 'red', gpaw: '47' });
    expect(headlines(text).map((line) => line.split(': ')[1])).toEqual([
      'spec.memory',
      'spec.maxVcpus',
      'spec.colour',
      'spec.gpaw',
    ]);
  });

  it('say nothing of a rule whose fields are wrong by themselves', () => {
    expect(headlines(specText({ vcpus: '0', maxVcpus: '3' }))).toEqual([
      '5:10: spec.vcpus: must be at least 1; this is 0',
    ]);
  });

  it('name a misspelt key once, not also as missing', () => {
    const text = specText().replace('firmware', 'firmwear');
    expect(headlines(text)).toEqual([
      '7:3: spec.firmwear: is an unknown key; did you mean firmware?',
    ]);
  });

  it('are listed up to fifty and counted beyond', () => {
    const lines = Array.from({ length: 80 }, (_, index) => `unknown${index}: 1`);
    expect(headlines(`${specText()}${lines.join('\n')}\n`)).toHaveLength(51);
  });

  it('do not repeat what a caller could take for terminal control', () => {
    const text = specText({ memory: '"\\e]0;x\\a"' });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: their absence is the point
    expect(headlines(text).join()).not.toMatch(/[\u0000-\u001f]/);
  });
});
