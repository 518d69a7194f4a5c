/** Leaves that give the module pages for its metadata, and take them back: dynamic PAMT. */
import { leafChecksIn } from './check.ts';

const folder = 'src/vmm_dispatcher/api_calls';

export const phymemPamtAddChecks = leafChecksIn(
  `${folder}/tdh_phymem_pamt_add.c, tdh_phymem_pamt_add()`,
  {
    'phymem-pamt-add.not-enabled': {
      status: 'TDX_OPERAND_INVALID',
      operand: 'RAX',
      when: 'the module was configured without dynamic PAMT',
    },
    'phymem-pamt-add.no-region': {
      status: 'TDX_OPERAND_INVALID',
      operand: 'RCX',
      when: 'the address and its level are none of 2 MiB of memory',
    },
    'phymem-pamt-add.region-taken': {
      status: 'TDX_HPA_RANGE_NOT_FREE',
      operand: 'RCX',
      when: 'the 2 MiB of memory have their pair of pages',
    },
    'phymem-pamt-add.page-taken': {
      status: 'TDX_PAGE_NOT_FREE',
      operand: 'RDX',
      when: "a given page is not the host's own",
    },
  },
);

/** A region without its pair, or with pages in use, is refused too: Linux counts, and asks for neither. */
export const phymemPamtRemoveChecks = leafChecksIn(
  `${folder}/tdh_phymem_pamt_remove.c, tdh_phymem_pamt_remove()`,
  {
    'phymem-pamt-remove.not-enabled': {
      status: 'TDX_OPERAND_INVALID',
      operand: 'RAX',
      when: 'the module was configured without dynamic PAMT',
    },
    'phymem-pamt-remove.no-region': {
      status: 'TDX_OPERAND_INVALID',
      operand: 'RCX',
      when: 'the address and its level are none of 2 MiB of memory',
    },
  },
);
