/** One addon is for every glibc from 2.34 on, for musl, and for every Node: what it asks of them is what all have. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { projectRoot } from '../support/built.ts';

const addon = join(projectRoot, 'build/Release/tdctl.node');
const linkers = ['/lib/ld-musl-x86_64.so.1', '/lib/x86_64-linux-musl/libc.so'];
const musl = linkers.find((file) => existsSync(file));
const hasMusl = musl !== undefined && spawnSync('musl-gcc', ['--version']).status === 0;

function lines(program: string, ...args: string[]): string[] {
  return execFileSync(program, [...args, addon], { encoding: 'utf8' }).split('\n');
}

const undefinedSymbols = () =>
  lines('nm', '-D', '--undefined-only').flatMap(
    (line) => /([UwV]) (\S+)$/.exec(line)?.slice(1) ?? [],
  );

describe.skipIf(!existsSync(addon))('the addon', () => {
  test('needs no library but that of C', () => {
    const needed = lines('readelf', '-d').flatMap(
      (line) => /NEEDED.*\[(.*)\]/.exec(line)?.[1] ?? [],
    );
    expect(needed).toEqual(['libc.so.6']);
  });

  test('asks for nothing that came after glibc 2.34', () => {
    const versions = undefinedSymbols().flatMap((name) => /@GLIBC_2\.(\d+)/.exec(name)?.[1] ?? []);
    expect(versions.length).toBeGreaterThan(50);
    expect(Math.max(...versions.map(Number))).toBeLessThanOrEqual(34);
  });

  test('gives no name but the two that Node looks for', () => {
    const names = lines('nm', '-D', '--defined-only').flatMap(
      (line) => / T (\S+)$/.exec(line)?.[1] ?? [],
    );
    expect(names).toEqual(['napi_register_module_v1', 'node_api_module_get_api_version_v1']);
  });

  test.skipIf(!hasMusl)(
    'is loaded by the loader of musl, which finds every name of its own C library',
    () => {
      const directory = mkdtempSync(join(tmpdir(), 'tdctl-musl-'));
      try {
        const program = join(directory, 'load');
        // What Node gives; the rest is to come from musl.
        const given = undefinedSymbols().filter((name) => /^(napi_|node_api_|uv_)/.test(name));
        const source = `
        #include <dlfcn.h>
        #include <stdio.h>
        ${given.map((name) => `int ${name}(void) { return 0; }`).join('\n')}
        int main(int count, char **args) {
          void *addon = dlopen(args[count - 1], RTLD_NOW);
          if (!addon) { puts(dlerror()); return 1; }
          int (*version)(void) = dlsym(addon, "node_api_module_get_api_version_v1");
          printf("Node-API %d\\n", version());
          return 0;
        }`;
        execFileSync('musl-gcc', ['-x', 'c', '-w', '-rdynamic', '-o', program, '-'], {
          input: source,
        });
        const { stdout } = spawnSync(musl ?? '', [program, addon], { encoding: 'utf8' });
        expect(stdout).toBe('Node-API 9\n');
      } finally {
        rmSync(directory, { recursive: true });
      }
    },
  );
});
