/**
 * How long KVM_TDX_INIT_MEM_REGION is repeated while the kernel gets no page done, and how long each pause
 * in between is: doubled from the first to the longest. The addon has the same in C++ for real kernels
 * (native/vcpu_init_mem_region.cc), and a test compares.
 */
export const stall = { timeoutMs: 30_000, firstPauseMs: 1, longestPauseMs: 100 } as const;
