/** What is known of the host at the moment a request is refused. */
import type { KnownFacts } from '../diagnosis/refusals.ts';
import type { KeySlots } from '../host/facts.ts';
import { KvmError } from '../host/kvm-error.ts';
import type { TdSession } from './session.ts';

/** Never throws: an error must not hide the one that is being explained. */
export async function knownFacts(session: TdSession, error: unknown): Promise<KnownFacts> {
  const wantsSlots = error instanceof KvmError && error.code === 'ENOSPC';
  return {
    host: session.plan.facts,
    keySlots: wantsSlots ? await readKeySlots(session) : undefined,
  };
}

async function readKeySlots({ host }: TdSession): Promise<KeySlots | undefined> {
  try {
    return await host.keySlots();
  } catch {
    return undefined;
  }
}
