/** TD_PARAMS of a small TD, for tests that change one field of it. */
import type { TdParams } from '../../src/abi/tdx/td-params.ts';

export function tdParams(change: Partial<TdParams> = {}): TdParams {
  return {
    attributes: 0n,
    xfam: 3n,
    maxVcpus: 4,
    numL2Vms: 0,
    msrConfigCtls: 0,
    eptpControls: 0x1en,
    configFlags: 0n,
    tscFrequency: 40,
    mrConfigId: new Uint8Array(48),
    mrOwner: new Uint8Array(48),
    mrOwnerConfig: new Uint8Array(48),
    ia32ArchCapabilitiesConfig: 0n,
    cpuidConfig: [],
    ...change,
  };
}
