/**
 * What a file of KVM_GET_STATS_FD holds: a header, the name of the VM or vCPU, a descriptor for each value, and
 * the values. Sources: kvm_stats_read() in virt/kvm/binary_stats.c, kvm_vm_stats_desc and kvm_vcpu_stats_desc in
 * arch/x86/kvm/x86.c, the structs of the values in arch/x86/include/asm/kvm_host.h, Linux 7.3.
 */
type Kind = 'counter' | 'now' | 'flag' | 'peak' | 'nanoseconds' | 'histogram of nanoseconds';

/** By name, in the order of the descriptors. */
type Descriptors = Readonly<Record<string, Kind>>;

export const vmStatistics = {
  remote_tlb_flush: 'counter',
  remote_tlb_flush_requests: 'counter',
  mmu_shadow_zapped: 'counter',
  mmu_pte_write: 'counter',
  mmu_pde_zapped: 'counter',
  mmu_flooded: 'counter',
  mmu_recycled: 'counter',
  mmu_cache_miss: 'counter',
  mmu_unsync: 'now',
  mmu_shadow_pages: 'now',
  pages_4k: 'now',
  pages_2m: 'now',
  pages_1g: 'now',
  nx_lpage_splits: 'now',
  max_mmu_rmap_size: 'peak',
  max_mmu_page_hash_collisions: 'peak',
} as const satisfies Descriptors;

export const vcpuStatistics = {
  halt_successful_poll: 'counter',
  halt_attempted_poll: 'counter',
  halt_poll_invalid: 'counter',
  halt_wakeup: 'counter',
  halt_poll_success_ns: 'nanoseconds',
  halt_poll_fail_ns: 'nanoseconds',
  halt_wait_ns: 'nanoseconds',
  halt_poll_success_hist: 'histogram of nanoseconds',
  halt_poll_fail_hist: 'histogram of nanoseconds',
  halt_wait_hist: 'histogram of nanoseconds',
  blocking: 'flag',
  pf_taken: 'counter',
  pf_fixed: 'counter',
  pf_emulate: 'counter',
  pf_spurious: 'counter',
  pf_fast: 'counter',
  pf_mmio_spte_created: 'counter',
  pf_guest: 'counter',
  tlb_flush: 'counter',
  invlpg: 'counter',
  exits: 'counter',
  io_exits: 'counter',
  mmio_exits: 'counter',
  signal_exits: 'counter',
  irq_window_exits: 'counter',
  nmi_window_exits: 'counter',
  l1d_flush: 'counter',
  halt_exits: 'counter',
  request_irq_exits: 'counter',
  irq_exits: 'counter',
  host_state_reload: 'counter',
  fpu_reload: 'counter',
  insn_emulation: 'counter',
  insn_emulation_fail: 'counter',
  hypercalls: 'counter',
  irq_injections: 'counter',
  nmi_injections: 'counter',
  req_event: 'counter',
  nested_run: 'counter',
  directed_yield_attempted: 'counter',
  directed_yield_successful: 'counter',
  preemption_reported: 'counter',
  preemption_other: 'counter',
  guest_mode: 'flag',
  notify_window_exits: 'counter',
} as const satisfies Descriptors;

export type VmStatistic = keyof typeof vmStatistics;
export type VcpuStatistic = keyof typeof vcpuStatistics;

/** Where the order of the values is another than that of the descriptors. */
const valuesOfVm = swapped(
  Object.keys(vmStatistics),
  'max_mmu_rmap_size',
  'max_mmu_page_hash_collisions',
);

/** KVM_STATS_NAME_SIZE, of the file's name and of each value's. */
const nameBytes = 48;
const headerBytes = 24;
const descriptorBytes = 16 + nameBytes;
const valueBytes = 8;
/** HALT_POLL_HIST_COUNT */
const histogramSize = 32;

/** KVM_STATS_TYPE_x, KVM_STATS_UNIT_x and KVM_STATS_BASE_x in uapi/linux/kvm.h. */
const type = { cumulative: 0, instant: 1, peak: 2, logHistogram: 4 } as const;
const unit = { none: 0, seconds: 2 << 4, boolean: 4 << 4 } as const;

interface Form {
  readonly flags: number;
  readonly exponent: number;
  readonly size: number;
}

const forms: Readonly<Record<Kind, Form>> = {
  counter: { flags: type.cumulative | unit.none, exponent: 0, size: 1 },
  now: { flags: type.instant | unit.none, exponent: 0, size: 1 },
  flag: { flags: type.instant | unit.boolean, exponent: 0, size: 1 },
  peak: { flags: type.peak | unit.none, exponent: 0, size: 1 },
  nanoseconds: { flags: type.cumulative | unit.seconds, exponent: -9, size: 1 },
  'histogram of nanoseconds': {
    flags: type.logHistogram | unit.seconds,
    exponent: -9,
    size: histogramSize,
  },
};

/** The shape of such a file; what changes in it are the values. */
export class StatisticsFormat<Name extends string> {
  readonly sizeBytes: number;
  readonly #descriptors: Readonly<Record<Name, Kind>>;
  /** Places among the values, in bytes. */
  readonly #offsets: ReadonlyMap<string, number>;
  readonly #valuesAt: number;

  constructor(descriptors: Readonly<Record<Name, Kind>>, values: readonly string[]) {
    this.#descriptors = descriptors;
    const offsets = new Map<string, number>();
    let at = 0;
    for (const name of values) {
      offsets.set(name, at);
      at += forms[descriptors[name as Name]].size * valueBytes;
    }
    this.#offsets = offsets;
    this.#valuesAt = headerBytes + nameBytes + values.length * descriptorBytes;
    this.sizeBytes = this.#valuesAt + at;
  }

  /** All but the values, which are 0. */
  file(name: string): Uint8Array {
    const bytes = new Uint8Array(this.sizeBytes);
    const view = new DataView(bytes.buffer);
    const entries = Object.entries<Kind>(this.#descriptors);
    const header = [0, nameBytes, entries.length, headerBytes, headerBytes + nameBytes];
    for (const [index, word] of [...header, this.#valuesAt].entries()) {
      view.setUint32(index * 4, word, true);
    }
    write(bytes, headerBytes, name);
    for (const [index, [statistic, kind]] of entries.entries()) {
      const at = headerBytes + nameBytes + index * descriptorBytes;
      const { flags, exponent, size } = forms[kind];
      view.setUint32(at, flags, true);
      view.setInt16(at + 4, exponent, true);
      view.setUint16(at + 6, size, true);
      view.setUint32(at + 8, this.#offsets.get(statistic) ?? 0, true);
      write(bytes, at + 16, statistic);
    }
    return bytes;
  }

  /** Puts values of one word each into a file. */
  setValues(file: Uint8Array, values: Iterable<readonly [Name, number]>): void {
    const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
    for (const [name, value] of values) {
      const at = this.#valuesAt + (this.#offsets.get(name) ?? 0);
      view.setBigUint64(at, BigInt(value), true);
    }
  }
}

export const vmStatisticsFormat = new StatisticsFormat(vmStatistics, valuesOfVm);
export const vcpuStatisticsFormat = new StatisticsFormat(
  vcpuStatistics,
  Object.keys(vcpuStatistics),
);

function swapped(names: readonly string[], one: string, other: string): readonly string[] {
  return names.map((name) => (name === one ? other : name === other ? one : name));
}

/** A name fits, with a zero behind it. */
function write(bytes: Uint8Array, at: number, name: string): void {
  bytes.set(new TextEncoder().encode(name).subarray(0, nameBytes - 1), at);
}
