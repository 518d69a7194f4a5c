/** Who imports whom. The table of rooms in ARCHITECTURE.md has every arrow; finer rules stand here. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');

/** Files and folders that may import less than their room may, besides themselves. Longer names win. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  'src/host/port.ts': ['src/abi', 'src/host/facts.ts', 'src/host/guest.ts'],
  // Types alone: exits and answers go by the fields of kvm_run, which the addon's types have.
  'src/host/guest.ts': ['native', 'src/abi', 'src/host/kvm-error.ts'],
  'src/host/guest-ending.ts': ['src/host/guest.ts'],
  'src/host/facts.ts': [],
  'src/host/identity.ts': ['src/host/facts.ts'],
  'src/host/clock.ts': ['src/host/port.ts'],
  'src/host/kvm-error.ts': ['src/abi'],
  'src/host/observer.ts': ['src/abi'],
  'src/host/observed-guest.ts': [
    'src/host/guest.ts',
    'src/host/kvm-error.ts',
    'src/host/observer.ts',
  ],
  'src/host/observed.ts': [
    'src/abi',
    'src/host/port.ts',
    'src/host/kvm-error.ts',
    'src/host/observed-guest.ts',
    'src/host/observer.ts',
  ],
  'src/host/offer.ts': ['src/abi', 'src/host/port.ts', 'src/host/facts.ts'],
  'src/host/native': ['native', 'src/abi', 'src/errors', 'src/host'],
  'src/host/kvm': ['native', 'src/abi', 'src/errors', 'src/host'],
  'src/host/soft': ['native', 'src/abi', 'src/errors', 'src/host', 'src/simulator'],
  'src/host/simulated': ['src/abi', 'src/errors', 'src/documents', 'src/host', 'src/simulator'],
  // A program has none of the machine's code: its guests and its memory are made of plain parts.
  'src/host/shared/program': [
    'src/abi',
    'src/errors',
    'src/host/facts.ts',
    'src/host/guest-ending.ts',
    'src/host/guest.ts',
    'src/host/kvm-error.ts',
    'src/host/own.ts',
    'src/host/port.ts',
    'src/host/shared/wire',
    'src/host/simulated/address-space.ts',
    'src/host/simulated/instructionless-guest.ts',
  ],
  'src/host/shared/wire': ['src/errors', 'src/host/guest.ts', 'src/host/kvm-error.ts'],
  'src/diagnosis': ['machines', 'src/abi', 'src/errors', 'src/host/facts.ts'],
  // These look at real machines, so they use the readers of the hosts.
  'src/diagnosis/doctor': [
    'native',
    'src/abi',
    'src/errors',
    'src/documents',
    'src/host',
    'src/firmware',
    'src/package-root.ts',
    // The kernel log means to both what its one table of messages says.
    'src/diagnosis/explain/index.ts',
  ],
  'src/diagnosis/capture': [
    'native',
    'src/abi',
    'src/errors',
    'src/documents',
    'src/host',
    'src/diagnosis/doctor',
    'src/simulator',
  ],
  'src/exec/codec': ['src/abi', 'src/simulator'],
};

/** What rooms that work on any host may know of `src/host`. */
const knowsOfHosts: Readonly<Record<string, readonly string[]>> = {
  'src/plan': ['src/host/facts.ts', 'src/host/offer.ts', 'src/host/port.ts'],
  'src/orchestrator': [
    'src/host/clock.ts',
    'src/host/facts.ts',
    'src/host/guest.ts',
    'src/host/port.ts',
    'src/host/observed.ts',
    'src/host/observer.ts',
    'src/host/kvm-error.ts',
    'src/host/offer.ts',
  ],
  'src/rehearsal': [
    'src/host/clock.ts',
    'src/host/facts.ts',
    'src/host/identity.ts',
    'src/host/observed.ts',
    'src/host/port.ts',
    'src/host/simulated',
    // A stage for guests that really run, beside a simulated module.
    'src/host/soft/soft-host.ts',
  ],
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
  // Its index needs neither, and this file does.
  'src/rehearsal/scenario-file/scenario-file.ts',
  // Data alone, for the options of a command, which are made before anything else is loaded.
  'src/rehearsal/faults/choice.ts',
  // Types alone, for the browser's side of the live page: what the indexes lead to needs Node.
  'src/orchestrator/events.ts',
  'src/orchestrator/migration/events.ts',
  'src/rehearsal/recorded-event.ts',
  // Figures alone: `tdctl list` forecasts by them, and makes no simulated host.
  'src/simulator/costs.ts',
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
  return [...text.matchAll(/(?:from|import\(|^import)\s*'(\.[^']+)'/gm)].map(([, path]) =>
    relative(root, resolve(root, dirname(file), path ?? '')),
  );
}

const inside = (file: string, place: string) => file === place || file.startsWith(`${place}/`);
const files = ['src', 'machines', 'native'].flatMap(sourceFiles);
const imports = new Map(files.map((file) => [file, importsOf(file)]));
const arrows = [...imports].flatMap(([from, targets]) => targets.map((to) => ({ from, to })));

/** `src/plan`, `machines`. */
const roomOf = (file: string) => /^(src\/)?[^/]+/.exec(file)?.[0] ?? '';

/**
 * Rows of the table in ARCHITECTURE.md: a room, and what its last column says that it imports. A name is
 * looked for in the rows above only, so that an arrow between rooms never points down.
 */
function roomsOfTheDocument(): Map<string, string[]> {
  const text = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8');
  const rooms = new Map<string, string[]>();
  for (const [, room = '', column = ''] of text.matchAll(/^\| `([^`]+?)\/?` \|.* \| (.*) \|$/gm)) {
    const above = [...rooms.keys()];
    const named = column.split(', ').filter((name) => name !== '–');
    const pathOf = (name: string) =>
      above.find((each) => each.replace('src/', '') === name) ?? name;
    rooms.set(room, (column === 'all' ? above : named.map(pathOf)).sort());
  }
  return rooms;
}

/** Each as the way around it, the shortest first. */
function circles(): string[] {
  const found: string[] = [];
  const path: string[] = [];
  const done = new Set<string>();
  const visit = (file: string) => {
    const start = path.indexOf(file);
    if (start >= 0) found.push([...path.slice(start), file].join(' -> '));
    if (start >= 0 || done.has(file)) return;
    path.push(file);
    for (const target of imports.get(file) ?? []) visit(target);
    path.pop();
    done.add(file);
  };
  for (const file of files) visit(file);
  return found.sort((a, b) => a.length - b.length);
}

function ruleOf(file: string): readonly [string, readonly string[]] | undefined {
  return Object.entries(mayImport)
    .filter(([place]) => inside(file, place))
    .sort(([a], [b]) => b.length - a.length)[0];
}

const show = ({ from, to }: { from: string; to: string }) => `${from} -> ${to}`;

describe('imports', () => {
  const rooms = roomsOfTheDocument();

  test('the table of ARCHITECTURE.md has the rooms that there are', () => {
    expect(files.length).toBeGreaterThan(50);
    expect([...rooms.keys()].sort()).toEqual([...new Set(files.map(roomOf))].sort());
  });

  test.each([...rooms])(
    '%s imports the rooms above it that ARCHITECTURE.md says, and no others',
    (room, named) => {
      const found = new Set(
        arrows.filter(({ from }) => roomOf(from) === room).map(({ to }) => roomOf(to)),
      );
      found.delete(room);
      expect([...found].sort()).toEqual(named);
    },
  );

  test('no file is in a circle of imports, not even of types', () => {
    expect(circles()).toEqual([]);
  });

  test('no part of a room imports what it may not', () => {
    const violations = arrows.filter(({ from, to }) => {
      const [place, allowed] = ruleOf(from) ?? ['', undefined];
      return allowed !== undefined && ![place, ...allowed].some((each) => inside(to, each));
    });
    expect(violations.map(show)).toEqual([]);
  });

  test('rooms for any host know only what all hosts have in common', () => {
    const violations = arrows.filter(({ from, to }) => {
      const known = knowsOfHosts[roomOf(from)];
      return known && inside(to, 'src/host') && !known.some((each) => inside(to, each));
    });
    expect(violations.map(show)).toEqual([]);
  });

  test('the rules name nothing that is not there', () => {
    const places = [mayImport, knowsOfHosts].flatMap((rules) => Object.entries(rules).flat(2));
    const named = [...places, ...closedRooms, ...openFiles];
    expect(named.filter((place) => !existsSync(join(root, place)))).toEqual([]);
  });

  test('closed rooms are entered by their index only', () => {
    const violations = arrows
      .filter(({ from, to }) => closedRooms.some((room) => inside(to, room) && !inside(from, room)))
      .filter(({ to }) => !to.endsWith('/index.ts') && !openFiles.has(to));
    expect(violations.map(show)).toEqual([]);
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
