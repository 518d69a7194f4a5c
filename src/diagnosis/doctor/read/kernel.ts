/** Reads the running kernel: its command line, how it was built, the parameters of its modules. */
import type { KernelFacts } from '../facts.ts';
import type { HostFiles } from '../host-files.ts';
import { knownValue, parsed, type Reading, read } from '../reading.ts';

/** Only these words of a command line are kept, which may hold passwords and addresses. */
const keptParameters =
  /^(nohibernate|hibernate|resume|noresume|crashkernel|maxcpus|nr_cpus|nosmt|mem|efi|intel_iommu|iommu|nomodule|module_blacklist|modprobe\.blacklist|kvm|kvm[-_.][\w.-]*|\w*tdx[\w.-]*|[\w-]+\.\w*tdx\w*|tme|mce)(=|$)/i;

const keptOptions =
  /^(?:# )?(CONFIG_(?:INTEL_TDX_HOST|KVM_INTEL_TDX|KVM_INTEL|KVM|HIBERNATION|KEXEC|KEXEC_CORE|CGROUP_MISC|KVM_GUEST_MEMFD|KVM_GENERIC_PRIVATE_MEM|KVM_PRIVATE_MEM|KVM_MAX_NR_VCPUS|X86_MCE|X86_SGX|INTEL_TDX_MODULE_UPDATE|TDX_HOST_SERVICES))(?:=(\S+)| is not set)\r?$/gm;

export function readKernel(files: HostFiles): KernelFacts {
  const release = readRelease(files);
  return {
    release,
    commandLine: parsed(files.text('/proc/cmdline'), keptOf),
    config: readConfig(files, release),
    otherTdxKernels: readOtherTdxKernels(files, release),
    powerStates: parsed(files.text('/sys/power/state'), (text) =>
      text.split(/\s+/).filter((word) => word !== ''),
    ),
    modprobeOptions: readModprobeOptions(files),
    kexecLoaded: parsed(files.text('/sys/kernel/kexec_loaded'), (text) => text.trim() === '1'),
    kvmIntel: readParameters(files, 'kvm_intel'),
    kvm: readParameters(files, 'kvm'),
  };
}

function readRelease(files: HostFiles): Reading<string> {
  const direct = parsed(files.text('/proc/sys/kernel/osrelease'), releaseIn);
  if (direct.state !== 'absent') return direct;
  return parsed(files.text('/proc/version'), (text) =>
    releaseIn(/^Linux version (\S+)/.exec(text)?.[1] ?? ''),
  );
}

const releaseIn = (text: string) => /^\d+\.\d+[\w.+~-]*/.exec(text.trim())?.[0];

function keptOf(line: string): readonly string[] {
  // What follows `--` is for init, not for the kernel.
  const words = line.trim().split(/\s+/);
  const end = words.indexOf('--');
  return words.slice(0, end === -1 ? undefined : end).filter((word) => keptParameters.test(word));
}

function readConfig(
  files: HostFiles,
  release: Reading<string>,
): Reading<Readonly<Record<string, string>>> {
  const name = knownValue(release) ?? 'unknown';
  const places = [`/boot/config-${name}`, `/lib/modules/${name}/config`, '/proc/config'];
  const plain = places.map((path) => files.text(path));
  const isRead = ({ state }: Reading<string>) => state === 'read';
  const texts = plain.some(isRead) ? plain : [...plain, readZipped(files)];
  const found = texts.find(isRead) ?? texts.find((text) => text.state === 'denied');
  return parsed(found ?? { state: 'absent', from: `/boot/config-${name}` }, optionsIn);
}

function readZipped(files: HostFiles): Reading<string> {
  return parsed(files.bytes('/proc/config.gz'), (bytes) => {
    try {
      // Most hosts have it as a plain file, and what unpacks it takes Node longer to load than to run.
      const { gunzipSync } = process.getBuiltinModule('node:zlib');
      return gunzipSync(bytes, { maxOutputLength: 16 * 1024 * 1024 }).toString('latin1');
    } catch {
      return undefined;
    }
  });
}

function optionsIn(text: string): Readonly<Record<string, string>> | undefined {
  if (!text.includes('CONFIG_')) return undefined;
  return Object.fromEntries(
    [...text.matchAll(keptOptions)].map(([, name, value]) => [name ?? '', value ?? 'n']),
  );
}

/** A kernel that lost TDX with an upgrade often lies beside the one that had it. */
function readOtherTdxKernels(files: HostFiles, running: Reading<string>): readonly string[] {
  return files
    .names('/boot')
    .filter((name) => name.startsWith('config-'))
    .map((name) => name.slice('config-'.length))
    .filter((name) => name !== knownValue(running))
    .slice(0, 8)
    .filter((name) => {
      const text = knownValue(files.text(`/boot/config-${name}`));
      return hasTdx(optionsIn(text ?? '') ?? {});
    });
}

/** CONFIG_KVM_INTEL_TDX came with 6.16; kernels with an earlier series have the other one alone. */
export function hasTdx(config: Readonly<Record<string, string>>): boolean {
  return config.CONFIG_INTEL_TDX_HOST === 'y' && config.CONFIG_KVM_INTEL_TDX !== 'n';
}

function readModprobeOptions(files: HostFiles): readonly string[] {
  return ['/etc/modprobe.d', '/run/modprobe.d', '/usr/lib/modprobe.d', '/lib/modprobe.d'].flatMap(
    (directory) =>
      files.names(directory).flatMap((name) => {
        const text = knownValue(files.text(`${directory}/${name}`)) ?? '';
        return [...text.matchAll(/^\s*options\s+kvm[-_]intel\s+([^#\r\n]*)/gm)].map(
          ([, options]) => `options kvm_intel ${(options ?? '').trim()}`,
        );
      }),
  );
}

/** TDX depends on these parameters: tdx_hardware_setup() in arch/x86/kvm/vmx/tdx.c. */
const moduleParameters = {
  kvm_intel: ['tdx', 'ept', 'eptad', 'enable_apicv', 'nested', 'enable_ipiv'],
  kvm: ['tdp_mmu', 'mmio_caching', 'enable_virt_at_load'],
} as const;

function readParameters(
  files: HostFiles,
  module: keyof typeof moduleParameters,
): Reading<Readonly<Record<string, string>>> {
  const from = `/sys/module/${module}/parameters`;
  if (!files.exists(`/sys/module/${module}`)) {
    // A copy without /sys/module says nothing of what was loaded.
    return { state: files.exists('/sys/module') ? 'absent' : 'not-asked', from };
  }
  const values: Record<string, string> = {};
  for (const name of moduleParameters[module]) {
    const text = files.text(`${from}/${name}`);
    if (text.state === 'read') values[name] = text.value.trim().slice(0, 16);
  }
  // Both modules have parameters: a copy with none of them has left the folder out.
  return Object.keys(values).length === 0 ? { state: 'not-asked', from } : read(from, values);
}
