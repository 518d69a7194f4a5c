/** The files by which programs find out what a shared host is, and that it has TDX, kept as they are at each moment. */
import { join } from 'node:path';
import { type CapabilityName, capabilities } from '../../abi/kvm/capabilities.ts';
import type { KvmAnswers } from '../../diagnosis/doctor/index.ts';
import { LiveFile } from '../../files/index.ts';
import {
  AddressSpace,
  hostTree,
  keySlotsPath,
  keySlotsText,
  SimulatedHost,
} from '../../host/simulated/index.ts';
import type { SimulatedMachine } from '../../simulator/index.ts';

const what = 'file of the shared host';

export class HostFacts {
  readonly #machine: SimulatedMachine;
  readonly #keySlots: LiveFile;
  #used: number;

  private constructor(machine: SimulatedMachine, keySlots: LiveFile) {
    this.#machine = machine;
    this.#keySlots = keySlots;
    this.#used = machine.keySlots.used;
  }

  /**
   * @param twin another machine of its kind, which can be asked without a trace of it here.
   * @throws TdctlError TDCTL_E_NOT_WRITABLE.
   */
  static async write(
    machine: SimulatedMachine,
    twin: SimulatedMachine,
    directory: string,
  ): Promise<HostFacts> {
    const { [keySlotsPath]: keySlots = '', ...rest } = hostTree(machine);
    const kvm = JSON.stringify({ open: 'ok', device: null, answers: await answersOf(twin) });
    for (const [path, text] of Object.entries({ ...rest, '/kvm.json': `${kvm}\n` })) {
      new LiveFile({ path: join(directory, path), what }, text).close();
    }
    return new HostFacts(
      machine,
      new LiveFile({ path: join(directory, keySlotsPath), what }, keySlots),
    );
  }

  /** To be called after whatever may have taken or given a key slot. */
  update(): void {
    const { used } = this.#machine.keySlots;
    if (used === this.#used) return;
    this.#used = used;
    this.#keySlots.write(keySlotsText(used));
  }

  close(): void {
    this.#keySlots.close();
  }
}

/** As `tdctl doctor` asks KVM. */
async function answersOf(machine: SimulatedMachine): Promise<KvmAnswers> {
  const host = new SimulatedHost(machine, new AddressSpace());
  const values: Record<string, number> = {};
  for (const name of Object.keys(capabilities) as CapabilityName[]) {
    values[name] = await host.checkExtension(name);
  }
  const supportedCpuid = await host.getSupportedCpuid();
  const tdxVm = host.tdxMissing === undefined ? await tdxVmOf(host) : null;
  await host.close();
  return { apiVersion: 12, capabilities: values, supportedCpuid: [...supportedCpuid], tdxVm };
}

async function tdxVmOf(host: SimulatedHost): Promise<KvmAnswers['tdxVm']> {
  const vm = await host.createVm({ type: 'KVM_X86_TDX_VM' });
  const { supportedAttributes, supportedXfam, configurableCpuid } = await vm.tdxCapabilities();
  const maxVcpus = await vm.checkExtension('KVM_CAP_MAX_VCPUS');
  await vm.close();
  return {
    maxVcpus,
    supportedAttributes: `0x${supportedAttributes.toString(16)}`,
    supportedXfam: `0x${supportedXfam.toString(16)}`,
    configurableCpuid: [...configurableCpuid],
  };
}
