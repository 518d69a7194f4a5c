/**
 * Commands that are asked often load files of their own alone, run them from the code that was kept of them, and load
 * what is slow to load once it is needed.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadersOf } from '../../scripts/chunks.mjs';
import { readKeptCode } from '../../src/cli/bundled/kept-code.ts';
import { requireSupervision } from '../exec/programs.ts';
import { projectRoot } from '../support/built.ts';
import { tdctl } from '../support/tdctl.ts';

const example = 'examples/hello.yaml';
const commands = {
  explain: ['0xC000010000000044'],
  host: ['--host', 'sim'],
  list: [],
  doctor: [],
  exec: ['--', 'true'],
  plan: [example, '--host', 'sim'],
  run: [example, '--host', 'sim', '--until', 'runnable'],
  rehearse: [example, '--kernel', 'rfc-migration-v2'],
};

/** All commands load these: what every one needs, and what `list` does, which is little. */
const ofAll = ['start.js', 'core.js', 'rolldown-runtime.js', 'list.js'];

let here: string;
beforeAll(() => {
  here = mkdtempSync(join(tmpdir(), 'tdctl-loaded-'));
});
afterAll(() => rmSync(here, { recursive: true }));

/**
 * Is run in tdctl's process before tdctl: writes down of each file whether kept code of it was taken. No time passes
 * there, since what a command loads only once it has taken long is no matter of its start.
 */
const observer = `
  import { writeFileSync } from 'node:fs';
  import { basename } from 'node:path';
  import vm from 'node:vm';
  const loaded = {};
  vm.Script = class extends vm.Script {
    constructor(code, options) {
      super(code, options);
      loaded[basename(options.filename)] = this.cachedDataRejected === false;
    }
  };
  globalThis.setTimeout = () => ({ unref() {} });
  process.on('exit', () => writeFileSync(process.env.LOADED, JSON.stringify(loaded)));`;

/** What of Node takes a while to load, where a file loads it as soon as it is loaded itself. */
function slowPartsOfNodeIn(file: string): readonly string[] {
  const text = readFileSync(join('dist/chunks', file), 'utf8');
  return ['net', 'http', 'zlib', 'worker_threads'].filter((part) =>
    text.includes(`require("node:${part}")`),
  );
}

async function filesLoadedBy(command: string, args: readonly string[]) {
  const list = join(here, 'loaded.json');
  const { exitCode, stderr } = await tdctl([command, ...args], {
    env: {
      ...{ XDG_CACHE_HOME: here, NODE_COMPILE_CACHE: '', TDCTL_STATE_DIR: join(here, 'state') },
      ...{
        LOADED: list,
        NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(observer)}`,
      },
    },
  });
  expect([0, 6], stderr).toContain(exitCode);
  return JSON.parse(readFileSync(list, 'utf8')) as Readonly<Record<string, boolean>>;
}

test.for(Object.entries(commands))(
  '`tdctl %s` loads its own files, and from its second run on with the code kept of each',
  async ([command, args], context) => {
    if (command === 'exec') requireSupervision(context);
    await filesLoadedBy(command, args);
    const loaded = await filesLoadedBy(command, args);
    const names = Object.keys(loaded);
    expect(names).toContain('start.js');
    expect(names.filter((name) => loaded[name] === false)).toEqual([]);

    const others = names.filter((name) => !ofAll.includes(name));
    expect(others.filter((name) => !loadersOf(name).includes(command))).toEqual([]);

    expect(names.flatMap(slowPartsOfNodeIn)).toEqual([]);

    const { build } = JSON.parse(readFileSync('dist/package.json', 'utf8'));
    const path = join(here, 'tdctl', `${command}-${process.version}-${process.arch}`);
    const origin = { build, directory: join(projectRoot, 'dist/chunks') };
    const { code } = readKeptCode(path, origin) ?? { code: new Map() };
    expect([...code.keys()].sort()).toEqual(names.sort());
  },
);

test('`tdctl doctor` loads the table of messages for a kernel log that has a line on TDX, and for no other', async () => {
  const tsc = '[    0.000000] tsc: Detected 2596.140 MHz processor';
  const tdx = '[    1.824045] virt/tdx: BIOS enabled: private KeyID range [32, 64)';
  const [silent, withoutTdx, withTdx] = await loadedForLogs([], [tsc], [tsc, tdx]);
  expect(withoutTdx).toEqual(silent);
  expect(withTdx).toEqual(expect.arrayContaining([...(silent ?? [])]));
  expect(withTdx?.length).toBeGreaterThan(silent?.length ?? 0);
});

async function loadedForLogs(...logs: readonly (readonly string[])[]) {
  const loaded: string[][] = [];
  for (const [index, lines] of logs.entries()) {
    const host = join(here, `host-${index}`);
    mkdirSync(host);
    writeFileSync(join(host, 'dmesg.txt'), lines.join('\n'));
    // The first run keeps the code of what it loaded, which takes a file too.
    await filesLoadedBy('doctor', ['--root', host]);
    loaded.push(Object.keys(await filesLoadedBy('doctor', ['--root', host])).sort());
  }
  return loaded;
}
