import type { HostFacts } from '../../host/facts.ts';
import type { HostOffer } from '../../host/offer.ts';
import type { Host } from '../../host/port.ts';
import type { JudgedHost } from './objection.ts';

/** A host that is there tells its facts. */
export type AskedHost = JudgedHost & { readonly facts: HostFacts };

/**
 * Asks a host that is there for all that a TD is judged by.
 *
 * @param offer what a VM fd told. Without it no VM is made and no other request than those of facts(), and what
 * KVM_TDX_INIT_VM would refuse is left to the run.
 */
export async function askHost(host: Host, offer?: HostOffer): Promise<AskedHost> {
  const facts = offer?.facts ?? (await host.facts());
  return {
    name: facts.name,
    facts,
    offer,
    presentCpus: facts.platform.presentCpus,
    keySlots: await host.keySlots(),
    cgroupRoom: await host.cgroupRoom(),
    memory: await host.memory(),
    tscScaling: offer && (await host.checkExtension('KVM_CAP_TSC_CONTROL')) !== 0,
  };
}
