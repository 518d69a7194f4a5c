/**
 * Puts the files that say what a shared host is where programs look for them. A file that is there is covered by one of
 * the host; where a directory lacks one, an overlay adds it, which leaves the directory itself read-only.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { Mount } from '../../../native/index.ts';

/** What an overlay may cover, and whether programs write to the directories in it. */
const places = [
  { directory: '/proc/cpuinfo', isWritten: false },
  { directory: '/sys/devices', isWritten: false },
  { directory: '/sys/module', isWritten: false },
  { directory: '/sys/fs/cgroup', isWritten: true },
] as const;

/** The name of the variable by which a program finds the files where they could not be put in place. */
export const factsVariable = 'TDCTL_HOST_FACTS';

/** @param facts the directory of a host that has them, by their paths. */
export function factsInPlace(facts: string, mountinfo = readMounts()): Mount[] {
  // The options of an overlay have no other form for such a path.
  if (/[,:\\]/.test(facts)) return [];
  return places.flatMap(({ directory, isWritten }) => {
    const files = filesBelow(`${facts}${directory}`).map((path) => path.slice(facts.length));
    if (files.every((path) => existsSync(path))) {
      return files.map((path): Mount => ({ kind: 'bind', source: facts + path, target: path }));
    }
    if (!existsSync(directory)) return [];
    const kept = new Set([
      ...mountPointsIn(mountinfo).filter((path) => path.startsWith(`${directory}/`)),
      ...(isWritten ? directoriesIn(directory) : []),
    ]);
    return [
      ...[...kept].sort().map((target): Mount => ({ kind: 'keep', source: '', target })),
      { kind: 'overlay', source: `lowerdir=${facts}${directory}:${directory}`, target: directory },
    ];
  });
}

function filesBelow(path: string): string[] {
  try {
    const entries = readdirSync(path, { withFileTypes: true });
    return entries.flatMap((entry) => {
      const each = `${path}/${entry.name}`;
      return entry.isDirectory() ? filesBelow(each) : [each];
    });
  } catch {
    // The path is a file, or there is none.
    return existsSync(path) ? [path] : [];
  }
}

function directoriesIn(path: string): string[] {
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => `${path}/${entry.name}`);
}

function readMounts(): string {
  return readFileSync('/proc/self/mountinfo', 'utf8');
}

/** The fifth field, in which blanks are escaped (proc_pid_mountinfo(5)). */
function mountPointsIn(mountinfo: string): string[] {
  return mountinfo
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((path) => path !== '' && !path.includes('\\'));
}
