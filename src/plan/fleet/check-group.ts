import {
  type Fleet,
  kvmMaxVcpusRange,
  maxVcpusOfTdParams,
  type VmGroup,
  vcpuIdRatio,
} from './fleet.ts';

/** A field of a group as a fleet file names it, and the option of the command line for the same. */
export type GroupField = 'count' | 'vcpus' | 'maxVcpus' | 'maxVcpuId';

export interface GroupProblem {
  readonly field: GroupField;
  /** A clause that follows the field's name. */
  readonly problem: string;
}

/** Finds all in a group that no host could give, for the file and the command line alike. */
export function groupProblems(
  { type, vcpus, maxVcpus, maxVcpuId }: VmGroup,
  { kvmMaxVcpus }: Pick<Fleet, 'kvmMaxVcpus'>,
): GroupProblem[] {
  const found: GroupProblem[] = [];
  const refuse = (field: GroupField, problem: string) => found.push({ field, problem });

  if (vcpus > kvmMaxVcpus) refuse('vcpus', aboveKvm(vcpus, kvmMaxVcpus));
  if (maxVcpus === 'unbounded') {
    if (type === 'td') {
      refuse('maxVcpus', 'cannot be unbounded in a TD: no vCPU can be added after FINALIZE_VM');
    }
  } else {
    if (type === 'td' && maxVcpus > maxVcpusOfTdParams) {
      refuse('maxVcpus', `must be at most 65535, 16 bits of TD_PARAMS; this is ${maxVcpus}`);
    } else if (maxVcpus > kvmMaxVcpus && maxVcpus !== vcpus) {
      refuse('maxVcpus', aboveKvm(maxVcpus, kvmMaxVcpus));
    }
    if (maxVcpus < vcpus) {
      refuse('maxVcpus', `must be at least vcpus, which is ${vcpus}; this is ${maxVcpus}`);
    }
  }
  if (maxVcpuId !== undefined) {
    const problem = idProblem(maxVcpuId, { maxVcpus, kvmMaxVcpus });
    if (problem !== undefined) refuse('maxVcpuId', problem);
  }
  return found;
}

function aboveKvm(asked: number, kvmMaxVcpus: number): string {
  const { max } = kvmMaxVcpusRange;
  const remedy =
    asked <= max
      ? `a kernel can be built for up to ${max}`
      : `no kernel is built for more than ${max}`;
  return `must be at most ${kvmMaxVcpus}, KVM_MAX_VCPUS; this is ${asked} (${remedy})`;
}

/** Gaps between ids are allowed and cost room in the table; fewer ids than vCPUs are not. */
function idProblem(
  maxVcpuId: number,
  { maxVcpus, kvmMaxVcpus }: Pick<VmGroup, 'maxVcpus'> & Pick<Fleet, 'kvmMaxVcpus'>,
): string | undefined {
  if (maxVcpus === 'unbounded')
    return 'has no meaning where maxVcpus is unbounded: every id may come';
  if (maxVcpuId < maxVcpus - 1) {
    return `must be at least ${maxVcpus - 1}, since ${maxVcpus} vCPUs have as many ids from 0; this is ${maxVcpuId}`;
  }
  const ids = vcpuIdRatio * kvmMaxVcpus;
  return maxVcpuId >= ids
    ? `must be less than ${ids}, KVM_MAX_VCPU_IDS; this is ${maxVcpuId}`
    : undefined;
}
