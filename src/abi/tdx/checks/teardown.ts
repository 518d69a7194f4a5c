/** Leaves that take a TD down. None looks at FATAL: a fatal TD can be torn down. */
import { leafChecksIn } from './check.ts';
import { pageChecks } from './common.ts';

const folder = 'src/vmm_dispatcher/api_calls';

export const mngVpflushdoneChecks = {
  ...pageChecks('tdr', 'RCX'),
  ...leafChecksIn(`${folder}/tdh_mng_vpflushdone.c, tdh_mng_vpflushdone()`, {
    'mng-vpflushdone.done-already': {
      status: 'TDX_LIFECYCLE_STATE_INCORRECT',
      when: 'the key ID of the TD is flushed already',
    },
    'mng-vpflushdone.vcpus-associated': {
      status: 'TDX_FLUSHVP_NOT_DONE',
      when: 'a logical CPU still holds the state of a vCPU',
    },
  }),
};

export const phymemCacheWbChecks = leafChecksIn(
  `${folder}/tdh_phymem_cache_wb.c, tdh_phymem_cache_wb()`,
  {
    'phymem-cache-wb.operand': {
      status: 'TDX_OPERAND_INVALID',
      operand: 'RCX',
      when: 'the operand neither starts (0) nor resumes (1)',
    },
    'phymem-cache-wb.nothing-to-resume': {
      status: 'TDX_WBCACHE_RESUME_ERROR',
      when: 'it is to resume, and nothing was interrupted on this package',
    },
    'phymem-cache-wb.nothing-flushed': {
      status: 'TDX_NO_HKID_READY_TO_WBCACHE',
      when: 'no key ID waits for its caches to be written back',
    },
  },
);

export const mngKeyFreeidChecks = {
  ...pageChecks('tdr', 'RCX'),
  ...leafChecksIn(`${folder}/tdh_mng_key_freeid.c, tdh_mng_key_freeid()`, {
    'mng-key-freeid.not-flushed': {
      status: 'TDX_LIFECYCLE_STATE_INCORRECT',
      when: 'TDH.MNG.VPFLUSHDONE has not been done, or the key ID is free already',
    },
    'mng-key-freeid.not-written-back': {
      status: 'TDX_WBCACHE_NOT_COMPLETE',
      when: 'a package has not written back its caches',
    },
  }),
};

const reclaim = `${folder}/tdh_phymem_page_reclaim.c, tdh_phymem_page_reclaim()`;

export const phymemPageReclaimChecks = {
  'page.unaligned': pageChecks('page', 'RCX')['page.unaligned'],
  ...leafChecksIn(reclaim, {
    'phymem-page-reclaim.no-page-of-a-td': {
      status: 'TDX_PAGE_METADATA_INCORRECT',
      operand: 'RCX',
      when: 'the page is of no TD',
    },
    'phymem-page-reclaim.td-not-in-teardown': {
      status: 'TDX_LIFECYCLE_STATE_INCORRECT',
      when: 'the key ID of the TD is not free yet',
    },
    'phymem-page-reclaim.td-has-pages': {
      status: 'TDX_TD_ASSOCIATED_PAGES_EXIST',
      when: 'the page is the TDR, and the TD still has other pages',
    },
  }),
};

export const phymemPageWbinvdChecks = pageChecks('page', 'RCX');
