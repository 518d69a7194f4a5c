import { readdirSync, readFileSync } from 'node:fs';
import { fc, test as propertyTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { parseTrustDomain } from '../../src/spec/index.ts';
import { commandOf } from '../../src/vmm/command-line/index.ts';
import { importText, importWords } from '../../src/vmm/import/index.ts';
import { shellWords } from '../../src/vmm/import/shell-words.ts';
import { goldenNames, goldenPlan, goldenSpec } from './command-line/golden-specs.ts';

const fixtures = 'test/fixtures/definitions';

describe('a definition of somebody else', () => {
  test.each(readdirSync(fixtures))('%s', async (file) => {
    const text = readFileSync(`${fixtures}/${file}`, 'utf8');
    const { yaml, notTaken, name } = importText(text, { place: file, directory: '/here' });
    expect(parseTrustDomain(yaml, { path: 'td.yaml' })).toMatchObject({
      name,
      engine: { kind: 'qemu' },
    });
    const left = notTaken.map(({ place, what, why }) => `# ${place}: ${what}\n#   ${why}\n`);
    await expect(`${yaml}${left.join('')}`).toMatchFileSnapshot(`../golden/import/${file}.txt`);
  });

  test.each([
    [
      'XML of something else',
      '<network><name>a</name></network>',
      /its first element is <network>/,
    ],
    ['XML that is cut off', "<domain type='kvm'><name>a", /no well-formed XML/],
    [
      'an entity that grows',
      '<!DOCTYPE d [<!ENTITY a "aaaa">]><domain><name>&a;&b;</name></domain>',
      /no well-formed XML/,
    ],
    ['a command of something else', 'ls -l', /no word of it is a QEMU/],
    ['nothing', '', /no word of it is a QEMU/],
  ])('is refused with its place where it is %s', (_, text, problem) => {
    const read = () => importText(text, { place: 'x', directory: '/' });
    expect(read).toThrow(problem);
    expect(read).toThrow(
      expect.objectContaining({ exitCode: 5, place: expect.stringMatching(/^x/) }),
    );
  });

  test('leaves out what no TrustDomain file can say, with the reason', () => {
    const { yaml, notTaken } = importWords(
      [
        ...[
          'qemu-system-x86_64',
          '-object',
          'tdx-guest,id=t,mrowner=short',
          '-name',
          'a',
          '-bios',
          '/f',
        ],
        ...['-m', '2G', '-device', 'vhost-vsock-pci,guest-cid=2'],
      ],
      { place: 'command', directory: '/' },
    );
    expect(yaml).not.toMatch(/short|vsock/);
    expect(notTaken.map(({ what }) => what)).toEqual([
      'spec.identity.mrOwner: "short"',
      'spec.vsock: 2',
    ]);
  });
});

describe('what tdctl starts', () => {
  // The files have numbers there, so only what has no file comes back.
  test.each(goldenNames.filter((name) => !/boot|disks|vfio|vhost|vsock$/.test(name)))(
    '%s is read back as the same TD',
    (name) => {
      const spec = goldenSpec(name, '/td');
      const { args, program } = commandOf(goldenPlan(spec), {
        monitor: '/m',
        console: '/c',
        directory: '/td',
      });
      const { yaml, notTaken } = importWords([program, ...args], {
        place: 'command',
        directory: '/td',
      });
      const read = parseTrustDomain(yaml, { path: '/td/td.yaml' });
      const { vcpus, memoryBytes, attributes, identity, tscKhz, quotes } = spec;
      expect(read).toMatchObject({
        name: spec.name,
        vcpus,
        memoryBytes,
        attributes,
        identity,
        tscKhz,
        quotes,
      });
      if (spec.engine.kind !== 'qemu' || read.engine.kind !== 'qemu')
        throw new Error('another engine');
      expect(read.engine.networks.map(({ backend }) => backend)).toEqual(
        spec.engine.networks.map(({ backend }) => backend),
      );
      expect(read.engine.onPanic).toBe(spec.engine.onPanic);
      const isExtra = name === 'extra';
      expect(notTaken.map(({ what }) => what)).toEqual(
        isExtra ? ['-device virtio-rng-pci', '-device virtio-balloon-pci,id=balloon'] : [],
      );
    },
  );
});

describe('words of a shell', () => {
  test.each([
    ['a \'b c\' "d e" f\\ g', ['a', 'b c', 'd e', 'f g'], []],
    ['a \\\n  b\nc', ['a', 'b'], []],
    ['# comment\na # more\n', ['a'], []],
    ['a; b', ['a'], []],
    ['a $B "c $D" > out', ['a', '$B', 'c $D', '>', 'out'], ['$B', 'c $D', '>']],
    ['"a\\"b\\$"', ['a"b$'], []],
  ] as const)('%s', (text, words, unknown) => {
    expect(shellWords(text)).toEqual({ words, unknown });
  });

  propertyTest.prop([fc.string()])('are found in any text without end', (text) => {
    expect(shellWords(text).words.join('').length).toBeLessThanOrEqual(text.length);
  });

  propertyTest.prop([fc.array(fc.string().filter((word) => !word.includes('\0')))])(
    'make a TD of any command of QEMU, or a list of what is wrong',
    (words) => {
      const { yaml } = importWords(['qemu-system-x86_64', ...words], {
        place: 'command',
        directory: '/',
        name: 'td',
      });
      expect(parseTrustDomain(yaml, { path: 'td.yaml' }).name).toBe('td');
    },
  );
});
