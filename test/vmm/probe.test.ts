import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TdctlError } from '../../src/errors/index.ts';
import { parseTrustDomain } from '../../src/spec/index.ts';
import { type ProbeOptions, probeMemory, probeVmm } from '../../src/vmm/probe/index.ts';
import { digestOf } from '../../src/vmm/probe/memory.ts';
import { noQemu, qemu } from '../exec/qemu/qemu.ts';
import { specText } from '../spec/valid-spec.ts';
import { hasEnded } from '../support/processes.ts';
import { startTdctl } from '../support/tdctl.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'tdctl-probe-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

const shortly = () => new Promise((resolve) => setTimeout(resolve, 20));

let scripts = 0;
function script(body: string, mode = 0o755): string {
  scripts += 1;
  const path = join(directory, `qemu-${scripts}`);
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, mode);
  return path;
}

const speaking = (version: string, properties: string) =>
  script(`echo '{"QMP": {"version": {"qemu": {${version}}}}}'
read line; echo '{"return": {}}'
read line; echo '${properties}'
read line`);

const specOf = (binary: string) =>
  parseTrustDomain(specText({ engine: 'qemu', qemu: `{ binary: ${JSON.stringify(binary)} }` }), {
    path: 'td.yaml',
  });

async function refusal(binary: string, options: Partial<ProbeOptions> = {}): Promise<TdctlError> {
  const error = await probeVmm(specOf(binary), { env: process.env, ...options }).catch((e) => e);
  expect(error).toBeInstanceOf(TdctlError);
  return error;
}

const bounds = { deadlineMs: 60_000, mostBytes: 1 << 20 };

describe('a QEMU that cannot run TDs ends with exit code 8, the place of the field and the reason', () => {
  const cases: readonly [string, () => string, RegExp, Partial<ProbeOptions>?][] = [
    ['not in PATH', () => 'qemu-none-such', /no directory of PATH has qemu-none-such/],
    ['not there', () => join(directory, 'absent'), /there is no .*absent/],
    ['a directory', () => directory, /is no file/],
    ['not executable', () => script('', 0o644), /cannot be executed by this user/],
    ['ends at once', () => script('echo broken >&2; exit 3'), /it ended with 3 before it answered/],
    ['is killed', () => script('kill -9 $$'), /it ended by SIGKILL before it answered/],
    [
      'never answers',
      () => script('sleep 600'),
      /it did not answer within 0.2 s/,
      { bounds: { ...bounds, deadlineMs: 200 } },
    ],
    ['floods stdout', () => script('yes'), /does not speak QMP/],
    [
      'floods stdout without a line',
      () => script("yes | tr -d '\\n'"),
      /more than 1024 KiB, and no answer/,
    ],
    ['floods stderr', () => script('yes >&2'), /more than 1024 KiB, and no answer/],
    ['speaks something else', () => script('echo hello; read line'), /does not speak QMP/],
    [
      'greets oddly',
      () =>
        script(
          `echo '{"QMP": 1}'; read a; echo '{"return":{}}'; read a; echo '{"return":[]}'; read a`,
        ),
      /it greets as no QEMU does/,
    ],
    [
      'is too old',
      () => speaking('"major": 10, "minor": 0, "micro": 5', '{"error": {}}'),
      /QEMU 10.0.5; TDs need 10.1 or later/,
    ],
    [
      'has no TDX',
      () => speaking('"major": 11, "minor": 1, "micro": 3', '{"error": {}}'),
      /was built without TDX/,
    ],
  ];
  test.each(cases)('%s', async (_, binary, reason, options) => {
    const error = await refusal(binary(), options);
    expect(error.message).toMatch(reason);
    expect(error).toMatchObject({ exitCode: 8, place: 'td.yaml:9:19' });
    expect(error.hint).toContain('QEMU');
  });

  test('and goes when tdctl is interrupted', async () => {
    const pidFile = join(directory, 'pid');
    const silent = script(`echo $$ >${pidFile}; exec sleep 600`);
    const path = join(directory, 'td.yaml');
    writeFileSync(path, specText({ engine: 'qemu', qemu: `{ binary: ${silent} }` }));
    const running = startTdctl(['plan', path, '--host', 'sim']);
    while (!existsSync(pidFile) || readFileSync(pidFile, 'utf8') === '') await shortly();
    running.child.kill('SIGINT');
    await running.ended;
    const pid = Number(readFileSync(pidFile, 'utf8'));
    while (!hasEnded(pid)) await shortly();
  });

  test('with the last it wrote', async () => {
    const { details } = await refusal(script('echo broken >&2; exit 3'));
    expect(details).toContain('it said: broken');
  });
});

describe('a QEMU that can', () => {
  test('is asked for its version and for what its TDs take', async (context) => {
    if (qemu === undefined) return context.skip(noQemu);
    const program = await probeVmm(specOf(qemu.program), { env: process.env });
    expect(program.version).toBe(qemu.version);
    expect(program.tdOptions).toEqual(
      expect.arrayContaining(['attributes', 'mrconfigid', 'quote-generation-socket']),
    );
    return undefined;
  });

  test('is found by its name in PATH', async () => {
    const path = speaking(
      '"major": 10, "minor": 1, "micro": 0',
      '{"return": [{"name": "attributes"}]}',
    );
    const [name = ''] = path.split('/').slice(-1);
    const found = await probeVmm(specOf(name), {
      env: { PATH: `relative:/none:${directory}:/bin:/usr/bin` },
    });
    expect(found).toMatchObject({ path, version: '10.1.0', tdOptions: ['attributes'] });
  });

  test('is asked once for each binary', async () => {
    // No QEMU at all, so what is known of it can only have been kept.
    const path = '/bin/true';
    const memory = probeMemory(join(directory, 'cache'));
    const { sha256, isStable } = await digestOf(path);
    expect(isStable).toBe(true);
    expect((await refusal(path, { memory })).message).toContain('it ended with 0');
    await memory.keep(sha256, { version: '11.0.0', tdOptions: ['attributes'] });
    await expect(probeVmm(specOf(path), { env: {}, memory })).resolves.toMatchObject({
      version: '11.0.0',
    });
  });

  test('is asked each time where it is a script, which may start another', async () => {
    const path = speaking(
      '"major": 11, "minor": 0, "micro": 0',
      '{"return": [{"name": "attributes"}]}',
    );
    const memory = probeMemory(join(directory, 'cache-of-scripts'));
    await probeVmm(specOf(path), { env: process.env, memory });
    expect(readdirSync(directory)).not.toContain('cache-of-scripts');
  });

  test('is asked again where what was kept is damaged', async () => {
    const memory = probeMemory(join(directory, 'damaged'));
    await memory.keep('0'.repeat(64), { version: '11.0.0', tdOptions: [] });
    expect(memory.read('0'.repeat(64))).toBeDefined();
    writeFileSync(join(directory, 'damaged', `qemu-${'0'.repeat(64)}.json`), '{');
    expect(memory.read('0'.repeat(64))).toBeUndefined();
  });
});
