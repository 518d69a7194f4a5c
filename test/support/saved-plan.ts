/** A saved plan as data, with the fewest fields that it must have. */
export const savedPlan = {
  kind: 'tdctl.io/plan',
  version: 1,
  choice: { host: 'sim:spr-1.5', kernel: 'upstream-7.3' },
  specPath: '/td.yaml',
  made: {
    spec: { sha256: 'a'.repeat(64) },
    firmware: { sha256: 'b'.repeat(64) },
    measurement: { mrtd: 'c'.repeat(96) },
    host: { kind: 'sim', kernel: { apiVersion: 12 } },
  },
};
