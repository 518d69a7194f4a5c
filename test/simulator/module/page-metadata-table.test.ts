/** The table of pages counts what it holds. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pageSize } from '../../../src/simulator/module/addresses.ts';
import { PageMetadataTable } from '../../../src/simulator/module/page-metadata-table.ts';
import type { PageMetadata, PageType } from '../../../src/simulator/module/states.ts';

const types: readonly PageType[] = ['TDR', 'TDCX', 'TDVPR', 'EPT', 'REG'];
const change = fc.record({
  page: fc.nat({ max: 1500 }),
  type: fc.option(fc.constantFrom(...types), { nil: undefined }),
});

test('its counts are those of the pages that it has, whatever came, went or became another (property)', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 200 }), (changes) => {
      const table = new PageMetadataTable();
      const held = new Map<number, PageType>();
      for (const { page, type } of changes) {
        if (type === undefined) {
          table.delete(page * pageSize);
          held.delete(page);
        } else {
          table.set(page * pageSize, { type } as PageMetadata);
          held.set(page, type);
        }
        const count = (wanted: PageType) =>
          [...held.values()].filter((each) => each === wanted).length;
        expect(table.counts).toEqual(Object.fromEntries(types.map((each) => [each, count(each)])));
      }
    }),
  );
});
