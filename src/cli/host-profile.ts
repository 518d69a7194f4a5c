/** What stands after `sim:` and `soft:`: the name of a profile, or a file that describes a host. */
import type { HostProfile } from '../simulator/index.ts';
import { isHostFile, readHostFile } from './host-file.ts';

/** @throws TdctlError TDCTL_E_USAGE for an unknown name; what the loaders throw for a file. */
export async function hostProfile(text: string): Promise<HostProfile> {
  if (!isHostFile(text)) return (await import('../host/simulated/index.ts')).namedProfile(text);
  const file = await readHostFile(text);
  if ('profile' in file) return file.profile;
  const { captureToHostProfile } = await import('../diagnosis/capture/to-host-profile.ts');
  return captureToHostProfile(file.capture, text);
}
