/** Classes 0D and 0E: binding of service TDs, and migration. No released Linux makes these calls. */
import type { StatusRow } from '../status-row.ts';

const bindAgain = 'bind the service TD (MigTD) that the first binding named';
const exportAgain = 'end this session (EXPORT.ABORT, IMPORT.ABORT) and begin another';

export const migrationRows = {
  TDX_SERVTD_ALREADY_BOUND_FOR_TYPE: {
    meaning: 'a service TD of this type is bound already',
    returnedBy: ['TDH.SERVTD.BIND', 'TDH.SERVTD.PREBIND'],
    next: 'use the one that is bound: there is one per type',
  },
  TDX_SERVTD_TYPE_MISMATCH: {
    meaning: 'the service TD is of another type than the first binding',
    returnedBy: ['TDH.SERVTD.BIND'],
    next: bindAgain,
  },
  TDX_SERVTD_ATTR_MISMATCH: {
    meaning: 'the service TD has other attributes than the first binding',
    returnedBy: ['TDH.SERVTD.BIND'],
    next: bindAgain,
  },
  TDX_SERVTD_INFO_HASH_MISMATCH: {
    meaning: 'the service TD was measured differently from the first binding',
    returnedBy: ['TDH.SERVTD.BIND'],
    next: bindAgain,
  },
  TDX_SERVTD_UUID_MISMATCH: {
    meaning: 'the service TD is another instance than the first binding',
    returnedBy: ['TDH.SERVTD.BIND'],
    next: bindAgain,
  },
  TDX_SERVTD_NOT_BOUND: {
    meaning: 'no service TD is bound to this TD',
    returnedBy: ['TDH.EXPORT.STATE.IMMUTABLE', 'TDH.IMPORT.STATE.IMMUTABLE'],
    next: 'bind a MigTD before the migration begins',
  },
  TDX_SERVTD_BOUND: {
    meaning: 'a service TD is bound, and the call allows none',
    returnedBy: ['TDH.SERVTD.PREBIND'],
    next: 'prebind before the first binding',
  },
  TDX_INVALID_MBMD: {
    meaning: 'the description of a migration bundle is malformed',
    returnedBy: [
      'TDH.IMPORT.MEM',
      'TDH.IMPORT.STATE.TD',
      'TDH.IMPORT.STATE.VP',
      'TDH.IMPORT.TRACK',
    ],
    next: exportAgain,
  },
  TDX_INCORRECT_MBMD_MAC: {
    meaning: 'a migration bundle was altered on its way, or belongs to another session',
    returnedBy: [
      'TDH.IMPORT.MEM',
      'TDH.IMPORT.STATE.TD',
      'TDH.IMPORT.STATE.VP',
      'TDH.IMPORT.TRACK',
    ],
    next: exportAgain,
  },
  TDX_MIGRATION_STREAM_STATE_INCORRECT: {
    meaning: 'the migration stream is not in the state that the call needs',
    returnedBy: ['TDH.EXPORT.MEM', 'TDH.IMPORT.MEM'],
    next: exportAgain,
  },
  TDX_MAX_MIGS_NUM_EXCEEDED: {
    meaning: 'the TD has as many migration streams as the module allows (512)',
    returnedBy: ['TDH.MIG.STREAM.CREATE'],
    next: 'use fewer streams',
  },
  TDX_EXPORTED_DIRTY_PAGES_REMAIN: {
    meaning: 'pages that were exported have been written since and were not exported again',
    returnedBy: ['TDH.EXPORT.TRACK'],
    next: 'export the dirty pages once more before the start token',
  },
  TDX_MIGRATION_DECRYPTION_KEY_NOT_SET: {
    meaning: 'the migration key was not set by the MigTD',
    returnedBy: ['TDH.EXPORT.STATE.IMMUTABLE', 'TDH.IMPORT.STATE.IMMUTABLE'],
    next: 'let both MigTDs agree on their keys first',
  },
  TDX_TD_NOT_MIGRATABLE: {
    meaning: 'the TD was built without ATTRIBUTES.MIGRATABLE',
    returnedBy: ['TDH.EXPORT.STATE.IMMUTABLE', 'TDH.MIG.STREAM.CREATE', 'TDH.SERVTD.BIND'],
    next: 'build it with MIGRATABLE (and without DEBUG and PERFMON); it cannot be set later',
  },
  TDX_PREVIOUS_EXPORT_CLEANUP_INCOMPLETE: {
    meaning: 'pages of an earlier export that was aborted were not restored',
    returnedBy: ['TDH.EXPORT.STATE.IMMUTABLE'],
    next: 'restore them (EXPORT.RESTORE) before the next export',
  },
  TDX_NUM_MIGS_HIGHER_THAN_CREATED: {
    meaning: 'the source used more migration streams than were created here',
    returnedBy: ['TDH.EXPORT.STATE.IMMUTABLE', 'TDH.IMPORT.STATE.IMMUTABLE'],
    next: 'create as many streams on the destination',
  },
  TDX_IMPORT_MISMATCH: {
    meaning: 'what is imported does not fit the module, CPU or TD of this host',
    returnedBy: ['TDH.IMPORT.STATE.IMMUTABLE', 'TDH.IMPORT.MEM'],
    next: 'compare both hosts: module release, CPU model, configurable CPUID',
  },
  TDX_SOME_VCPUS_NOT_MIGRATED: {
    meaning: 'the start token came before the state of every vCPU; the import has failed for good',
    returnedBy: ['TDH.IMPORT.TRACK'],
    next: exportAgain,
  },
  TDX_ALL_VCPUS_IMPORTED: {
    meaning: 'the state of every vCPU is imported already',
    returnedBy: ['TDH.IMPORT.STATE.VP'],
    next: exportAgain,
  },
  TDX_MIN_MIGS_NOT_CREATED: {
    meaning: 'fewer than two migration streams exist',
    returnedBy: ['TDH.EXPORT.STATE.IMMUTABLE', 'TDH.IMPORT.STATE.IMMUTABLE'],
    next: 'create at least two streams first',
  },
  TDX_VCPU_ALREADY_EXPORTED: {
    meaning: 'the state of this vCPU was exported already',
    returnedBy: ['TDH.EXPORT.STATE.VP'],
    next: exportAgain,
  },
} as const satisfies Record<string, StatusRow>;
