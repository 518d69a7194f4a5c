/** A file that describes a host: what `tdctl host capture` wrote, or a SimulatedHost (docs/host-files.md). */

import type { HostCapture } from '../diagnosis/capture/capture.ts';
import { standardStream } from '../documents/path-in-words.ts';
import type { HostProfile } from '../simulator/index.ts';

export const hostFileEnding = /\.(json|ya?ml)$/;

/** Whether the text is the path of a file, and not the name of a profile. */
export function isHostFile(text: string): boolean {
  return text.includes('/') || hostFileEnding.test(text);
}

export type HostFile = { readonly capture: HostCapture } | { readonly profile: HostProfile };

const captureKind = /"kind"\s*:\s*"tdctl\.HostCapture"/;

/**
 * JSON is a capture, unless it speaks of a SimulatedHost and not of a capture.
 *
 * @throws what the loader of the one or the other throws.
 */
export async function readHostFile(path: string): Promise<HostFile> {
  const hostFiles = () => import('../host/simulated/host-file/load.ts');
  if (!path.endsWith('.json') && path !== standardStream) {
    return { profile: await (await hostFiles()).loadHostFile(path, captured) };
  }
  const { parseCapture, readCaptureText } = await import('../diagnosis/capture/load.ts');
  const text = await readCaptureText(path, ['SimulatedHost']);
  const isCapture = captureKind.test(text.slice(0, 4096)) || !/\bSimulatedHost\b/.test(text);
  return isCapture
    ? { capture: parseCapture(text, path) }
    : { profile: await (await hostFiles()).parseHostFile(text, path, captured) };
}

/** What a SimulatedHost file may start from. */
async function captured(path: string): Promise<HostProfile> {
  const { loadCapture } = await import('../diagnosis/capture/load.ts');
  const { captureToHostProfile } = await import('../diagnosis/capture/to-host-profile.ts');
  return captureToHostProfile(await loadCapture(path), path);
}
