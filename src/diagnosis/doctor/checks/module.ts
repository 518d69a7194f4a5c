import { moduleReleases } from '../../../abi/tdx/module-releases.ts';
import { type CheckInput, fail, inGroup, pass, readLogFix, unknown, warn } from '../check.ts';
import { isBeforeTdx, kernelVersion, moduleRuns, quoteLine } from '../evidence.ts';
import { knownValue, whyNotRead } from '../reading.ts';

const SYS_RD = 0x22;
/** TDX_SYS_NOT_READY: a 1.0 module gives its metadata once it runs, too late for the kernel. */
const SYS_NOT_READY = 0xc000_0505n;

export const moduleChecks = inGroup('TDX module', [
  {
    id: 'memory.reserved-areas',
    title: "The kernel could describe the host's memory to the module",
    needs: ['cpu.tdx-host-platform'],
    reads: '"reserved areas exhausted" in the kernel log',
    evaluate(input) {
      const { found, log } = input;
      if (moduleRuns(input)) return pass('the TDX module runs with it');
      if (found.reservedAreas) {
        return fail(
          `${quoteLine(found.reservedAreas)}; it has nothing to do with key slots`,
          'boot Linux 6.14 or later, which needs fewer reserved areas, or update the BIOS',
        );
      }
      if (log.state !== 'read') return unknown(whyNotRead(log), readLogFix);
      return pass('no complaint in the kernel log');
    },
  },
  {
    id: 'module.version',
    title: 'The TDX module is recent enough',
    needs: ['bios.seam', 'cpu.tdx-host-platform'],
    reads: '/sys/devices/faux/tdx_host/version; the kernel log',
    evaluate({ tdxHost, found, log }) {
      const fix =
        'update the BIOS, or put a newer TDX-SEAM.so into \\EFI\\TDX of the EFI system partition';
      const version = knownValue(tdxHost.version) ?? found.moduleVersion?.version;
      const from = tdxHost.version.state === 'read' ? tdxHost.version.from : 'kernel log';
      const unreadable = found.seamcallFailures.find(
        ({ leaf, status }) => leaf === SYS_RD && status >> 32n === SYS_NOT_READY,
      );
      if (version !== undefined && isBefore15(version)) {
        return fail(`release ${version} (${from}), expected 1.5 or later`, fix);
      }
      if (unreadable !== undefined && !found.initialized) {
        return fail(
          `the module cannot tell its limits, so it is older than 1.5: ${quoteLine(unreadable.line)}`,
          fix,
        );
      }
      if (version !== undefined) return pass(`release ${version} (${from})`);
      return unknown(
        log.state === 'read' ? 'neither sysfs nor the kernel log names it' : whyNotRead(log),
        log.state === 'read' ? undefined : readLogFix,
      );
    },
  },
  {
    id: 'module.initialized',
    title: 'The TDX module is initialised',
    needs: ['kernel.kvm-intel-tdx', 'bios.release', 'memory.reserved-areas', 'module.version'],
    reads: '"module initialized" in the kernel log; /sys/devices/faux/tdx_host',
    evaluate(input) {
      const running = moduleRuns(input);
      if (running !== undefined) return pass(running);
      const { found, log } = input;
      const failure = found.seamcallFailures.at(-1)?.line ?? found.initializationFailed;
      // The vCPU limit is found after the module is up, and has a check of its own.
      if (found.vcpuLimit) return pass('KVM read its limits, so it is');
      if (failure !== undefined) {
        return fail(
          quoteLine(failure),
          '`sudo dmesg | tdctl explain` says what each line of it means',
        );
      }
      if (log.state !== 'read') return unknown(whyNotRead(log), readLogFix);
      if (!log.value.fromBoot) return unknown(`${log.from} begins after the boot`, readLogFix);
      return fail(
        `${log.from} has no "module initialized", and no word why`,
        'load kvm_intel with tdx=1 again and read what the kernel says: `sudo dmesg | grep -i tdx`',
      );
    },
  },
  {
    id: 'module.updates',
    title: 'The TDX module can be updated without a reboot',
    needs: ['module.initialized'],
    reads: '/sys/devices/faux/tdx_host/num_remaining_updates (root only)',
    evaluate({ tdxHost }) {
      const left = tdxHost.remainingUpdates;
      if (left.state !== 'read') return unknown(whyNotRead(left));
      if (left.value > 0) return pass(`${left.value} updates left until the next reboot`);
      return warn(`${left.from} is 0`, 'reboot before the next update of the module');
    },
  },
  {
    id: 'limits.module-vs-cpus',
    title: 'The module takes as many vCPUs as the host has CPUs',
    needs: ['module.initialized'],
    reads: '"MAX_VCPU_PER_TD" in the kernel log; the module release; CPUs present',
    evaluate: moduleVersusCpus,
  },
  {
    id: 'kernel.tdx-abi',
    title: "The kernel speaks the released TDX ABI, not an earlier series'",
    needs: ['module.initialized'],
    reads: '/proc/sys/kernel/osrelease',
    evaluate(input) {
      const version = kernelVersion(input);
      const release = knownValue(input.kernel.release);
      if (version === undefined) return unknown(whyNotRead(input.kernel.release));
      if (!isBeforeTdx(version)) return pass(`Linux ${release}`);
      return fail(
        `Linux ${release} runs TDX by patches of before 6.16: QEMU 10.1, tdctl and others get EINVAL from KVM_TDX_CAPABILITIES`,
        'boot Linux 6.16 or later, or use the QEMU that the vendor ships with this kernel',
      );
    },
  },
]);

const isBefore15 = (version: string) => {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major < 1 || (major === 1 && minor < 5);
};

function moduleVersusCpus({ found, tdxHost, topology }: CheckInput) {
  const fix =
    'use a TDX module of a release with a higher limit (2.0: 1376), or boot with fewer CPUs (maxcpus= does not count: turn them off in the BIOS)';
  if (found.vcpuLimit) return fail(quoteLine(found.vcpuLimit.line), fix);
  const present = knownValue(topology.presentCpus);
  if (present === undefined) return unknown(whyNotRead(topology.presentCpus));
  const version = knownValue(tdxHost.version) ?? found.moduleVersion?.version;
  const limit = version === undefined ? undefined : maxVcpusOf(version);
  if (version === undefined || limit === undefined) {
    return pass(`${present} CPUs, and KVM did not refuse them`);
  }
  if (limit >= present)
    return pass(`${limit} per TD (release ${version}), ${present} CPUs present`);
  return fail(
    `release ${version} takes ${limit} vCPUs per TD, fewer than the ${present} CPUs present: KVM turns TDX off`,
    fix,
  );
}

/** The limit is a constant of the build, so the nearest release that was read tells it. */
function maxVcpusOf(version: string): number | undefined {
  const [major, minor] = version.split('.');
  const sameLine = Object.entries(moduleReleases).filter(([name]) =>
    name.startsWith(`${major}.${minor}.`),
  );
  const limits = new Set(sameLine.map(([, { maxVcpusPerTd }]) => maxVcpusPerTd));
  limits.delete(undefined);
  return limits.size === 1 ? [...limits][0] : undefined;
}
