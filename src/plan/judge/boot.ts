import { TdctlError } from '../../errors/index.ts';
import { always, factsOf, type JudgedHost, type Objection } from './objection.ts';
import type { PreparedTd } from './prepare.ts';

/** With the builtin engine, a kernel of its own starts in an ordinary VM alone, and of all hosts only soft has one. */
export function bootObjections(td: PreparedTd, host: JudgedHost): readonly Objection[] {
  const { spec, bootObjections } = td;
  const kind = factsOf(host)?.kind;
  if (spec.boot === undefined || kind === undefined) return [];
  if (kind === 'soft' || spec.engine.kind !== 'builtin') return bootObjections;
  const field = 'spec.boot';
  const problem =
    kind === 'kvm'
      ? 'a TD starts with its firmware, which alone is measured; the kernel of `boot` would never run'
      : 'no guest code runs on a simulated host, so there is nothing to start this kernel';
  return [
    {
      reasons: [
        always('boot', 'a kernel is to be started by `boot`, which only the host soft does'),
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
