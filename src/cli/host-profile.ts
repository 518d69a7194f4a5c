/** What stands after `sim:` and `soft:`: the name of a profile, or a file that describes a host. */
import { readFile } from 'node:fs/promises';
import type { HostProfile } from '../simulator/index.ts';

/**
 * A file is told from a name by a `/` or by ending in .yaml, .yml or .json. It is a SimulatedHost
 * (docs/host-files.md), or what `tdctl host capture` wrote.
 *
 * @throws TdctlError TDCTL_E_USAGE for an unknown name; what the loaders throw for a file.
 */
export async function hostProfile(text: string): Promise<HostProfile> {
  if (!isFile(text)) return (await import('../host/simulated/index.ts')).namedProfile(text);
  if (await isCapture(text)) {
    const { captureToHostProfile, loadCapture } = await import('../diagnosis/capture/index.ts');
    return captureToHostProfile(loadCapture(text), text);
  }
  const { loadHostFile } = await import('../host/simulated/host-file/load.ts');
  return loadHostFile(text);
}

function isFile(text: string): boolean {
  return text.includes('/') || /\.(ya?ml|json)$/.test(text);
}

/** Looks at no more than the start; whichever loader follows has the last word. */
async function isCapture(path: string): Promise<boolean> {
  if (!path.endsWith('.json')) return false;
  try {
    const text = await readFile(path, 'utf8');
    return /"kind"\s*:\s*"tdctl\.HostCapture"/.test(text.slice(0, 4096));
  } catch {
    return false;
  }
}
