/** The kernel log is read from /dev/kmsg where permitted, else from the copies of distributions. */

import { closeSync, constants, openSync, readSync } from 'node:fs';
import { errnoOf } from '../../../errors/errno.ts';
import type { KernelLogFacts } from '../facts.ts';
import type { HostFiles } from '../host-files.ts';
import { parsed, type Reading, read } from '../reading.ts';

const ofTdx = /tdx|seam|hkid|\btme\b|mktme|kvm_intel|\bkvm: .*(?:bios|vmx|disabled|support)/i;
/** No check asks for it, and a capture does. */
const ofTsc = /tsc: (?:Detected|Refined)/i;
/** Command lines are not kept, because they may hold secrets. */
const dropped = /command line:/i;
const maxLines = 400;
const maxLineLength = 240;

/**
 * The ring buffer of a long-running host has lost the lines of its boot, where TDX comes up: then
 * the copy that distributions keep of them goes in front.
 */
export function readKernelLog(files: HostFiles): Reading<KernelLogFacts> {
  const recent = files.isLive ? readKmsg() : readCopy(files, '/dmesg.txt');
  if (recent.state === 'read' && recent.value.fromBoot) return recent;
  const boot = readCopy(files, '/var/log/dmesg');
  if (boot.state !== 'read') return recent;
  if (recent.state !== 'read') return boot;
  const lines = [...boot.value.lines, ...recent.value.lines];
  return read(`${boot.from} and ${recent.from}`, { lines, fromBoot: boot.value.fromBoot });
}

function readCopy(files: HostFiles, path: string): Reading<KernelLogFacts> {
  const copy = parsed(files.text(path), logFacts);
  // A captured tree has the file beside the root's own directories.
  return { ...copy, from: path.replace(/^\/dmesg/, 'dmesg') };
}

export function logFacts(text: string): KernelLogFacts | undefined {
  const lines = text.split('\n');
  const facts = { lines: relevant(lines), fromBoot: lines.some(isFirstLine) };
  return facts.fromBoot || facts.lines.length > 0 ? facts : undefined;
}

/** Records are `priority,sequence,time,flags;text`, continued by lines that begin with a blank. */
function readKmsg(): Reading<KernelLogFacts> {
  const from = '/dev/kmsg';
  const lines: string[] = [];
  let fd: number | undefined;
  try {
    fd = openSync(from, constants.O_RDONLY | constants.O_NONBLOCK);
    const record = Buffer.alloc(8192);
    // Each read gives one record. EAGAIN comes at the end, EPIPE for records lost meanwhile.
    for (let tries = 0; tries < 1_000_000; tries += 1) {
      try {
        const length = readSync(fd, record, 0, record.length, null);
        lines.push(
          record.toString('utf8', record.indexOf(';') + 1, length).split('\n', 1)[0] ?? '',
        );
      } catch (error) {
        if (errnoOf(error) !== 'EPIPE') break;
      }
    }
    if (lines.length === 0) return { state: 'denied', from };
    return read(from, { lines: relevant(lines), fromBoot: lines.some(isFirstLine) });
  } catch (error) {
    return { state: errnoOf(error) === 'ENOENT' ? 'absent' : 'denied', from };
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** Whether a line of the facts may tell a check something: any kernel says how quick its TSC is. */
export function tellsOfTdx(line: string): boolean {
  return ofTdx.test(line);
}

function relevant(lines: readonly string[]): readonly string[] {
  const matching = lines
    .filter((line) => (tellsOfTdx(line) || ofTsc.test(line)) && !dropped.test(line))
    .map((line) => withoutPrefix(line.slice(0, 4096)).slice(0, maxLineLength))
    .filter((line, index, all) => line !== all[index - 1]);
  // The first lines hold the bring-up, the last ones what went wrong since.
  if (matching.length <= maxLines) return matching;
  return [...matching.slice(0, maxLines / 2), ...matching.slice(-maxLines / 2)];
}

/** Takes `text` from `[ 9.36] text`, `Nov 21 10:00:00 host kernel: text`, `<6>[ 9.36] text`. */
function withoutPrefix(line: string): string {
  return line
    .replace(/^.*?\bkernel: /, '')
    .replace(/^(<\d+>)?\s*(\[[^\]]*\]\s*)*/, '')
    .trim();
}

const isFirstLine = (line: string) => /\bLinux version \d/.test(line);
