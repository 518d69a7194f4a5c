import { fc, test as propertyTest } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { editDistance, nearest } from '../../src/documents/nearest.ts';
import type { Parsed } from '../../src/documents/parsed.ts';
import { formatBytes, formatKhz } from '../../src/documents/quantity.ts';
import { parseBytes48 } from '../../src/spec/bytes48.ts';
import { parseFrequency, parseMemory } from '../../src/spec/quantity.ts';

function problem(result: Parsed<unknown>): string | undefined {
  return 'problems' in result ? result.problems[0]?.text : undefined;
}

const bytes48 = fc.uint8Array({ minLength: 48, maxLength: 48 });

describe('memory', () => {
  propertyTest.prop([fc.bigInt({ min: 4096n, max: 2n ** 39n })])(
    'is read back from the form it is printed in',
    (pages) => {
      const bytes = pages * 4096n;
      expect(parseMemory(formatBytes(bytes))).toEqual({ value: bytes });
      expect(parseMemory(bytes.toString())).toEqual({ value: bytes });
      expect(parseMemory(bytes)).toEqual({ value: bytes });
    },
  );

  it.each([
    ['512M', 'write 512MiB'],
    ['2G', 'write 2GiB'],
    ['2GB', 'write 2GiB'],
    ['2gb', 'write 2GiB'],
    ['512Mi', 'write 512MiB'],
    ['512mib', 'write 512MiB'],
    ['512 MiB', 'write 512MiB'],
    ['1TB', 'write 1TiB'],
    ['2 gigs', 'the units are KiB, MiB, GiB or TiB'],
    ['1.5', 'needs a unit'],
    ['0.0000001GiB', 'not a whole number of bytes'],
    ['1_000', 'is not a size'],
    ['-1GiB', 'is not a size'],
    ['15MiB', 'must be at least 16MiB'],
    ['2049TiB', 'must be at most 2048TiB'],
    ['20000001', 'must be a multiple of 4KiB; the nearest are 19996672 and 20000768 bytes'],
  ])('%s is answered with: %s', (text, answer) => {
    expect(problem(parseMemory(text))).toContain(answer);
  });

  it.each([[1.5], [Number.NaN], [true], [[]], [{}]])('%j is refused', (value) => {
    expect(problem(parseMemory(value))).toBeDefined();
  });
});

describe('frequency', () => {
  propertyTest.prop([fc.integer({ min: 4, max: 400 })])(
    'is read back from the form it is printed in',
    (steps) => {
      const kilohertz = steps * 25_000;
      expect(parseFrequency(formatKhz(BigInt(kilohertz)))).toEqual({ value: kilohertz });
      expect(parseFrequency(`${kilohertz}kHz`)).toEqual({ value: kilohertz });
    },
  );

  it.each([
    ['1.5G', 'write 1.5GHz'],
    ['2000mhz', 'write 2000MHz'],
    ['2 GHz', 'write 2GHz'],
    ['2000', 'needs a unit'],
    ['75MHz', 'must be 100MHz to 10GHz'],
    ['10.025GHz', 'must be 100MHz to 10GHz'],
    ['1.51GHz', 'the nearest are 1.5GHz and 1525MHz'],
    ['fast', 'is not a frequency'],
  ])('%s is answered with: %s', (text, answer) => {
    expect(problem(parseFrequency(text))).toContain(answer);
  });
});

describe('48 bytes', () => {
  propertyTest.prop([bytes48])('are the same from hex and from base64', (bytes) => {
    const expected = { value: bytes };
    expect(parseBytes48(Buffer.from(bytes).toString('hex'))).toEqual(expected);
    expect(parseBytes48(Buffer.from(bytes).toString('hex').toUpperCase())).toEqual(expected);
    expect(parseBytes48(Buffer.from(bytes).toString('base64'))).toEqual(expected);
  });

  propertyTest.prop([fc.uint8Array({ maxLength: 100 }).filter((bytes) => bytes.length !== 48)])(
    'are not made of any other number of bytes',
    (bytes) => {
      expect(problem(parseBytes48(Buffer.from(bytes).toString('hex')))).toBeDefined();
      expect(problem(parseBytes48(Buffer.from(bytes).toString('base64')))).toBeDefined();
    },
  );

  it('are never a SHA-256 in hex taken for base64', () => {
    expect(problem(parseBytes48('e3b0c44298fc1c14'.repeat(4)))).toContain('only 32 bytes');
  });
});

describe('the nearest word', () => {
  const words = ['vcpus', 'maxVcpus', 'memory', 'firmware', 'attributes', 'measurement'];

  it.each([
    ['vcpu', 'vcpus'],
    ['cpus', 'vcpus'],
    ['max-vcpus', 'maxVcpus'],
    ['MAX_VCPUS', 'maxVcpus'],
    ['mem', 'memory'],
    ['memroy', 'memory'],
    ['firmwear', 'firmware'],
    ['disk', undefined],
    ['', undefined],
  ])('to %s is %s', (word, expected) => {
    expect(nearest(word, words)).toBe(expected);
  });

  propertyTest.prop([fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 })])(
    'is judged by a distance that is symmetric, and 0 only for equal words',
    (one, other) => {
      expect(editDistance(one, other)).toBe(editDistance(other, one));
      expect(editDistance(one, other) === 0).toBe(one === other);
    },
  );
});
