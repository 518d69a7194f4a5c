/** Finds and loads the compiled addon. All hosts but `kvm` and `soft` work without it. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { packageRoot } from '../src/package-root.ts';
import type { Addon } from './addon.ts';

export type * from './addon.ts';
export type * from './exchange.ts';
export type * from './guest.ts';
export type * from './process.ts';
export { socketFd, stopReading, unwrittenBytes } from './socket-fd.ts';
export type * from './state.ts';
export type * from './supervisor.ts';

/** A file that was tried, and why it could not be used. */
export interface LoadAttempt {
  readonly path: string;
  readonly reason: string;
}

export type NativeAddon =
  | { readonly available: true; readonly addon: Addon; readonly path: string }
  | { readonly available: false; readonly tried: readonly LoadAttempt[] };

/** The places of the addon relative to the package root, in the order in which they are tried. */
export const addonLocations = [
  'build/Release/tdctl.node',
  'build/Debug/tdctl.node',
  'prebuilds/linux-x64.node',
] as const;

/** What to do where no addon can be loaded: a checkout has its sources, the package the addon itself. */
export function addonRemedy(): string {
  return existsSync(join(packageRoot(), 'binding.gyp'))
    ? 'run `npm run build:native` (needs g++, make and python3)'
    : 'the addon of the package is for Linux on x86-64, with musl or with glibc 2.34 or later';
}

let loaded: NativeAddon | undefined;

/**
 * The addon, which is loaded once. This never throws: where no addon is found, it says what was
 * tried. `TDCTL_ADDON` in the environment names the one file to use (such as a sanitizer build).
 */
export function loadAddon(): NativeAddon {
  loaded ??= tryInOrder(candidates());
  return loaded;
}

export function tryInOrder(paths: readonly string[]): NativeAddon {
  const require = createRequire(import.meta.url);
  const tried: LoadAttempt[] = [];
  for (const path of paths) {
    if (!existsSync(path)) {
      tried.push({ path, reason: 'no such file' });
      continue;
    }
    try {
      return { available: true, addon: require(path) as Addon, path };
    } catch (error) {
      tried.push({ path, reason: error instanceof Error ? error.message : String(error) });
    }
  }
  return { available: false, tried };
}

function candidates(): readonly string[] {
  const override = process.env.TDCTL_ADDON;
  if (override) return [resolve(override)];
  const root = packageRoot();
  return addonLocations.map((location) => join(root, location));
}
