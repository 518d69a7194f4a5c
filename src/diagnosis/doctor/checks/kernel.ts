import { type CheckInput, fail, inGroup, pass, unknown, warn } from '../check.ts';
import { isBeforeTdx, kernelVersion, moduleRuns, quoteLine, yes } from '../evidence.ts';
import { hasTdx } from '../read/kernel.ts';
import { knownValue, whyNotRead } from '../reading.ts';

/** tdx_hardware_setup() in arch/x86/kvm/vmx/tdx.c asks for them in this order. */
const neededParameters = [
  ['kvmIntel', 'ept'],
  ['kvm', 'tdp_mmu'],
  ['kvm', 'mmio_caching'],
  ['kvmIntel', 'eptad'],
  ['kvmIntel', 'enable_apicv'],
  ['kvm', 'enable_virt_at_load'],
] as const;

export const kernelChecks = inGroup('Kernel', [
  {
    id: 'kernel.version',
    title: 'The kernel is recent enough',
    needs: [],
    reads: '/proc/sys/kernel/osrelease',
    evaluate(input) {
      const { release } = input.kernel;
      const version = kernelVersion(input);
      if (release.state !== 'read' || version === undefined) return unknown(whyNotRead(release));
      if (!isBeforeTdx(version)) return pass(`Linux ${release.value}, 6.16 or later`);
      const fix = 'boot Linux 6.16 or later';
      // Vendors shipped kernels with an earlier TDX series. What runs on them is another question.
      if (hasVendorTdx(input)) {
        return warn(
          `Linux ${release.value} with a vendor's TDX patches; 6.16 is the first release with TDX`,
          fix,
        );
      }
      return fail(`Linux ${release.value}, expected 6.16 or later`, otherKernel(input) ?? fix);
    },
  },
  {
    id: 'kernel.config-tdx',
    title: 'The running kernel is built with TDX',
    needs: ['env.virtual-machine', 'kernel.version'],
    reads:
      'CONFIG_INTEL_TDX_HOST and CONFIG_KVM_INTEL_TDX in /boot/config-RELEASE or /proc/config.gz',
    evaluate(input) {
      const { config, release } = input.kernel;
      const running = moduleRuns(input);
      if (config.state !== 'read') {
        return running === undefined ? unknown(whyNotRead(config)) : pass(`it is: ${running}`);
      }
      const version = kernelVersion(input);
      const needed = ['CONFIG_INTEL_TDX_HOST', 'CONFIG_KVM_INTEL_TDX'].slice(
        0,
        version !== undefined && isBeforeTdx(version) ? 1 : 2,
      );
      const missing = needed.filter((option) => config.value[option] !== 'y');
      if (missing.length === 0) return pass(`${needed.join('=y, ')}=y (${config.from})`);
      return fail(
        `${missing.join(' and ')} not set in ${config.from}, the kernel that runs (${knownValue(release) ?? 'release not known'})`,
        otherKernel(input) ?? 'install a kernel built with CONFIG_KVM_INTEL_TDX=y and boot it',
      );
    },
  },
  {
    id: 'kernel.cmdline-nohibernate',
    title: 'Hibernation is off',
    needs: ['kernel.config-tdx'],
    reads: '/proc/cmdline, CONFIG_HIBERNATION, /sys/power/state, the kernel log',
    evaluate(input) {
      const { commandLine, config, powerStates } = input.kernel;
      const fix =
        'add `nohibernate` to the kernel command line (GRUB_CMDLINE_LINUX, update-grub) and reboot';
      if (input.found.hibernation && !moduleRuns(input)) {
        return fail(quoteLine(input.found.hibernation), fix);
      }
      const words = knownValue(commandLine) ?? [];
      const off = words.find((word) => word === 'nohibernate' || word === 'hibernate=no');
      if (off !== undefined) return pass(`\`${off}\` in ${commandLine.from}`);
      if (knownValue(config)?.CONFIG_HIBERNATION === 'n') {
        return pass(`CONFIG_HIBERNATION is not set (${config.from})`);
      }
      const states = knownValue(powerStates);
      if (states?.includes('disk') === false) return pass(`no \`disk\` in ${powerStates.from}`);
      if (moduleRuns(input)) return pass('the kernel let TDX start, which needs it');
      if (commandLine.state !== 'read') return unknown(whyNotRead(commandLine));
      if (states === undefined && knownValue(config)?.CONFIG_HIBERNATION !== 'y') {
        return unknown(whyNotRead(powerStates));
      }
      return fail(
        `hibernation is available and \`nohibernate\` is not in ${commandLine.from}: the kernel keeps TDX off`,
        fix,
      );
    },
  },
  {
    id: 'cpu.tdx-host-platform',
    title: 'The kernel found a TDX platform at boot',
    needs: ['bios.key-split', 'kernel.cmdline-nohibernate', 'cpu.instructions'],
    reads: 'flag tdx_host_platform in /proc/cpuinfo',
    evaluate(input) {
      const { cpu } = input;
      if (cpu.state !== 'read') return unknown(whyNotRead(cpu));
      if (cpu.value.flags.includes('tdx_host_platform')) {
        return pass(`flag tdx_host_platform in ${cpu.from}`);
      }
      const running = moduleRuns(input);
      if (running !== undefined) return pass(running);
      // Kernels of before 6.8 have no such flag; what they print there is the same.
      const { keyIdRange, hibernation, tooFewKeyIds } = input.found;
      if (keyIdRange && !hibernation && !tooFewKeyIds) return pass(quoteLine(keyIdRange.line));
      const version = kernelVersion(input);
      if (version === undefined || !hasPlatformFlag(version)) {
        return unknown(
          `no flag tdx_host_platform in ${cpu.from}, and whether this kernel has it is not known: ` +
            (version === undefined
              ? whyNotRead(input.kernel.release)
              : `Linux ${knownValue(input.kernel.release)} is before 6.8`),
        );
      }
      return fail(
        `no flag tdx_host_platform in ${cpu.from}: the kernel found no TDX key IDs, or turned TDX off`,
        'read the first failure above; else compare the BIOS settings with `--explain bios.key-split`',
      );
    },
  },
  {
    id: 'kernel.kexec',
    title: 'Crash dumps and kexec work beside TDX',
    needs: ['kernel.config-tdx'],
    reads: 'crashkernel= in /proc/cmdline, bugs in /proc/cpuinfo, /sys/kernel/kexec_loaded',
    evaluate({ cpu, kernel }) {
      if (kernel.commandLine.state !== 'read') return unknown(whyNotRead(kernel.commandLine));
      const crash = kernel.commandLine.value.find((word) => word.startsWith('crashkernel='));
      const loaded = knownValue(kernel.kexecLoaded) === true;
      if (crash === undefined && !loaded) return pass('neither is set up');
      const what = loaded ? 'a kernel is loaded for kexec' : `\`${crash}\` is set`;
      // Linux refuses kexec where a partial write poisons TDX memory (X86_BUG_TDX_PW_MCE).
      if (!knownValue(cpu)?.bugs.includes('tdx_pw_mce')) return pass(what);
      return warn(
        `${what}, and this CPU has the erratum tdx_pw_mce: the new kernel may meet poisoned memory`,
        'take crash dumps another way, and reboot through the firmware rather than by kexec',
      );
    },
  },
  {
    id: 'kernel.kvm-parameters',
    title: 'KVM has what TDX needs turned on',
    needs: ['env.virtual-machine', 'cpu.vendor'],
    reads: '/sys/module/kvm_intel/parameters and /sys/module/kvm/parameters',
    evaluate(input) {
      const { kernel, found } = input;
      const known = parametersOf(input).filter(({ value }) => value !== undefined);
      const off = known.find(({ value }) => !yes(value));
      if (off !== undefined) {
        return fail(
          `${kernel[off.module].from}/${off.name} is N, expected Y`,
          `remove ${off.name}=0 from the options of the module and load it again`,
        );
      }
      if (found.kvmRefusal)
        return fail(quoteLine(found.kvmRefusal), 'give KVM what the line names');
      if (known.length === 0) return unknown(whyNotRead(kernel.kvmIntel));
      return pass(`${known.map(({ name }) => name).join(', ')} are on`);
    },
  },
  {
    id: 'kernel.kvm-intel-tdx',
    title: 'kvm_intel was asked for TDX',
    needs: ['cpu.tdx-host-platform', 'kernel.kvm-parameters'],
    reads: '/sys/module/kvm_intel/parameters/tdx, /proc/cmdline, modprobe.d',
    evaluate: kvmIntelTdx,
  },
]);

/** X86_FEATURE_TDX_HOST_PLATFORM came with the first TDX code of upstream for hosts. */
const hasPlatformFlag = ([major, minor]: readonly [number, number]) =>
  major > 6 || (major === 6 && minor >= 8);

/** Linux 7.x turns virtualisation on by itself, so that its parameter does not matter. */
function parametersOf(input: CheckInput) {
  const [major = 0] = kernelVersion(input) ?? [];
  return neededParameters
    .filter(([, name]) => name !== 'enable_virt_at_load' || major < 7)
    .map(([module, name]) => ({ module, name, value: knownValue(input.kernel[module])?.[name] }));
}

const askFix =
  'put `options kvm_intel tdx=1` in /etc/modprobe.d/tdx.conf, then `modprobe -r kvm_intel; modprobe kvm_intel`; or add kvm_intel.tdx=1 to the kernel command line and reboot';

function kvmIntelTdx({ kernel, found }: CheckInput) {
  const { kvmIntel, commandLine, modprobeOptions } = kernel;
  const words = knownValue(commandLine) ?? [];
  const last = words.findLast((word) => /^kvm[-_]intel\.tdx=/.test(word));
  const isAskedByCommandLine = last !== undefined && /=(1|y|on)$/i.test(last);
  const isAskedByOptions = modprobeOptions.some((options) => /\btdx=(1|y|on)\b/i.test(options));
  const asked = isAskedByCommandLine
    ? `\`${last}\` in ${commandLine.from}`
    : isAskedByOptions
      ? '`tdx=1` in modprobe.d'
      : undefined;
  const parameter = knownValue(kvmIntel)?.tdx;
  if (parameter !== undefined && yes(parameter)) return pass(`${kvmIntel.from}/tdx is Y`);
  const brokenOff = found.vcpuLimit ?? found.initializationFailed;
  if (kvmIntel.state === 'absent') {
    if (brokenOff !== undefined) return pass('the kernel log shows that it tried');
    return fail(
      `kvm_intel is not loaded${asked === undefined ? '' : `, so ${asked} has no effect`}`,
      'sudo modprobe kvm_intel tdx=1; `dmesg | grep kvm` says why if it will not load',
    );
  }
  if (kvmIntel.state !== 'read') {
    return asked === undefined ? unknown(whyNotRead(kvmIntel)) : pass(asked);
  }
  if (parameter === undefined) {
    return fail(
      'kvm_intel has no parameter `tdx`: this build of it knows no TDX',
      'boot a kernel with CONFIG_KVM_INTEL_TDX=y',
    );
  }
  if (asked !== undefined) return pass(`asked for: ${asked}; /tdx is N, so it did not come up`);
  if (brokenOff !== undefined) {
    return pass('the kernel log shows that it tried');
  }
  const misspelt = words.find(
    (word) => /tdx=/.test(word) && !/^(kvm[-_]intel|kvm)\.tdx=/.test(word) && word !== last,
  );
  const why =
    last !== undefined
      ? `, by \`${last}\``
      : misspelt !== undefined
        ? `; \`${misspelt}\` on the command line is not its name`
        : '';
  return fail(`${kvmIntel.from}/tdx is ${parameter}, expected Y${why}`, askFix);
}

/** Tells whether a kernel of before 6.16 was built with some TDX series all the same. */
function hasVendorTdx({ kernel }: CheckInput): boolean {
  return hasTdx(knownValue(kernel.config) ?? {}) || knownValue(kernel.kvmIntel)?.tdx !== undefined;
}

function otherKernel({ kernel }: CheckInput): string | undefined {
  const [other] = kernel.otherTdxKernels;
  if (other === undefined) return undefined;
  return `boot ${other}, which is installed and built with TDX, and make it the default (GRUB_DEFAULT)`;
}
