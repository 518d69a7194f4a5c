import { addonRemedy } from '../../../../native/index.ts';
import { fail, inGroup, pass, unknown, warn } from '../check.ts';
import { offersTdx, vmTypesText, yes } from '../evidence.ts';
import { knownValue, whyNotRead } from '../reading.ts';

const buildFix = `so that KVM can be asked: ${addonRemedy()}`;

export const kvmChecks = inGroup('KVM', [
  {
    id: 'kvm.device',
    title: '/dev/kvm exists',
    needs: [],
    reads: '/dev/kvm',
    evaluate({ kvm, environment, found }) {
      const { open, device } = kvm;
      if (open.state !== 'read') return unknown(whyNotRead(open));
      if (open.value === 'ENODEV') {
        return fail(
          '/dev/kvm exists, but no KVM module answers behind it',
          'sudo modprobe kvm_intel; `dmesg | grep kvm` says why if it will not load',
        );
      }
      if (open.value !== 'ENOENT') {
        const entry = knownValue(device);
        return pass(entry ? `${entry.mode} ${entry.owner} ${entry.group} /dev/kvm` : 'it does');
      }
      if (found.vcpuLimit) {
        return fail(
          'no such file',
          'see limits.module-vs-cpus: this kernel then does not load kvm_intel',
        );
      }
      return fail(
        'no such file',
        environment.container.state === 'read'
          ? 'pass the device into the container: --device /dev/kvm'
          : 'sudo modprobe kvm_intel, and turn on virtualisation (VT-x) in the BIOS',
      );
    },
  },
  {
    id: 'kvm.permission',
    title: 'This user may open /dev/kvm',
    needs: ['kvm.device'],
    reads: 'open("/dev/kvm") for reading and writing',
    evaluate({ kvm }) {
      const { open, device } = kvm;
      if (open.state !== 'read') return unknown(whyNotRead(open));
      if (open.value === 'ok') return pass('opened for reading and writing');
      const group = knownValue(device)?.group ?? 'kvm';
      if (open.value === 'EPERM') {
        return fail(
          'EPERM: a device policy of the cgroup or the container forbids it',
          'allow the device 10:232 for this container or service (DeviceAllow=/dev/kvm rw)',
        );
      }
      return fail(
        `${open.value}: it belongs to the group ${group}`,
        `sudo usermod -aG ${group} $USER, then log in again`,
      );
    },
  },
  {
    id: 'kvm.vm-type',
    title: 'KVM offers TDX VMs',
    needs: ['kvm.permission', 'module.initialized', 'limits.module-vs-cpus', 'kernel.tdx-abi'],
    reads: 'KVM_CHECK_EXTENSION(KVM_CAP_VM_TYPES), bit 5',
    evaluate(input) {
      const offered = offersTdx(input);
      if (offered === true) return pass(`${vmTypesText(input)}, bit 5 is set`);
      if (offered === false) {
        return fail(
          `${vmTypesText(input)}, expected bit 5 set`,
          'load kvm_intel again with tdx=1 and read `dmesg | grep -i tdx`',
        );
      }
      const { kvmIntel } = input.kernel;
      const parameter = knownValue(kvmIntel)?.tdx;
      // KVM leaves the parameter at Y only where bring-up has succeeded.
      if (parameter !== undefined && yes(parameter)) {
        return pass(`KVM was not asked; ${kvmIntel.from}/tdx is Y`);
      }
      return unknown(whyNotRead(input.kvm.answers), buildFix);
    },
  },
  {
    id: 'kvm.capabilities',
    title: 'KVM has the rest that a TD needs',
    needs: ['kvm.permission'],
    reads: 'KVM_CHECK_EXTENSION of KVM_CAP_SPLIT_IRQCHIP and KVM_CAP_EXIT_HYPERCALL',
    evaluate({ kvm }) {
      const { answers } = kvm;
      if (answers.state !== 'read') return unknown(whyNotRead(answers), buildFix);
      const names = ['KVM_CAP_SPLIT_IRQCHIP', 'KVM_CAP_EXIT_HYPERCALL', 'KVM_CAP_X2APIC_API'];
      const missing = names.filter((name) => !answers.value.capabilities[name]);
      if (missing.length > 0)
        return fail(`KVM answers 0 for ${missing.join(', ')}`, 'boot Linux 6.16 or later');
      return pass('split irqchip, hypercall exits, x2APIC');
    },
  },
  {
    id: 'memory.guest-memfd',
    title: 'KVM has private guest memory (guest_memfd)',
    needs: ['kvm.permission'],
    reads:
      'KVM_CAP_GUEST_MEMFD, KVM_CAP_USER_MEMORY2, KVM_CAP_MEMORY_ATTRIBUTES or KVM_CAP_GUEST_MEMFD_MEMORY_ATTRIBUTES',
    evaluate(input) {
      const { answers } = input.kvm;
      if (answers.state !== 'read') return unknown(whyNotRead(answers), buildFix);
      const { capabilities } = answers.value;
      // Memory attributes are offered only where some VM type has private memory, and then by the VM or
      // by each guest_memfd.
      const ofFiles = 'KVM_CAP_GUEST_MEMFD_MEMORY_ATTRIBUTES';
      const attributes = capabilities[ofFiles] ? ofFiles : 'KVM_CAP_MEMORY_ATTRIBUTES';
      const needed = [
        'KVM_CAP_GUEST_MEMFD',
        'KVM_CAP_USER_MEMORY2',
        ...(offersTdx(input) ? [attributes] : []),
      ];
      const missing = needed.filter((name) => !capabilities[name]);
      if (missing.length === 0) return pass(needed.map((name) => name.slice(8)).join(', '));
      return fail(
        `KVM answers 0 for ${missing.join(', ')}`,
        'boot Linux 6.16 or later, built with CONFIG_KVM_GUEST_MEMFD=y',
      );
    },
  },
  {
    id: 'limits.vcpus',
    title: 'How many vCPUs a TD may have',
    needs: ['kvm.vm-type'],
    reads: 'KVM_CAP_MAX_VCPUS on /dev/kvm and on a TDX VM; CPUs present',
    evaluate(input) {
      const { kvm, topology } = input;
      const answers = knownValue(kvm.answers);
      const present = knownValue(topology.presentCpus);
      if (answers === undefined) return unknown(whyNotRead(kvm.answers), buildFix);
      const ofKvm = answers.capabilities.KVM_CAP_MAX_VCPUS ?? 0;
      const ofTd = answers.tdxVm?.maxVcpus;
      const parts = `${present ?? 'an unknown number of'} CPUs present, KVM_MAX_VCPUS ${ofKvm}`;
      if (ofTd === undefined) return unknown(`no TDX VM could be made to ask; ${parts}`);
      if (present !== undefined && ofTd < Math.min(present, ofKvm)) {
        return warn(
          `a TD may have ${ofTd}, fewer than expected: ${parts}`,
          'compare with `tdctl host`',
        );
      }
      return pass(`a TD may have ${ofTd}: ${parts}`);
    },
  },
]);
