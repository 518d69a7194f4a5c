#!/usr/bin/env node
// @ts-check
/**
 * A kernel of Debian, booted to its shell by tdctl's loader and addon: `node scripts/boot-linux.mjs`.
 *
 *   --suite NAME   of Debian (bookworm)
 *   --emulated     on a machine that QEMU emulates with all its CPU's virtualisation, where this machine's
 *                  /dev/kvm cannot run a kernel at its speed, as one that is nested by software cannot
 *   --pvh          by the ELF image in the bzImage, and so by PVH
 *
 * Fetches what it needs into build/boot-linux. Exits with 0 where the guest answered and powered off.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { vmlinuxOf } from './boot-linux/vmlinux.mjs';

const root = resolve(import.meta.dirname, '..');
const { values: options } = parseArgs({
  options: {
    suite: { type: 'string', default: 'bookworm' },
    emulated: { type: 'boolean', default: false },
    pvh: { type: 'boolean', default: false },
  },
});
const folder = join(root, 'build/boot-linux');
mkdirSync(folder, { recursive: true });
/** The suite whose kernel runs KVM, where the machine is emulated. */
const outerSuite = 'bookworm';
const { bzImage, busybox } = debianOf(options.suite);
const kernel = options.pvh ? join(folder, 'vmlinux') : bzImage;
if (options.pvh) writeFileSync(kernel, vmlinuxOf(readFileSync(bzImage)));

const mounts = ['proc /proc', 'sysfs /sys', 'devtmpfs /dev'].map(
  (each) => `mount -t ${each.split(' ')[0]} none ${each.split(' ')[1]}`,
);

const initrd = archive('inside', [
  ...mounts,
  "export PS1='inside# '",
  'exec setsid sh -c "exec sh -i </dev/ttyS0 >/dev/ttyS0 2>&1"',
]);
if (!options.emulated) {
  process.exitCode = run(process.execPath, ['scripts/boot-linux/inside.mjs', kernel, initrd]);
} else {
  run('bash', ['test/exec/qemu/unpack.sh', join(folder, 'qemu'), 'bookworm']);
  process.exitCode = await emulate();
}

/** The script runs in a machine that has nothing but Node, this package and the kernel's KVM. */
async function emulate() {
  const outside = debianOf(outerSuite);
  const wanted = ['virt/lib/irqbypass', 'arch/x86/kvm/kvm', 'arch/x86/kvm/kvm-amd'];
  const outer = archive(
    'outside',
    [
      ...mounts,
      ...wanted.map((name) => `for file in /modules/${name}.ko*; do insmod $file; done`),
      `node /tdctl/scripts/boot-linux/inside.mjs /kernel /initrd && echo "== all well"`,
      'poweroff -f',
    ],
    (directory) => {
      for (const name of wanted) {
        const at = join(outside.modules, dirname(name));
        const file = readdirSync(at).find((each) =>
          each.startsWith(`${name.split('/').at(-1)}.ko`),
        );
        cpSync(join(at, String(file)), join(directory, 'modules', dirname(name), String(file)));
      }
      for (const name of [
        'build/modules',
        'build/Release/tdctl.node',
        'scripts/boot-linux',
        'package.json',
      ]) {
        cpSync(join(root, name), join(directory, 'tdctl', name), { recursive: true });
      }
      cpSync(kernel, join(directory, 'kernel'));
      cpSync(initrd, join(directory, 'initrd'));
      copyWithLibraries(process.execPath, join(directory, 'bin/node'), directory);
    },
  );
  const qemu = [
    ...['-machine', 'q35', '-accel', 'tcg,thread=multi', '-cpu', 'max', '-smp', '2', '-m', '3G'],
    ...['-kernel', outside.bzImage, '-initrd', outer, '-append', 'console=ttyS0 quiet panic=-1'],
    ...['-nographic', '-no-reboot', '-nic', 'none', '-serial', 'mon:stdio'],
  ];
  const child = spawn(join(folder, 'qemu/qemu-system-x86_64'), qemu, {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 900_000,
    // Where it looks for its emulator of CPUs is a place of the system.
    env: {
      ...process.env,
      QEMU_MODULE_DIR: join(folder, 'qemu/root/usr/lib/x86_64-linux-gnu/qemu'),
    },
  });
  let said = '';
  child.stdout.setEncoding('latin1').on('data', (text) => {
    said += text;
    process.stdout.write(text);
  });
  await once(child, 'close');
  return said.includes('== all well') ? 0 : 1;
}

/** @param {string} suite */
function debianOf(suite) {
  const directory = join(folder, suite);
  run('bash', ['scripts/boot-linux/unpack.sh', directory, suite]);
  const [name] = readdirSync(join(directory, 'boot')).filter((each) => each.startsWith('vmlinuz-'));
  if (name === undefined) throw new Error(`no kernel in ${directory}`);
  const has = (/** @type {string[]} */ ...paths) =>
    paths.map((path) => join(directory, path)).find((path) => existsSync(path)) ?? '';
  const modules = `lib/modules/${name.slice('vmlinuz-'.length)}/kernel`;
  return {
    bzImage: join(directory, 'boot', name),
    busybox: has('bin/busybox', 'usr/bin/busybox'),
    modules: has(modules, `usr/${modules}`),
  };
}

/**
 * An archive of cpio with busybox, an init, and what `fill` puts there.
 *
 * @param {string} name
 * @param {readonly string[]} init
 * @param {(directory: string) => void} [fill]
 */
function archive(name, init, fill) {
  const directory = join(folder, name);
  rmSync(directory, { recursive: true, force: true });
  for (const each of ['bin', 'proc', 'sys', 'dev', 'tmp'])
    mkdirSync(join(directory, each), { recursive: true });
  cpSync(busybox, join(directory, 'bin/busybox'));
  const applets = spawnSync(busybox, ['--list'], { encoding: 'utf8' }).stdout.split('\n');
  for (const applet of applets) {
    if (applet !== '' && applet !== 'busybox')
      symlinkSync('busybox', join(directory, 'bin', applet));
  }
  writeFileSync(join(directory, 'init'), `#!/bin/sh\nexport PATH=/bin\n${init.join('\n')}\n`);
  chmodSync(join(directory, 'init'), 0o755);
  fill?.(directory);
  const file = join(folder, `${name}.cpio`);
  const packed = spawnSync(
    'sh',
    ['-c', 'cd "$1" && find . | "$2" cpio -o -H newc >"$3"', 'sh', directory, busybox, file],
    { stdio: ['ignore', 'inherit', 'ignore'] },
  );
  if (packed.status !== 0) throw new Error(`${file} cannot be made`);
  return file;
}

/** @param {string} program @param {string} to @param {string} directory */
function copyWithLibraries(program, to, directory) {
  cpSync(program, to, { dereference: true });
  const { stdout } = spawnSync('ldd', [program], { encoding: 'utf8' });
  for (const [path] of stdout.matchAll(/\/\S+\.so\S*/g)) {
    cpSync(path, join(directory, path), { dereference: true });
  }
}

/** @param {string} command @param {readonly string[]} args */
function run(command, args) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) throw new Error(`${command} ${args[0]} ended with ${status}`);
  return 0;
}
