/**
 * The program under supervision: tdctl as it was built, module by module, one command after another in one process, as each
 * line on the socket asks. That it does not end between the commands is what shows a file left open.
 *
 *     node inner.mjs MODULES SOCKET
 */
import { readdirSync, readlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';

const [, , modules = '', path = ''] = process.argv;
const { runCli } = await import(`${modules}/src/cli/program.js`);
const { Losses } = await import(`${modules}/src/cli/output/losses.js`);
const { NamedFiles } = await import(`${modules}/src/files/named-files.js`);

const socket = connect(path);
for await (const line of createInterface({ input: socket })) {
  const written = { stdout: '', stderr: '' };
  /** @param {'stdout' | 'stderr'} stream */
  const sink = (stream) => ({
    /** @param {string} text */
    write: (text) => {
      written[stream] += text;
    },
  });
  const exitCode = await runCli(JSON.parse(line), {
    stdout: sink('stdout'),
    stderr: sink('stderr'),
    env: {},
    colors: { stdout: false, stderr: false },
    stderrIsTty: false,
    files: new NamedFiles(),
    losses: new Losses(),
    settled: async () => undefined,
  });
  socket.write(`${JSON.stringify({ exitCode, ...written, files: openFiles() })}\n`);
}

/** What the fds of this process lead to, of KVM and of the file system. */
function openFiles() {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`);
      return /kvm|guest_memfd|^\/(?!dev\/|proc\/)/.test(target) ? [target] : [];
    } catch {
      // The fd of the directory itself.
      return [];
    }
  });
}
