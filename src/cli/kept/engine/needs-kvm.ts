/** QEMU takes a TD from /dev/kvm, which a simulated host in this process has none of. A shared host gives it one. */
import { shellWord } from '../../../documents/shell-word.ts';
import { TdctlError } from '../../../errors/index.ts';
import { sharedHostName } from '../../../host/identity.ts';
import type { TrustDomain } from '../../../spec/trust-domain.ts';

/** @throws TdctlError TDCTL_E_HOST_UNSUPPORTED where QEMU could not run the TD on that host. */
export function refuseEngineOn(
  { engine, source }: Pick<TrustDomain, 'engine' | 'source'>,
  { host, typed }: { readonly host: string; readonly typed: readonly string[] },
): void {
  if (
    engine.kind === 'builtin' ||
    host === 'kvm' ||
    host === 'auto' ||
    sharedHostName(host) !== undefined
  )
    return;
  const again = ['tdctl', ...withoutHost(typed), '--host', 'kvm'].map(shellWord).join(' ');
  throw new TdctlError({
    code: 'TDCTL_E_HOST_UNSUPPORTED',
    op: 'choose a host',
    place: `${source.path}: spec.engine`,
    message: `QEMU runs the TD on /dev/kvm, and ${host} has none`,
    hint: `where there is TDX: \`${again}\`; simulated, with QEMU itself: \`tdctl host start lab\` and \`--host on:lab\`, or \`tdctl exec -- ${again}\``,
  });
}

function withoutHost(typed: readonly string[]): readonly string[] {
  return typed.filter(
    (word, at) => !(word === '--host' || word.startsWith('--host=') || typed[at - 1] === '--host'),
  );
}
