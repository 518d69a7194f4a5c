/** The completion scripts, as shells run them. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stateDirectoryPath } from '../../src/keeper/state-directory.ts';
import { cli } from '../support/cli.ts';

const scratch = mkdtempSync(join(tmpdir(), 'tdctl-completion-'));
afterAll(() => rmSync(scratch, { recursive: true }));

function isHere(program: string): boolean {
  return spawnSync(program, ['--version']).error === undefined;
}

describe('bash', () => {
  beforeAll(async () => {
    writeFileSync(join(scratch, 'tdctl.bash'), (await cli(['completion', 'bash'])).stdout);
    writeFileSync(join(scratch, 'td.yaml'), '');
  });

  /** What bash offers at the end of the line; readline breaks words at colons and equals signs too. */
  function offered(line: string): string[] {
    const words = line.split(/\s+|(?<=[:=])|(?=[:=])/);
    const script = `
      source tdctl.bash
      COMP_LINE=$1 COMP_POINT=\${#1}; shift
      COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
      _tdctl 2>/dev/null
      printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout } = spawnSync('bash', ['-c', script, 'bash', line, ...words], {
      cwd: scratch,
      encoding: 'utf8',
    });
    return stdout.split('\n').filter((word) => word !== '');
  }

  test.each<[string, string[]]>([
    ['tdctl pl', ['plan']],
    ['tdctl trace ', ['lint']],
    ['tdctl host c', ['capture']],
    ['tdctl plan --ker', ['--kernel']],
    ['tdctl plan td.yaml -o ', ['text', 'json', 'yaml']],
    ['tdctl plan td.yaml --output=j', ['json']],
    ['tdctl run --kernel series-v9', ['series-v9']],
    ['tdctl plan td.yaml --host sim:gnr', ['gnr-2.0']],
    ['tdctl plan td.', ['td.yaml']],
    ['tdctl run --plan td.', ['td.yaml']],
    ['tdctl graph td-', ['td-lifecycle']],
    ['tdctl kernels rfc-migration-v2', ['rfc-migration-v2']],
    ['tdctl graph td-lifecycle --theme d', ['dark']],
    ['tdctl completion f', ['fish']],
    ['tdctl host diff --outp', ['--output']],
  ])('%s', (line, words) => {
    expect(offered(line)).toEqual(words);
  });
});

describe('names of kept TDs', () => {
  const state = join(scratch, 'state');
  beforeAll(() => {
    for (const name of ['blue-1', 'blue-2', 'red', '.removing-old-01234567']) {
      mkdirSync(join(state, 'td', name), { recursive: true, mode: 0o700 });
    }
    chmodSync(state, 0o700);
  });

  /** The script is of this name in the directory of the test. */
  const names = (shell: string, script: string, env: NodeJS.ProcessEnv) =>
    spawnSync(shell, ['-c', script], {
      cwd: scratch,
      env: { PATH: process.env.PATH, ...env },
      encoding: 'utf8',
    });

  test('bash offers those that are there, and no others', () => {
    const script = `source tdctl.bash
      COMP_LINE='tdctl stop blue-1 bl' COMP_POINT=20 COMP_WORDS=(tdctl stop blue-1 bl) COMP_CWORD=3
      _tdctl; printf '%s ' "\${COMPREPLY[@]}"`;
    const { stdout } = names('bash', script, { TDCTL_STATE_DIR: state });
    expect(stdout).toBe('blue-1 blue-2 ');
    expect(names('bash', script, { TDCTL_STATE_DIR: join(state, 'none') }).stdout.trim()).toBe('');
  });

  // Which user runs the test decides which of the rules holds.
  test.each<NodeJS.ProcessEnv>([{ TDCTL_STATE_DIR: '/a' }, { XDG_RUNTIME_DIR: '/b' }, {}])(
    'they are looked for where tdctl keeps them: %j',
    (env) => {
      const script = `source tdctl.bash; _tdctl_words() { :; }; ls() { echo "$1" >&2; }
        command() { "$@"; }; exec 2>looked; eval "$(declare -f _tdctl_tds | sed 's|2> */dev/null||')"; _tdctl_tds`;
      names('bash', script, env);
      expect(readFileSync(join(scratch, 'looked'), 'utf8')).toBe(`${stateDirectoryPath(env)}/td\n`);
    },
  );
});

test.each(['zsh', 'fish'])('%s takes its script', async (shell) => {
  const { stdout } = await cli(['completion', shell]);
  expect(stdout).toContain('rfc-migration-v2');
  expect(stdout).toContain('sim:gnr-2.0');
  if (!isHere(shell)) {
    console.info(`${shell} is not installed, so its script was not run`);
    return;
  }
  const path = join(scratch, shell);
  writeFileSync(path, stdout);
  const { status, stderr } = spawnSync(shell, ['-n', path], { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});

test('another shell is refused with those there are', async () => {
  const { exitCode, stderr } = await cli(['completion', 'csh']);
  expect(exitCode).toBe(2);
  expect(stderr).toContain('bash, zsh, fish');
});
