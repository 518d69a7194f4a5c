/** What the kernel is told lies in the first megabyte of RAM. Each has room up to the next. */
export const places = {
  gdt: 0x6000n,
  /** `struct boot_params`, of one page. */
  bootParams: 0x7000n,
  /** `struct hvm_start_info`, its modules and its memory map, in one page. */
  startInfo: 0x8000n,
  /** Six pages: one of level 4, one of level 3, four of level 2. */
  pageTables: 0x9000n,
  commandLine: 0x2_0000n,
  commandLineEnd: 0x3_0000n,
  /** Here the extended BIOS data area would begin, and RAM ends for a kernel until 1 MiB. */
  lowMemoryEnd: 0x9_fc00n,
  /** Kernels look for the RSDP from here to 1 MiB (ACPI 6.5, 5.2.5.1). */
  acpi: 0xe_0000n,
  highMemory: 0x10_0000n,
} as const;

export const lastOfCommandLine = Number(places.commandLineEnd - places.commandLine) - 1;
