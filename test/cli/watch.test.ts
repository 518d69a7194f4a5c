import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { startTdctl, tdctl } from '../support/tdctl.ts';

const hello = 'examples/hello.yaml';
const golden = join(import.meta.dirname, '../golden/watch');
const v2 = ['--kernel', 'rfc-migration-v2'];
const unpaced = ['--tree', '--speed', 'max'];

const watch = (...args: readonly string[]) => tdctl(['watch', hello, ...v2, ...args]);

/** Enough of a viewer to know that it is served. */
async function addressOf(running: ReturnType<typeof startTdctl>): Promise<string> {
  await running.waitForStderr('/\n');
  return /http:\S+/.exec(running.output.stderr)?.[0] ?? '';
}

describe('tdctl watch', () => {
  test('--tree says each state on stderr, and the report of the rehearsal is on stdout', async () => {
    const { stdout, stderr, exitCode } = await watch(...unpaced);
    expect(exitCode).toBe(0);
    await expect(stderr).toMatchFileSnapshot(join(golden, 'states.txt'));
    const rehearsed = await tdctl(['rehearse', hello, ...v2]);
    expect(stdout).toBe(rehearsed.stdout);
  });

  test('ends as the rehearsal does: a lost TD is an error', async () => {
    const fault = ['--fault', 'KVM_ENABLE_CAP#8=source-dies'];
    const watched = await watch(...unpaced, ...fault);
    const rehearsed = await tdctl(['rehearse', hello, ...v2, ...fault]);
    expect(watched.exitCode).toBe(rehearsed.exitCode);
    expect(watched.stdout).toBe(rehearsed.stdout);
  });

  test('serves the page until it is interrupted', async () => {
    const running = startTdctl(['watch', hello, ...v2, '--speed', 'max']);
    const url = await addressOf(running);
    await running.waitForStderr('the page stays');
    expect((await fetch(url)).status).toBe(200);
    running.child.kill('SIGINT');
    const { exitCode, stdout } = await running.ended;
    expect(exitCode).toBe(0);
    expect(stdout).toContain('hello move 1');
    await expect(fetch(url)).rejects.toThrow('fetch failed');
  });

  test('with --until-end it ends with the run', async () => {
    const { exitCode, stderr } = await watch('--speed', 'max', '--until-end');
    expect({ exitCode, lines: stderr.trim().split('\n').length }).toEqual({
      exitCode: 0,
      lines: 1,
    });
  });

  test('interrupted while paused, it lets the run go to its end and leaves nothing', async () => {
    const running = startTdctl(['watch', hello, ...v2, '--paused']);
    await addressOf(running);
    running.child.kill('SIGINT');
    const { exitCode, stdout } = await running.ended;
    expect(exitCode).toBe(130);
    expect(stdout).toContain('✓ stop hello: done');
  });

  test('a port in use is said before anything is played', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    const { exitCode, stdout, stderr } = await watch('--port', String(port));
    other.close();
    expect({ exitCode, stdout }).toEqual({ exitCode: 4, stdout: '' });
    expect(stderr).toContain(`127.0.0.1:${port}`);
    expect(stderr).toContain('it is in use');
    expect(stderr).toContain('--port 0');
  });

  test.each([
    [['--speed', '0'], 2, '0.1 to 1000'],
    [['--speed', 'fast'], 2, '`fast` is no number'],
    [['--port', '65536'], 2, '--port 65536'],
    [['--port', '1', '--socket', 'x'], 2, 'cannot be used with'],
    [['--paused', '--tree'], 2, '--port 0'],
    [['--fault', 'KVM_RUNN=EINTR'], 2, 'KVM_RUNN'],
    [['--host', 'kvm', '--fault', 'KVM_CREATE_VM=ENOMEM'], 2, 'is real'],
  ])('%j ends with %i and says why', async (args, code, words) => {
    const { exitCode, stderr } = await watch(...args);
    expect({ exitCode, stderr }).toEqual({
      exitCode: code,
      stderr: expect.stringContaining(words),
    });
  });

  test('a file that is not there is said, and nothing is served', async () => {
    const { exitCode, stderr } = await tdctl(['watch', 'no-such.yaml']);
    expect(exitCode).toBe(3);
    expect(stderr).not.toContain('http:');
  });
});

describe('connections that say nothing', () => {
  const descriptors = 256;

  /** Each is connected, or has been hung up on. */
  async function idle(url: string, count: number): Promise<Socket[]> {
    const { hostname, port } = new URL(url);
    return await Promise.all(
      Array.from({ length: count }, async () => {
        const socket = connect(Number(port), hostname);
        socket.on('error', () => undefined);
        await once(socket, 'connect');
        return socket;
      }),
    );
  }

  test('leave the run its descriptors, and do not keep out a viewer', async () => {
    const running = startTdctl(['watch', hello, ...v2, '--paused', '--until-end'], {
      mostDescriptors: descriptors,
    });
    const url = await addressOf(running);
    const viewer = await fetch(`${url}events`);
    const strangers = await idle(url, 320);
    expect((await fetch(url)).status).toBe(200);
    const held = readdirSync(`/proc/${running.child.pid}/fd`).length;
    expect(held).toBeLessThan(descriptors / 2);
    const body = JSON.stringify({ do: 'speed', stepsPerSecond: null });
    const headers = { 'content-type': 'application/json' };
    const asked = { method: 'POST', headers };
    await fetch(`${url}control`, { ...asked, body });
    await fetch(`${url}control`, { ...asked, body: JSON.stringify({ do: 'resume' }) });
    expect(await viewer.text()).toContain('"kind":"end"');
    const { exitCode } = await running.ended;
    expect(exitCode).toBe(0);
    for (const socket of strangers) socket.destroy();
  });
});
