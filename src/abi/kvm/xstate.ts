/**
 * Components of extended state that KVM gives a guest where the CPU has them: in XCR0 x87, SSE, AVX, MPX,
 * AVX-512, PKRU and AMX, in IA32_XSS CET. Source: KVM_SUPPORTED_XCR0 and KVM_SUPPORTED_XSS in
 * arch/x86/kvm/x86.c, Linux 7.3.
 */
export const kvmXstate = { xcr0: 0x6_02ffn, xss: 0x1800n } as const;

/** AMX's tile data, which a process must ask for (XFEATURE_MASK_USER_DYNAMIC). */
export const dynamicXstate = 1n << 18n;
