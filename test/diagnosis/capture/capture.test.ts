import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { captureOf, parseCapture } from '../../../src/diagnosis/capture/index.ts';
import { diagnose, foundInLog, readFacts } from '../../../src/diagnosis/doctor/index.ts';
import { fixtureNames, hostTree } from '../doctor/host-tree.ts';

async function capture(fixture: string, files: Readonly<Record<string, string>> = {}) {
  const directory = hostTree(fixture);
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(directory, path)), { recursive: true });
      writeFileSync(join(directory, path), text);
    }
    const facts = await readFacts(directory);
    return { facts, text: JSON.stringify(captureOf(facts, { tdctl: '0.0.0-test' })) };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

describe('a capture stands for its host', () => {
  test.each(fixtureNames)('%s: every check answers the same from it', async (fixture) => {
    const { facts, text } = await capture(fixture);
    const loaded = parseCapture(text, 'test');
    const answers = async (from: typeof facts) =>
      diagnose(from, await foundInLog(from)).checks.map(({ id, status }) => `${id} ${status}`);
    expect(await answers(loaded.facts)).toEqual(await answers(facts));
  });
});

test('secrets, serial numbers and names of tenants are left out', async () => {
  const { text } = await capture('healthy', {
    'proc/cmdline':
      'BOOT_IMAGE=/vmlinuz root=UUID=4b1d-cafe nohibernate kvm_intel.tdx=1 rd.luks.key=hunter2 ip=203.0.113.7 -- --token=tdx-hunter3',
    'dmesg.txt':
      'Nov 21 10:00:00 secret-host kernel: Linux version 7.3\nNov 21 10:00:01 secret-host kernel: virt/tdx: module initialized\nKernel command line: tdx password=hunter2\nusb 1-1: SerialNumber: SN-4711\n',
    'sys/class/dmi/id/product_serial': 'SN-4711',
    'sys/class/dmi/id/product_uuid': '4c4c4544-0042',
    'etc/machine-id': 'deadbeefdeadbeef',
    'etc/hostname': 'secret-host',
    'sys/fs/cgroup/customer-acme.slice/misc.current': 'tdx 1\n',
    'sys/fs/cgroup/customer-acme.slice/cgroup.procs': '4999\n',
    'proc/self/cgroup': '0::/customer-acme.slice\n',
    'sys/fs/cgroup/customer-acme.slice/misc.max': 'tdx 5\n',
    'boot/config-7.3.4-amd64':
      'CONFIG_INTEL_TDX_HOST=y\nCONFIG_KVM_INTEL_TDX=y\nCONFIG_DEFAULT_HOSTNAME="secret-host"\n',
  });
  const planted = [
    'hunter2',
    'hunter3',
    '203.0.113.7',
    'cafe',
    'SN-4711',
    '4c4c4544',
    'deadbeef',
    'secret-host',
    'acme',
    '4999',
  ];
  expect(planted.filter((secret) => text.includes(secret))).toEqual([]);
  expect(text).toContain('nohibernate');
});

describe('what is no capture is refused, and says why', () => {
  test.each([
    ['an empty file', '', /not JSON/],
    ['binary junk', '\u0000\u001f\ufffd', /not JSON/],
    ['half a capture', '{"kind": "tdctl.HostCapture", "schemaVer', /not JSON/],
    ['other JSON', '[1, 2]', /no capture/],
    ['null', 'null', /no capture/],
    ['another kind', '{"kind":"Pod","schemaVersion":1,"tdctl":"1"}', /no capture/],
    ['no facts', '{"kind":"tdctl.HostCapture","schemaVersion":1,"tdctl":"1"}', /damaged/],
    [
      'a newer schema version',
      '{"kind":"tdctl.HostCapture","schemaVersion":2,"tdctl":"9.1.0","facts":{"new":true}}',
      /schema version 2 \(written by tdctl 9\.1\.0\); this tdctl reads up to 1/,
    ],
  ])('%s', (_, text, message) => {
    expect(() => parseCapture(text, 'f.json')).toThrow(
      expect.objectContaining({
        code: 'TDCTL_E_SPEC_INVALID',
        place: 'f.json',
        message: expect.stringMatching(message),
      }),
    );
  });

  property.prop([fc.json({ maxDepth: 6 })])('any JSON is refused without a crash', (text) => {
    expect(() => parseCapture(text, 'f.json')).toThrow(
      expect.objectContaining({ code: 'TDCTL_E_SPEC_INVALID' }),
    );
  });
});
