import { captureToKnownHost } from '../../diagnosis/capture/index.ts';
import { TdctlError } from '../../errors/index.ts';
import type { KnownHost } from '../../host/offer.ts';
import type { HostProfile } from '../../simulator/index.ts';
import { readHostFile } from '../host-file.ts';
import { isProfile } from './host-names.ts';

/** @throws TdctlError that says why there is no host to judge. */
export async function readHost(
  place: string,
  { name, kernel }: { readonly name: string; readonly kernel: string },
): Promise<KnownHost> {
  // The place may also be `sim:FILE`, as `--host` takes it.
  const host = isProfile(place)
    ? { profile: await profileAt(place) }
    : await readHostFile(place.replace(/^sim:/, ''));
  if ('capture' in host) return captureToKnownHost(host.capture, name);
  const { simulatedAsKnown } = await import('../../host/simulated/known-host.ts');
  return simulatedAsKnown(host.profile, { name, kernel });
}

/** Where the name is wrong, the error names it, and not the `--host` that it is a part of elsewhere. */
async function profileAt(place: string): Promise<HostProfile> {
  const { namedProfile } = await import('../../host/simulated/index.ts');
  try {
    return await namedProfile(place.slice('sim:'.length));
  } catch (error) {
    if (!(error instanceof TdctlError) || error.code !== 'TDCTL_E_USAGE') throw error;
    const { code, op, message, hint } = error;
    throw new TdctlError({ code, op, message, hint, place });
  }
}
