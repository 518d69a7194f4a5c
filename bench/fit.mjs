// @ts-check
/**
 * `tdctl fit` over 10,000 host files, as a whole process: the time, and the memory against that for
 * 1,000, which has to be about the same. Works on the build output.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const sources = new URL('../build/modules/src/', import.meta.url);
const main = fileURLToPath(new URL('../dist/tdctl.js', import.meta.url));
const hello = fileURLToPath(new URL('../examples/hello.yaml', import.meta.url));
const hosts = { many: 10_000, few: 1_000 };

/** @typedef {{ name: string, value: number, unit: string, aim: number, atLeast: boolean, detail: string }} Row */

/** @returns {Promise<Row[]>} */
export async function bench() {
  const folder = mkdtempSync(join(tmpdir(), 'tdctl-bench-fit-'));
  try {
    const captures = await capturesOfModels();
    writeHosts(join(folder, 'many'), hosts.many, captures);
    writeHosts(join(folder, 'few'), hosts.few, captures);
    const few = run(join(folder, 'few'));
    const many = [run(join(folder, 'many')), run(join(folder, 'many')), run(join(folder, 'many'))];
    const seconds = median(many.map((one) => one.seconds));
    const growth = median(many.map((one) => one.residentMib)) - few.residentMib;
    const size = `${Math.round((captures[0]?.length ?? 0) / 1024)} KiB a file`;
    return [
      {
        name: `tdctl fit over ${hosts.many} captures, a whole process`,
        value: seconds,
        unit: 's',
        aim: 5,
        atLeast: false,
        detail: `${size}, median of ${many.length}; ${hosts.few} take ${few.seconds.toFixed(2)} s`,
      },
      {
        name: `memory for ${hosts.many} captures above that for ${hosts.few}`,
        value: Math.max(0, growth),
        unit: 'MiB',
        aim: 40,
        atLeast: false,
        detail: `the most resident at once; ${few.residentMib.toFixed(0)} MiB for ${hosts.few}`,
      },
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Captures as large as real ones: all CPUID leaves that a host answers. */
async function capturesOfModels() {
  const { openSimulatedHost } = await import(new URL('host/simulated/index.js', sources).href);
  const { readHostOffer } = await import(new URL('host/offer.js', sources).href);
  const texts = [];
  for (const profile of ['spr-1.5', 'gnr-2.0', 'small-client']) {
    const offer = await readHostOffer(openSimulatedHost({ profile }));
    texts.push(JSON.stringify(captureOf(offer), replaceBigInt, 2));
  }
  return texts;
}

/** @param {any} offer */
function captureOf({ facts, capabilities, supportedCpuid, maxVcpus }) {
  /** @param {unknown} value */
  const read = (value) => ({ state: 'read', from: 'bench', value });
  const absent = { state: 'absent', from: 'bench' };
  const { platform, kvm, module } = facts;
  return {
    kind: 'tdctl.HostCapture',
    schemaVersion: 1,
    tdctl: 'bench',
    facts: {
      environment: { container: absent, vendor: absent },
      cpu: absent,
      topology: {
        presentCpus: read(platform.presentCpus),
        onlineCpus: read(platform.onlineCpus),
        packages: read(platform.packages),
        threadsPerCore: read(2),
      },
      msrs: {
        IA32_MKTME_KEYID_PARTITIONING: absent,
        IA32_TME_ACTIVATE: absent,
        IA32_SEAMRR_PHYS_MASK: absent,
      },
      kernel: {
        release: read('7.3.4'),
        commandLine: absent,
        config: absent,
        otherTdxKernels: [],
        powerStates: absent,
        modprobeOptions: [],
        kexecLoaded: absent,
        kvmIntel: absent,
        kvm: absent,
      },
      log: absent,
      tdxHost: {
        version: read(module.release),
        seamldrVersion: absent,
        remainingUpdates: absent,
      },
      keySlots: {
        hierarchy: 'v2',
        capacity: read(63),
        used: read(12),
        holders: [],
        ownLimit: absent,
      },
      memory: read({ totalKib: 2 ** 29, availableKib: 2 ** 28 }),
      kvm: {
        device: absent,
        open: read('ok'),
        answers: read({
          apiVersion: 12,
          capabilities: {
            KVM_CAP_VM_TYPES: 0x21,
            KVM_CAP_MAX_VCPUS: kvm.maxVcpus,
            KVM_CAP_MAX_VCPU_ID: kvm.maxVcpuIds,
            KVM_CAP_TSC_CONTROL: 1,
          },
          supportedCpuid,
          tdxVm: { maxVcpus, ...capabilities },
        }),
      },
      attestation: { quoteService: absent, registration: absent },
      firmware: absent,
    },
  };
}

/** @param {string} _key @param {unknown} value */
function replaceBigInt(_key, value) {
  return typeof value === 'bigint' ? `0x${value.toString(16)}` : value;
}

/** @param {string} folder @param {number} count @param {readonly string[]} captures */
function writeHosts(folder, count, captures) {
  mkdirSync(folder);
  for (let host = 0; host < count; host++) {
    const name = `node-${String(host).padStart(5, '0')}.json`;
    writeFileSync(join(folder, name), captures[host % captures.length] ?? '');
  }
}

/** @param {string} folder */
function run(folder) {
  const start = performance.now();
  // The process tells what it used itself: the most that was resident, in KiB.
  const script = `process.on('exit', () => process.stderr.write('maxRSS ' + process.resourceUsage().maxRSS)); await import(${JSON.stringify(main)})`;
  const args = ['--input-type=module', '-e', script, '--', main, 'fit', hello, '--hosts', folder];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  const seconds = (performance.now() - start) / 1000;
  const resident = /maxRSS (\d+)/.exec(stderr);
  if (status !== 0 || !resident) throw new Error(`tdctl fit ended with ${status}: ${stderr}`);
  return { seconds, residentMib: Number(resident[1]) / 1024 };
}

/** @param {readonly number[]} values */
function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}
