/** Classes 0B and 0C: a TD's memory in its secure EPT, and metadata fields. */
import type { StatusRow } from '../status-row.ts';

export const guestMemoryRows = {
  TDX_EPT_WALK_FAILED: {
    meaning: 'the secure EPT has no entry on the way to this guest address',
    returnedBy: ['TDH.MEM.PAGE.ADD', 'TDH.MEM.SEPT.ADD', 'TDH.MR.EXTEND', 'TDH.MEM.PAGE.AUG'],
    causes: ['a page was added before the tables above it'],
    next: 'report it with the kernel version: the kernel adds the tables itself',
  },
  TDX_EPT_ENTRY_NOT_PRESENT: {
    meaning: 'no page is mapped at this guest address',
    returnedBy: ['TDH.MR.EXTEND'],
    causes: ['memory was to be measured that had not been added'],
    next: 'compare the firmware with the VMM: `tdctl measure FIRMWARE` lists its sections',
  },
  TDX_TLB_TRACKING_NOT_DONE: {
    meaning: 'a page cannot be taken away before every vCPU has forgotten it',
    returnedBy: ['TDH.MEM.PAGE.REMOVE', 'TDH.MEM.PAGE.DEMOTE', 'TDH.MEM.PAGE.PROMOTE'],
    next: 'report it with the kernel version: the kernel skipped TDH.MEM.TRACK',
  },
  TDX_EPT_ENTRY_STATE_INCORRECT: {
    meaning: 'the page at this guest address is not in the state that the call needs',
    returnedBy: ['TDH.MEM.PAGE.ADD', 'TDH.MEM.SEPT.ADD', 'TDH.MEM.PAGE.REMOVE'],
    causes: [
      'the same guest address was added twice: two sections of the firmware overlap',
      'a page was taken away that was not blocked first',
    ],
    next: 'check the sections with `tdctl measure FIRMWARE`; update the kernel',
  },
  TDX_METADATA_FIELD_ID_INCORRECT: {
    meaning: 'this release of the module does not have the metadata field that was asked for',
    returnedBy: ['TDH.SYS.RD', 'TDH.MNG.RD', 'TDH.VP.RD', 'TDH.VP.WR'],
    causes: ['the module is older than the kernel', 'RDX of the next line is the id of the field'],
    next: 'update the BIOS, which brings a newer module',
  },
  TDX_METADATA_FIELD_NOT_READABLE: {
    meaning: 'the metadata field exists, and must not be read here',
    returnedBy: ['TDH.SYS.RD', 'TDH.MNG.RD', 'TDH.VP.RD'],
    causes: ['a field of a TD that is not built with DEBUG'],
    next: 'nothing if the kernel goes on; else update the module to the age of the kernel',
  },
} as const satisfies Record<string, StatusRow>;
