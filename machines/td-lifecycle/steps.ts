/**
 * The table has the steps that build a TD, in order: what each does, which requests it makes, and who
 * takes it back. The chart in machine.ts has one working state per row; the orchestrator supplies one
 * actor per row; the pictures and the fault sweep read the same rows.
 *
 * Teardown runs the undos of the finished rows from the last to the first.
 */
export interface TdStep {
  /** The working state of the chart. */
  readonly state: string;
  /** The actor that does the work, a verb phrase. */
  readonly actor: string;
  /** What a person reads, here and in the chart. */
  readonly does: string;
  /** ioctls and TDX sub-commands by the kernel's names, in order; `×` rows repeat them. */
  readonly requests: readonly string[];
  readonly undo: Undo;
}

/** Either the orchestrator takes the step back, or the row says who does instead. */
export type Undo = { readonly does: string } | { readonly leftTo: string };

export const tdSteps = [
  {
    state: 'creatingVm',
    actor: 'createVm',
    does: 'make a VM of type KVM_X86_TDX_VM and split its irqchip; no key slot and no TD page is taken',
    requests: ['KVM_CREATE_VM', 'KVM_ENABLE_CAP'],
    undo: { does: 'close the VM fd' },
  },
  {
    state: 'readingLimits',
    actor: 'readLimits',
    does: 'read the four vCPU limits and what the TDX module supports; too many vCPUs go no further',
    requests: ['KVM_CHECK_EXTENSION', 'KVM_TDX_CAPABILITIES', 'KVM_GET_SUPPORTED_CPUID'],
    undo: { leftTo: 'nobody: the step only reads' },
  },
  {
    state: 'cappingVcpus',
    actor: 'capVcpus',
    does: 'lower the VM to the vCPU ids it will use, and to their number where the kernel has a cap for it',
    requests: ['KVM_ENABLE_CAP'],
    undo: { leftTo: 'the kernel: a cap is a field of the VM and goes with its last reference' },
  },
  {
    state: 'initializingTd',
    actor: 'initializeTd',
    does: 'take a key slot (HKID) and create the TD in the TDX module: TDR and TDCS',
    requests: ['KVM_SET_TSC_KHZ', 'KVM_TDX_INIT_VM'],
    undo: {
      leftTo:
        'the kernel: a refused INIT_VM gives its key slot back itself, a successful one holds it ' +
        'until KVM_TDX_TERMINATE_VM or the last close',
    },
  },
  {
    state: 'creatingVcpus',
    actor: 'createVcpus',
    does: 'make all vCPUs, those kept offline too: after FINALIZE_VM the set is frozen',
    requests: ['KVM_CREATE_VCPU'],
    undo: { does: 'close the vCPU fds' },
  },
  {
    state: 'initializingVcpus',
    actor: 'initializeVcpus',
    does: 'give each vCPU its CPUID, then its TDVPR and TDCX pages in the TDX module',
    requests: ['KVM_TDX_GET_CPUID', 'KVM_SET_CPUID2', 'KVM_TDX_INIT_VCPU'],
    undo: { leftTo: 'the kernel: TDVPR and TDCX pages are reclaimed at the last close' },
  },
  {
    state: 'addingMemory',
    actor: 'addMemory',
    does: 'set the memory slots, add the firmware pages and measure those marked so',
    requests: [
      'KVM_CREATE_GUEST_MEMFD',
      'KVM_SET_USER_MEMORY_REGION2',
      'KVM_SET_MEMORY_ATTRIBUTES',
      'KVM_SET_MEMORY_ATTRIBUTES2',
      'KVM_TDX_INIT_MEM_REGION',
    ],
    undo: { does: 'delete the memory slots, close the guest_memfds, unmap the memory' },
  },
  {
    state: 'finalizing',
    actor: 'finalizeTd',
    does: 'close the measurement (MRTD); no vCPU and no page can be added afterwards',
    requests: ['KVM_TDX_FINALIZE_VM'],
    undo: { leftTo: 'nobody: a closed measurement cannot be opened again; the TD is torn down' },
  },
] as const satisfies readonly TdStep[];

const [creatingVm, readingLimits, cappingVcpus, initializingTd, creatingVcpus] = tdSteps;

/** These steps prepare a VM to receive a TD. Those with a row above do the same work again. */
export const destinationSteps = [
  creatingVm,
  readingLimits,
  cappingVcpus,
  {
    ...initializingTd,
    does: 'take a key slot that will never be used, where the kernel makes no vCPU before KVM_TDX_INIT_VM',
  },
  creatingVcpus,
  {
    state: 'settingCpuid',
    actor: 'setCpuid',
    does: "give each vCPU the TD's CPUID: a move without x2APIC in it loses the TD",
    requests: ['KVM_SET_CPUID2'],
    undo: { leftTo: 'the kernel: CPUID goes with the vCPU' },
  },
  {
    state: 'mirroringMemory',
    actor: 'mirrorMemory',
    does: "set the source's memory slots again, on the same private pages",
    requests: ['KVM_LINK_GUEST_MEMFD', 'KVM_SET_USER_MEMORY_REGION2'],
    undo: { does: 'delete the memory slots, close the linked guest_memfds, unmap the memory' },
  },
] as const satisfies readonly TdStep[];

/** These steps are done with a whole TD. */
export const runSteps = [
  {
    state: 'entering',
    actor: 'enterVcpus',
    does: 'enter every vCPU; one that the kernel refuses ends the TD',
    requests: ['KVM_RUN'],
    undo: { does: 'leave every vCPU' },
  },
  {
    state: 'running',
    actor: 'watchVcpus',
    does: 'keep every vCPU inside KVM_RUN, and wait for one that comes out by itself',
    requests: [],
    undo: { leftTo: 'nobody: the step only waits' },
  },
  {
    state: 'pausing',
    actor: 'leaveVcpus',
    does: 'make every vCPU leave KVM_RUN',
    requests: [],
    undo: { does: 'enter every vCPU again' },
  },
  {
    state: 'stopping',
    actor: 'stopVcpus',
    does: 'make every vCPU leave KVM_RUN before the TD is taken down',
    requests: [],
    undo: { leftTo: 'nobody: it is itself an undo' },
  },
] as const satisfies readonly TdStep[];

/** These steps take a TD down. Each runs whatever the one before it answered. */
export const teardownSteps = [
  {
    state: 'terminating',
    actor: 'terminateTd',
    does: 'free the key slot before the memory, where the kernel has KVM_TDX_TERMINATE_VM',
    requests: ['KVM_TDX_TERMINATE_VM'],
    undo: { leftTo: 'nobody: it is itself an undo' },
  },
  {
    state: 'releasing',
    actor: 'releaseTd',
    does: 'rundown: close every fd the TD holds; the last one frees what is left',
    requests: [],
    undo: { leftTo: 'nobody: it is itself an undo' },
  },
] as const satisfies readonly TdStep[];

type AnyTdStep = (typeof tdSteps | typeof destinationSteps | typeof runSteps)[number];
export type TdStepState = AnyTdStep['state'];
export type TdStepActor = AnyTdStep['actor'];
export type ProvisioningStepState = (typeof tdSteps)[number]['state'];
export type TeardownStepState = (typeof teardownSteps)[number]['state'];
