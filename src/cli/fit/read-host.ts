import type { HostCapture } from '../../diagnosis/capture/capture.ts';
import { captureToKnownHost } from '../../diagnosis/capture/index.ts';
import { captureToHostProfile } from '../../diagnosis/capture/to-host-profile.ts';
import { TdctlError } from '../../errors/index.ts';
import type { KnownHost } from '../../host/offer.ts';
import type { HostProfile } from '../../simulator/index.ts';
import { readHostFile } from '../host-file.ts';
import type { Twin } from '../room/times.ts';
import { isProfile } from './host-names.ts';

export interface ReadHost {
  readonly host: KnownHost;
  /** A simulated machine in its place; undefined where the file does not say enough for one. */
  readonly twin: () => Twin | undefined;
}

/** @throws TdctlError that says why there is no host to judge. */
export async function readHost(
  place: string,
  { name, kernel }: { readonly name: string; readonly kernel: string },
): Promise<ReadHost> {
  // The place may also be `sim:FILE`, as `--host` takes it.
  const host = isProfile(place)
    ? { profile: await profileAt(place) }
    : await readHostFile(place.replace(/^sim:/, ''));
  if ('capture' in host) {
    const { capture } = host;
    return {
      host: captureToKnownHost(capture, name),
      twin: () => twinOf(capture, { name, kernel }),
    };
  }
  const { simulatedAsKnown } = await import('../../host/simulated/known-host.ts');
  const { profile } = host;
  const known = await simulatedAsKnown(profile, { name, kernel });
  return { host: known, twin: () => ({ profile, kernel }) };
}

function twinOf(
  capture: HostCapture,
  { name, kernel }: { readonly name: string; readonly kernel: string },
): Twin | undefined {
  try {
    return { profile: captureToHostProfile(capture, name), kernel };
  } catch (error) {
    if (!(error instanceof TdctlError)) throw error;
    return undefined;
  }
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
