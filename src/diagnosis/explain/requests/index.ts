/** Every request there are facts for, by name. */
import type { Answer } from '../answer.ts';
import { capabilitiesFacts } from './capabilities.ts';
import { commonAnswers } from './common.ts';
import { createVcpuFacts } from './create-vcpu.ts';
import { anyCapFacts, enableCapFacts } from './enable-cap.ts';
import { finalizeVmFacts } from './finalize-vm.ts';
import { hostRequestFacts } from './host-requests.ts';
import { initMemRegionFacts } from './init-mem-region.ts';
import { initVmFacts } from './init-vm.ts';
import { moveFacts } from './move-enc-context.ts';
import type { RequestFacts } from './request.ts';
import { getCpuidFacts, initVcpuFacts } from './vcpu-commands.ts';
import { vmRequestFacts } from './vm-requests.ts';
import { vmmRequestFacts } from './vmm-requests.ts';

export const allRequestFacts: readonly RequestFacts[] = [
  capabilitiesFacts,
  initVmFacts,
  createVcpuFacts,
  initVcpuFacts,
  initMemRegionFacts,
  finalizeVmFacts,
  getCpuidFacts,
  ...enableCapFacts,
  ...vmRequestFacts,
  ...hostRequestFacts,
  ...vmmRequestFacts,
];

/** Of kernels that differ from Linux 7.3 in all of a request. */
const ownFacts: readonly RequestFacts[] = [moveFacts];

const factsByRequest = new Map(allRequestFacts.map((facts) => [facts.request, facts]));

/**
 * A capability without facts of its own has those of KVM_ENABLE_CAP.
 *
 * @param kernel the name of its ABI.
 */
export function factsOf(request: string, kernel?: string): RequestFacts | undefined {
  const own = ownFacts.find((facts) => facts.request === request && isOf(facts, kernel));
  const known = own ?? factsByRequest.get(request);
  return known ?? (request.startsWith('KVM_ENABLE_CAP(') ? anyCapFacts : undefined);
}

function isOf({ kernels }: RequestFacts, kernel: string | undefined): boolean {
  return kernel !== undefined && kernels?.includes(kernel) === true;
}

export const requestAnswers: readonly Answer[] = [
  ...[...allRequestFacts, ...ownFacts].flatMap(({ answers }) => Object.values(answers)),
  ...Object.values(commonAnswers),
];
