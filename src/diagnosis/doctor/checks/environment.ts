import { fail, inGroup, pass, unknown, warn } from '../check.ts';
import { moduleRuns, offersTdx, vmTypesText } from '../evidence.ts';
import { knownValue, whyNotRead } from '../reading.ts';

export const environmentChecks = inGroup('Environment', [
  {
    id: 'env.virtual-machine',
    title: 'This is the bare machine, not a virtual one',
    needs: [],
    reads: 'flags in /proc/cpuinfo; KVM_CAP_VM_TYPES',
    evaluate(input) {
      const { cpu, environment } = input;
      if (cpu.state !== 'read') return unknown(whyNotRead(cpu));
      const { flags } = cpu.value;
      if (flags.includes('tdx_guest')) {
        return fail(
          'the CPU flag `tdx_guest` is set: this is the inside of a TD',
          'run on the host; a TD cannot hold another one',
        );
      }
      if (!flags.includes('hypervisor')) return pass(`no CPU flag \`hypervisor\` in ${cpu.from}`);
      if (offersTdx(input) ?? moduleRuns(input) !== undefined) {
        return pass('a virtual machine, but its KVM offers TDX VMs');
      }
      const vendor = knownValue(environment.vendor);
      const asked = vmTypesText(input);
      return fail(
        `a virtual machine${vendor === undefined ? '' : ` (${vendor})`}: the CPU flag \`hypervisor\` is set${asked === undefined ? '' : `, and KVM offers no TDX VMs (${asked})`}`,
        'run on the machine itself; to rehearse here, use `--host soft` or `--host sim`',
      );
    },
  },
  {
    id: 'env.container',
    title: 'Not inside a container',
    needs: [],
    reads: '/.dockerenv, /run/.containerenv, /run/systemd/container, /proc/1/cgroup',
    evaluate({ environment: { container } }) {
      if (container.state === 'absent') return pass('no sign of a container');
      if (container.state !== 'read') return unknown(whyNotRead(container));
      return warn(
        `a container, by ${container.value}: its own /dev and cgroups hide those of the host`,
        'run it on the host, or pass in /dev/kvm and /sys/fs/cgroup',
      );
    },
  },
]);
