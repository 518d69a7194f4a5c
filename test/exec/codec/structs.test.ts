import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Field, Layout } from '../../../src/exec/codec/layout.ts';
import { fixedSizeInitVm, structs } from '../../../src/exec/codec/structs.ts';
import { requireAddon } from '../../native/support.ts';

const layoutOfAddon = readFileSync('native/uapi/layout.cc', 'utf8');

const layouts: [string, Layout<Readonly<Record<string, Field>>>][] = [
  ...Object.entries(structs),
  ['kvm_tdx_init_vm of series v9', fixedSizeInitVm.header],
];

/** Where the compiler that built the addon found a field; undefined: it was not asked. */
function compiledOffset(struct: string, field: string): number | undefined {
  for (const [, type, name, offset] of layoutOfAddon.matchAll(/IS_AT\((\w+), (\w+), (\d+)\)/g)) {
    if (type === struct && plain(name ?? '') === plain(kernelNames[field] ?? field)) {
      return Number(offset);
    }
  }
  return undefined;
}

const plain = (name: string) => name.replaceAll('_', '').toLowerCase();
const kernelNames: Readonly<Record<string, string>> = {
  supportedAttributes: 'supported_attrs',
  userTdvmcallInfo1R11: 'user_tdvmcallinfo_1_r11',
};

const bytesOf = ([, type, count = 1]: Field) =>
  type === 'bytes' ? count : count * { u8: 1, u16: 2, u32: 4, u64: 8 }[type];

const words = { u8: 0xff, u16: 0xffff, u32: 0xffff_ffff } as const;

function anyValue(field: Field): fc.Arbitrary<unknown> {
  const [, type, count] = field;
  if (type === 'bytes') return fc.uint8Array({ minLength: count, maxLength: count });
  if (type !== 'u64') return fc.nat(words[type]);
  const word = fc.bigInt(0n, (1n << 64n) - 1n);
  return count === undefined ? word : fc.array(word, { minLength: count, maxLength: count });
}

const anyValues = (layout: Layout<Readonly<Record<string, Field>>>) =>
  fc.record(
    Object.fromEntries(
      Object.entries(layout.fields).map(([name, field]) => [name, anyValue(field)]),
    ),
  ) as fc.Arbitrary<ReturnType<typeof layout.decode>>;

describe.each(layouts)('struct %s', (_name, layout) => {
  test('no field lies outside it, none over another, each on its natural boundary', () => {
    const owners = new Set<number>();
    for (const field of Object.values(layout.fields)) {
      const [offset, type, count] = field;
      const width = type === 'bytes' ? 1 : bytesOf(field) / (count ?? 1);
      expect(offset % width).toBe(0);
      for (let at = offset; at < offset + bytesOf(field); at++) {
        expect(at).toBeLessThan(layout.sizeBytes);
        expect(owners.has(at)).toBe(false);
        owners.add(at);
      }
    }
  });

  test('what is written is what is read, and padding stays', () => {
    const padding = fc.uint8Array({ minLength: layout.sizeBytes, maxLength: layout.sizeBytes });
    fc.assert(
      fc.property(anyValues(layout), padding, (values, base) => {
        const bytes = layout.encode(values, base);
        expect(bytes.length).toBe(layout.sizeBytes);
        expect(layout.decode(bytes)).toEqual(values);
        const cleared = layout.encode(layout.decode(base), bytes);
        expect(cleared).toEqual(base);
      }),
    );
  });
});

test('a struct is found wherever its bytes lie in their buffer', () => {
  const buffer = new Uint8Array(64);
  const layout = new Layout(16, { word: [4, 'u32'], long: [8, 'u64'] });
  layout.encodeInto(buffer.subarray(13, 29), { word: 0x0403_0201, long: 5n });
  expect([...buffer.subarray(17, 22)]).toEqual([1, 2, 3, 4, 5]);
  expect(layout.decode(buffer.subarray(13))).toEqual({ word: 0x0403_0201, long: 5n });
});

describe('against the compiled addon', () => {
  test('sizes are those of the compiler', (context) => {
    const sizes = requireAddon(context).testing.structSizes();
    const ours = Object.entries(structs).map(([name, layout]) => [name, layout.sizeBytes]);
    expect(Object.fromEntries(ours)).toMatchObject(sizes);
  });

  test('offsets are those that the compiler of the addon has asserted', () => {
    const compared = Object.entries(structs).flatMap(([struct, layout]) =>
      Object.entries(layout.fields)
        .map(([name, [offset]]) => [`${struct}.${name}`, offset, compiledOffset(struct, name)])
        .filter(([, , compiled]) => compiled !== undefined),
    );
    expect(compared.length).toBeGreaterThan(40);
    for (const [name, offset, compiled] of compared)
      expect([name, offset]).toEqual([name, compiled]);
  });

  test('what the addon knows nothing of is named here', () => {
    const unknown = Object.entries(structs).flatMap(([struct, layout]) =>
      Object.keys(layout.fields)
        .filter((name) => compiledOffset(struct, name) === undefined)
        .map((name) => `${struct}.${name}`),
    );
    expect(unknown).toEqual([
      'kvm_link_guest_memfd.fd',
      'kvm_link_guest_memfd.flags',
      'kvm_pre_fault_memory.gpa',
      'kvm_pre_fault_memory.size',
      'kvm_pre_fault_memory.flags',
      // Inside its kvm_cpuid2, whose place and fields are compared by themselves.
      'kvm_tdx_capabilities.nent',
      'kvm_tdx_capabilities.padding',
      'kvm_tdx_init_vm.nent',
      'kvm_tdx_init_vm.padding',
    ]);
  });
});
