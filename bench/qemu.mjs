// @ts-check
/** What keeping costs a TD that QEMU runs: both under the same exec, the keeper's way and QEMU's own. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundle, median, root } from './processes.mjs';

const rounds = 7;
const unpacked = join(root, 'test/exec/qemu/unpacked');

/**
 * @typedef {{ name: string, ratio: number, aim: number, detail: string }} RatioRow
 */

/** @returns {Promise<RatioRow[]>} none where there is no QEMU */
export async function bench() {
  if (!existsSync(join(unpacked, 'qemu-system-x86_64'))) return [];
  const directory = mkdtempSync(join(tmpdir(), 'tq-'));
  const spec = join(directory, 'td.yaml');
  writeFileSync(
    spec,
    `apiVersion: tdctl.io/v1alpha1
kind: TrustDomain
metadata: {name: web}
spec:
  engine: qemu
  vcpus: 2
  memory: 512MiB
  firmware: ${join(unpacked, 'OVMF.fd')}
  qemu: {binary: ${join(unpacked, 'qemu-system-x86_64')}}
`,
  );
  const env = { ...process.env, TDCTL_STATE_DIR: join(directory, 's'), XDG_CACHE_HOME: directory };
  try {
    const inner = join(root, 'bench/qemu-inner.mjs');
    const builtin = join(root, 'examples/hello.yaml');
    const command = [process.execPath, inner, bundle, spec, builtin, String(rounds)];
    const told = execFileSync(process.execPath, [bundle, 'exec', '-q', '--', ...command], {
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const { kept, alone, pssMb } = JSON.parse(told.trim().split('\n').at(-1) ?? '');
    const [ours, theirs] = [median(kept), median(alone)];
    return [
      {
        name: 'a TD of QEMU from its first step to runnable, kept against QEMU alone, under exec',
        ratio: ours / theirs,
        aim: 1.15,
        detail: `${ours.toFixed(0)} ms / ${theirs.toFixed(0)} ms, medians of ${rounds}`,
      },
      {
        name: 'the keeper of a TD of QEMU against one of the builtin engine (PSS)',
        ratio: pssMb.qemu / pssMb.builtin,
        aim: 1,
        detail: `${pssMb.qemu.toFixed(1)} MB / ${pssMb.builtin.toFixed(1)} MB, both on kvm under exec at the same time`,
      },
    ];
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** @param {string} file */
export const journalOf = (file) =>
  readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line.slice(line.indexOf('{'))));
