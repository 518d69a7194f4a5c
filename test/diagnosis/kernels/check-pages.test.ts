/** docs/kernel-checks/ is what the book and the records say. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { book, checkedRequests } from '../../../src/abi/kvm/checks/index.ts';
import { kernelAbis } from '../../../src/abi/kvm/kernels/index.ts';
import type { KernelAbi } from '../../../src/abi/kvm/kernels/record.ts';
import { checkPages } from '../../../src/diagnosis/kernels/check-pages.ts';
import { mergedOrder } from '../../../src/diagnosis/kernels/check-section.ts';

const folder = join(import.meta.dirname, '../../../docs/kernel-checks');

describe('docs/kernel-checks', () => {
  test('has the pages that the book makes, and no other', () => {
    expect(readdirSync(folder).sort()).toEqual([...checkPages().keys()].sort());
  });

  test.each([...checkPages()])('%s is fresh: else run `npm run docs`', (file, text) => {
    expect(readFileSync(join(folder, file), 'utf8')).toBe(text);
  });

  test('has every request once, and every check', () => {
    const text = [...checkPages().values()].join('\n');
    const headings = [...text.matchAll(/^## ((?:KVM_|fallocate).*)$/gm)].flatMap(([, names = '']) =>
      names.split(', '),
    );
    expect(headings.sort()).toEqual([...checkedRequests].sort());
    const missing = Object.keys(book).filter((name) => !text.includes(`\`${name}\` |`));
    expect(missing).toEqual([]);
  });

  test('a kernel that differs in one check gets a column of its own', () => {
    const upstream: KernelAbi = kernelAbis['upstream-7.3'];
    const [first = 'vm.dead', ...rest] = [...upstream.checks.KVM_CREATE_VM].reverse();
    const mine: KernelAbi = {
      ...upstream,
      name: 'mine',
      checks: { ...upstream.checks, KVM_CREATE_VM: [first, ...rest] },
    };
    const page = checkPages([upstream, mine]).get('system.md');
    expect(page).toMatch(/^\| place in the order \| upstream-7\.3 \| mine \|$/m);
    expect(page).toMatch(/^\| `create-vm\.type` \| 3 \| 1 \|$/m);
  });
});

test('a check that only a later order has stands behind the one it follows there', () => {
  expect(
    mergedOrder([
      ['a', 'b', 'd'],
      ['a', 'b', 'c', 'd'],
      ['z', 'a'],
    ]),
  ).toEqual(['z', 'a', 'b', 'c', 'd']);
});
