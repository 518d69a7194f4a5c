/** The table of docs/kernels.md: rules from the records, outcomes from running the simulated host. */
import { hasMaxVcpusCap, makesCheck, makesVcpusFirst } from '../../src/abi/kvm/kernels/record.ts';
import { type KernelAbi, type KernelAbiName, kernelAbis } from '../../src/simulator/index.ts';
import { Driver } from '../simulator/drive.ts';

const maxVcpusCap = 'KVM_ENABLE_CAP(KVM_CAP_MAX_VCPUS)';

const columns: readonly (readonly [title: string, cell: (name: KernelAbiName) => string])[] = [
  ['kernel ABI', (name) => `\`${name}\``],
  ['a TD may have', limit],
  ['checked by KVM against', checkedAgainst],
  ['vCPUs before INIT_VM', (name) => early(name)],
  ['key slot taken at', (name) => kernelAbis[name].keyId.takenAt.replace('KVM_', '')],
  ['a destination takes', (name) => destination(name).takes],
  ['a TD on a full host', (name) => destination(name).onFullHost],
];

export function kernelTable(): string {
  const names = Object.keys(kernelAbis) as KernelAbiName[];
  const rows = names.map((name) => columns.map(([, cell]) => cell(name)));
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const titles = columns.map(([title]) => title);
  return [titles, titles.map(() => '---'), ...rows].map(line).join('\n');
}

function limit(name: KernelAbiName): string {
  const abi = kernelAbis[name];
  const { inInitVm, atCreateVm } = abi.maxVcpus;
  if (!hasMaxVcpusCap(abi)) return inInitVm ? 'what INIT_VM names' : atCreateVm.join(', ');
  if (inInitVm) return 'what ENABLE_CAP names; INIT_VM must name the same';
  return atCreateVm.length === 0 ? 'what ENABLE_CAP names' : 'what ENABLE_CAP names, if it is made';
}

function checkedAgainst(name: KernelAbiName): string {
  const abi: KernelAbi = kernelAbis[name];
  const { inInitVm, capabilityTakes } = abi.maxVcpus;
  if (!hasMaxVcpusCap(abi)) return inInitVm ? 'KVM_MAX_VCPUS: EINVAL' : '-';
  const tooMany = makesCheck(abi, maxVcpusCap, 'enable-cap.max-vcpus.too-large');
  return `${capabilityTakes.join(', ')}: ${tooMany ? 'E2BIG' : 'EINVAL'}`;
}

function early(name: KernelAbiName): string {
  const driver = new Driver({ kernelAbi: name });
  const vm = driver.createTd();
  const vcpu = driver.createVcpu(vm, 0);
  if (typeof vcpu === 'string') return vcpu;
  const initVm = driver.initVm(vm);
  return initVm === 0 ? 'yes' : `yes; INIT_VM then ${initVm}`;
}

/** A destination for a TD: what it takes, and whether it can be had when no key slot is left. */
function destination(name: KernelAbiName): { takes: string; onFullHost: string } {
  const driver = new Driver({ kernelAbi: name, profile: 'one-slot' });
  const source = driver.runnableTd();
  const made = driver.call(driver.kvm, { request: 'KVM_CREATE_VM', type: 5 });
  if (typeof made === 'string') return refused('CREATE_VM', made);
  driver.prepareTd(made);
  if (!makesVcpusFirst(kernelAbis[name])) {
    const result = driver.initVm(made);
    if (typeof result === 'string') return refused('INIT_VM', result);
  }
  const linked = driver.link(made, source.guestMemfd);
  driver.setSlot(made, typeof linked === 'number' ? linked : source.guestMemfd);
  driver.setPrivate(made, 0x10_0000n, 16);
  driver.setCpuid2(driver.createVcpu(made, 0) as number);
  const moved = driver.move(made, source.vm);
  return { takes: 'no key slot', onFullHost: moved === 0 ? 'moves' : `stays: MOVE ${moved}` };
}

function refused(call: string, errno: string) {
  return { takes: 'a key slot of its own', onFullHost: `stays: ${call} ${errno}` };
}
