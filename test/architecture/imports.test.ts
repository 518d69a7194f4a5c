/** Who may import whom (ARCHITECTURE.md, "Rooms"). The arrows point one way only. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');

/** A room, and the rooms it may import besides itself. Longer prefixes win. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  machines: [],
  native: ['src/abi'],
  'src/abi': [],
  'src/errors': [],
  'src/host/port.ts': ['src/abi', 'src/host/facts.ts'],
  'src/host/facts.ts': [],
  'src/host/kvm-error.ts': ['src/abi'],
  'src/host/observed.ts': ['src/abi', 'src/host/port.ts', 'src/host/kvm-error.ts'],
  'src/host/offer.ts': ['src/abi', 'src/host/port.ts', 'src/host/facts.ts'],
  'src/host/native': ['native', 'src/abi', 'src/errors', 'src/host'],
  'src/host/kvm': ['native', 'src/abi', 'src/errors', 'src/host'],
  'src/host/soft': ['native', 'src/abi', 'src/errors', 'src/host', 'src/simulator'],
  'src/host/simulated': ['src/abi', 'src/errors', 'src/documents', 'src/host', 'src/simulator'],
  'src/simulator': ['src/abi'],
  'src/documents': ['src/errors'],
  'src/spec': ['src/abi', 'src/errors', 'src/documents'],
  'src/firmware': ['src/abi', 'src/errors'],
  'src/diagnosis': [
    'machines/td-lifecycle/limits.ts',
    'src/abi',
    'src/errors',
    'src/host/facts.ts',
  ],
  // These look at real machines, so they use the readers of the hosts.
  'src/diagnosis/doctor': ['native', 'src/abi', 'src/errors', 'src/host', 'src/firmware'],
  'src/diagnosis/capture': [
    'native',
    'src/abi',
    'src/errors',
    'src/host',
    'src/diagnosis/doctor',
    'src/simulator',
  ],
  'src/plan': [
    'machines',
    'src/abi',
    'src/errors',
    'src/documents',
    'src/spec',
    'src/firmware',
    'src/host/facts.ts',
    'src/host/offer.ts',
    'src/host/port.ts',
  ],
  'src/orchestrator': [
    'machines',
    'src/abi',
    'src/errors',
    'src/diagnosis',
    'src/plan',
    'src/host/facts.ts',
    'src/host/port.ts',
    'src/host/observed.ts',
    'src/host/kvm-error.ts',
    'src/host/offer.ts',
  ],
  'src/rehearsal': [
    'machines',
    'src/abi',
    'src/documents',
    'src/host/facts.ts',
    'src/host/observed.ts',
    'src/host/port.ts',
    'src/host/simulated',
    'src/orchestrator',
    'src/plan',
    'src/simulator',
  ],
  'src/exec/codec': ['src/abi', 'src/simulator'],
  'src/visualize': ['machines', 'src/errors'],
  'src/exec': [
    'native',
    'src/abi',
    'src/documents',
    'src/errors',
    'src/simulator',
    'src/diagnosis',
  ],
  'src/watch': ['machines', 'src/errors', 'src/orchestrator', 'src/rehearsal', 'src/visualize'],
  'src/cli': ['machines', 'native', 'src'],
};

/** Rooms that other code may enter only by their index. */
const closedRooms = [
  'src/exec/codec',
  'src/simulator',
  'src/spec',
  'src/firmware',
  'src/orchestrator',
  'src/rehearsal',
  'src/watch',
] as const;
/** These need neither zod nor yaml, which the index loads. */
const openFiles = new Set([
  'src/spec/trust-domain.ts',
  'src/spec/init.ts',
  'src/spec/nearest.ts',
  // Its index needs neither, and this file does.
  'src/rehearsal/scenario-file/scenario-file.ts',
  // It lays out charts with ELK, which a run without a page does not need.
  'src/watch/page/page.ts',
]);

function sourceFiles(directory: string): string[] {
  return readdirSync(join(root, directory), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(directory, name));
}

function importsOf(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map(([, path]) =>
    relative(root, resolve(root, dirname(file), path ?? '')),
  );
}

function roomOf(file: string): string | undefined {
  return Object.keys(mayImport)
    .filter((room) => file === room || file.startsWith(`${room}/`))
    .sort((a, b) => b.length - a.length)[0];
}

const inside = (file: string, room: string) => file === room || file.startsWith(`${room}/`);
const files = ['src', 'machines', 'native'].flatMap(sourceFiles);

describe('imports', () => {
  test('every source file belongs to a room', () => {
    expect(files.length).toBeGreaterThan(50);
    expect(files.filter((file) => roomOf(file) === undefined)).toEqual([]);
  });

  test('no room imports one that it may not', () => {
    const violations = files.flatMap((file) => {
      const room = roomOf(file) ?? '';
      const allowed = [room, ...(mayImport[room] ?? [])];
      return importsOf(file)
        .filter((target) => !allowed.some((entry) => inside(target, entry)))
        .map((target) => `${file} -> ${target}`);
    });
    expect(violations).toEqual([]);
  });

  test('closed rooms are entered by their index only', () => {
    const violations = files.flatMap((file) =>
      importsOf(file)
        .filter((target) => closedRooms.some((room) => inside(target, room) && !inside(file, room)))
        .filter((target) => !target.endsWith('/index.ts') && !openFiles.has(target))
        .map((target) => `${file} -> ${target}`),
    );
    expect(violations).toEqual([]);
  });

  test('machines use nothing but xstate', () => {
    const packages = sourceFiles('machines').flatMap((file) =>
      [...readFileSync(join(root, file), 'utf8').matchAll(/from '([^.'][^']*)'/g)].map(
        ([, name]) => name,
      ),
    );
    expect([...new Set(packages)]).toEqual(['xstate']);
  });
});
