/** Starts, asks and closes the machine of a profile or a SimulatedHost file, to judge it. */
import { TdctlError } from '../../errors/index.ts';
import { type HostProfile, presentCpus } from '../../simulator/index.ts';
import { type KnownHost, readHostOffer } from '../offer.ts';
import { openSimulatedHost } from './index.ts';

export async function simulatedAsKnown(
  profile: HostProfile,
  { name, kernel }: { readonly name: string; readonly kernel: string },
): Promise<KnownHost> {
  const { platform } = profile;
  const known = {
    name,
    simulated: true,
    unknown: [],
    presentCpus: presentCpus(platform),
    tscScaling: platform.features.tscScaling,
  };
  const withoutTdx = (obstacles: readonly string[]): KnownHost => ({
    ...known,
    offer: undefined,
    obstacles,
    keySlots: undefined,
    cgroupRoom: undefined,
    memory: {
      totalBytes: platform.memoryBytes,
      pamt: 'static',
      availableBytes: undefined,
      cgroupBytes: undefined,
    },
  });
  let host: ReturnType<typeof openSimulatedHost>;
  try {
    host = openSimulatedHost({ profile, kernelAbi: kernel });
  } catch (error) {
    // That KVM did not load there is an answer. Any other error is about the command line.
    if (!(error instanceof TdctlError) || error.code !== 'TDCTL_E_HOST_UNSUPPORTED') throw error;
    return withoutTdx(error.details);
  }
  try {
    const { tdxMissing } = host;
    if (tdxMissing !== undefined) return withoutTdx([`the kernel says: ${tdxMissing}`]);
    const offer = await readHostOffer(host);
    return {
      ...known,
      offer,
      obstacles: [],
      keySlots: await host.keySlots(),
      cgroupRoom: await host.cgroupRoom(),
      memory: await host.memory(),
    };
  } finally {
    await host.close();
  }
}
