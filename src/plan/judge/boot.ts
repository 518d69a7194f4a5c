import { TdctlError } from '../../errors/index.ts';
import type { TrustDomain } from '../../spec/trust-domain.ts';
import { always, factsOf, type JudgedHost, type Objection } from './objection.ts';

/** A kernel of its own starts in an ordinary VM alone, and of all hosts only soft has one. */
export function bootObjections(spec: TrustDomain, host: JudgedHost): Objection[] {
  const kind = factsOf(host)?.kind;
  if (spec.boot === undefined || kind === undefined || kind === 'soft') return [];
  const field = 'spec.boot';
  const problem =
    kind === 'kvm'
      ? 'a TD starts with its firmware, which alone is measured; the kernel of `boot` would never run'
      : 'no guest code runs on a simulated host, so there is nothing to start this kernel';
  return [
    {
      reasons: [
        always('boot', `a kernel is to be started by \`boot\`, which only the host soft does`),
      ],
      error: () =>
        new TdctlError({
          code: 'TDCTL_E_SPEC_INVALID',
          op: 'judge what the guest starts with',
          place: spec.source.locate(field),
          message: `${host.name} cannot start the kernel that this file names`,
          details: [spec.source.finding({ field, problem })],
          hint: 'start it with --host soft, or leave `boot` out',
        }),
    },
  ];
}
