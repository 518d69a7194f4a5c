import { parseCapture } from '../../diagnosis/capture/index.ts';
import { readCaptureText } from '../../diagnosis/capture/load.ts';
import { TdctlError } from '../../errors/index.ts';
import type { FitHost } from '../../plan/fit/index.ts';
import type { HostProfile } from '../../simulator/index.ts';
import { capturedHost } from './captured-host.ts';
import { isProfile } from './host-names.ts';

const captureKind = /"kind"\s*:\s*"tdctl\.HostCapture"/;

/** @throws TdctlError that says why there is no host to judge. */
export async function readHost(
  place: string,
  { name, kernel }: { readonly name: string; readonly kernel: string },
): Promise<FitHost> {
  if (isProfile(place)) {
    const { simulatedHost } = await import('./simulated-host.ts');
    return simulatedHost(await profileAt(place), { name, kernel });
  }
  // `sim:FILE`, as `--host` has it.
  const path = place.replace(/^sim:/, '');
  const text = readCaptureText(path);
  if (
    path.endsWith('.json') &&
    (captureKind.test(text.slice(0, 4096)) || !/"SimulatedHost"/.test(text))
  ) {
    return capturedHost(parseCapture(text, path), name);
  }
  const { parseHostFile } = await import('../../host/simulated/host-file/load.ts');
  const { simulatedHost } = await import('./simulated-host.ts');
  return simulatedHost(await parseHostFile(text, path), { name, kernel });
}

/** The name is at fault, and not the `--host` that it is elsewhere a part of. */
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
