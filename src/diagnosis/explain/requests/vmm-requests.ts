/**
 * What a VMM asks besides the life of a TD, where a refusal is a part of its way. Source: Linux 7.3,
 * arch/x86/kvm/{x86,cpuid}.c.
 */
import type { RefusalAnswer, RequestFacts } from './request.ts';

/** Lists that are asked for with a guess of their length. */
const lists = [
  'KVM_GET_SUPPORTED_CPUID',
  'KVM_GET_EMULATED_CPUID',
  'KVM_GET_MSR_INDEX_LIST',
  'KVM_GET_MSR_FEATURE_INDEX_LIST',
] as const;

const tooSmall = {
  id: 'kvm.list-too-small',
  rank: 'effect',
  code: 'TDCTL_E_IOCTL',
  meaning: 'the list is longer than the room that the VMM left for it',
  next: 'nothing if the VMM asks again with more room; else report it to its makers',
} satisfies RefusalAnswer;

export const vmmRequestFacts: readonly RequestFacts[] = [
  ...lists.map(
    (request): RequestFacts => ({
      request,
      on: '/dev/kvm',
      checks: [{ step: 1, errno: 'E2BIG', when: 'more entries than nent or nmsrs' }],
      answers: { E2BIG: tooSmall },
    }),
  ),
  {
    request: 'KVM_KVMCLOCK_CTRL',
    on: 'a vCPU',
    checks: [{ step: 1, errno: 'EINVAL', when: 'the guest has registered no kvmclock page' }],
    answers: {
      EINVAL: {
        id: 'kvmclock-ctrl.no-clock',
        rank: 'effect',
        code: 'TDCTL_E_IOCTL',
        meaning: 'the guest has no kvmclock that could be told of a pause; VMMs ask anyway',
        next: 'nothing',
      },
    },
  },
];
