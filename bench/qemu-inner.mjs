// @ts-check
/** Under exec: a TD of QEMU is made by a keeper and by QEMU alone, in turn, and the times are printed as JSON. */
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { journalOf } from './qemu.mjs';

const [, , bundle = '', spec = '', builtin = '', rounds = '1'] = process.argv;
const td = `${process.env.TDCTL_STATE_DIR}/td/web`;
/** @param {readonly string[]} args */
const tdctl = (...args) => execFileSync(process.execPath, [bundle, ...args], { stdio: 'ignore' });

/** @type {number[]} */
const kept = [];
/** @type {number[]} */
const alone = [];
for (let round = 0; round < Number(rounds); round += 1) {
  tdctl('create', spec, '--host', 'kvm');
  const { td: record } = JSON.parse(readFileSync(`${td}/status.json`, 'utf8'));
  const command = readFileSync(`/proc/${record.vmm.pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  kept.push(
    journalOf(`${td}/journal`)
      .filter(({ told }) => told?.event === 'step.ended')
      .reduce((sum, { told }) => sum + told.durationMs, 0),
  );
  tdctl('stop', 'web', '--wait');
  alone.push(await startAlone(command));
}
tdctl('create', spec, '--host', 'kvm');
tdctl('create', builtin, '--host', 'kvm', '--name', 'builtin');
const pssMb = { qemu: pssOf('web'), builtin: pssOf('builtin') };
tdctl('stop', '--all', '--wait');
process.stdout.write(`${JSON.stringify({ kept, alone, pssMb })}\n`);

/** @param {string} name */
function pssOf(name) {
  const status = `${process.env.TDCTL_STATE_DIR}/td/${name}/status.json`;
  const { keeper } = JSON.parse(readFileSync(status, 'utf8'));
  const rollup = readFileSync(`/proc/${keeper.pid}/smaps_rollup`, 'utf8');
  return (Number(/^Pss: +(\d+)/m.exec(rollup)?.[1]) * 1024) / 1e6;
}

/**
 * The same command, as a person starts it: QEMU makes the TD at once, and its first answer says that it has.
 * @param {readonly string[]} command
 */
async function startAlone([program = '', ...words]) {
  const monitor = `${process.env.TDCTL_STATE_DIR}/alone`;
  rmSync(monitor, { force: true });
  const firmware = /^ *firmware: (.*)$/m.exec(readFileSync(spec, 'utf8'))?.[1] ?? '';
  const args = words
    .filter((word) => word !== '-preconfig')
    .map((word) => (word === '/proc/self/fd/3' ? firmware : word))
    .map((word) => word.replace(/unix:[^,]*/, `unix:${monitor}`))
    .map((word) => word.replace(/,logfile=.*/, ''));
  const at = args.indexOf('-add-fd');
  if (at !== -1) args.splice(at, 2);
  const begun = performance.now();
  // The socket of its serial port has a name without a directory.
  const child = spawn(program, args, { cwd: process.env.TDCTL_STATE_DIR, stdio: 'ignore' });
  const ended = new Promise((resolve) => child.on('exit', resolve));
  await firstAnswer(monitor);
  const ms = performance.now() - begun;
  child.kill('SIGKILL');
  await ended;
  return ms;
}

/** @param {string} path */
async function firstAnswer(path) {
  for (;;) {
    const socket = connect(path);
    const isThere = await new Promise((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    if (!isThere) {
      await delay(2);
      continue;
    }
    socket.write('{"execute":"qmp_capabilities"}\n');
    for await (const bytes of socket) if (String(bytes).includes('"return"')) return;
  }
}
