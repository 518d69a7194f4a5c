/** Of which CPU there is a record, by CPUID(1).EAX. */
import type { RawCpuid } from '../../../abi/cpuid/raw.ts';
import { emeraldRapids, graniteRapids, sapphireRapids } from './golden-cove.ts';

/** Family and model: the stepping and what is reserved are left out. */
const modelMask = 0x0fff_0ff0;

const byModel: ReadonlyMap<number, RawCpuid> = new Map([
  [0x0008_06f0, sapphireRapids],
  [0x000c_06f0, emeraldRapids],
  [0x000a_06d0, graniteRapids],
]);

/** The record of this model, or of the first Xeon with TDX where there is none. */
export function nearestCpu(signature: number): RawCpuid {
  return byModel.get(signature & modelMask) ?? sapphireRapids;
}
