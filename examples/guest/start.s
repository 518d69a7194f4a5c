# From the reset vector to long mode. It is the first file of the image, and starts where the reset
# vector jumps to: in 32-bit protected mode with flat segments, as the TDX module starts every vCPU of
# a TD (Intel TDX Module Base Architecture Specification, "Initial State of TD VCPU"). RSI is the number
# of the vCPU. Nothing here needs memory that can be written.
    .include "guest.inc"
    .text
    .code32
    .globl start
start:
    # Is this a TD? CPUID 0x21 says "IntelTDX    " in EBX, EDX, ECX, where there is such a leaf.
    xorl %ebp, %ebp
    xorl %eax, %eax
    cpuid
    cmpl $0x21, %eax
    jb 1f
    movl $0x21, %eax
    xorl %ecx, %ecx
    cpuid
    cmpl $0x65746e49, %ebx      # Inte
    jne 1f
    cmpl $0x5844546c, %edx      # lTDX
    jne 1f
    cmpl $0x20202020, %ecx
    jne 1f
    incl %ebp
1:
    lgdtl gdt_pointer
    movl $page_tables, %eax
    movl %eax, %cr3
    # PAE, OSFXSR and OSXMMEXCPT. What is set stays: in a TD, MCE must.
    movl %cr4, %eax
    orl $0x620, %eax
    movl %eax, %cr4
    # A TD has EFER.LME from the start, and EFER cannot be written in it.
    testl %ebp, %ebp
    jnz 2f
    movl $0xc0000080, %ecx
    rdmsr
    orl $0x100, %eax
    wrmsr
2:
    # PG, NE and MP; EM and TS are clear.
    movl %cr0, %eax
    andl $~0xc, %eax
    orl $0x80000022, %eax
    movl %eax, %cr0
    ljmpl $code_0, $enter_long_mode

    .code64
enter_long_mode:
    movl $data_0, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    cmpl $vcpus_with_memory, %esi
    jae wait
    # Its own page. Where it matters, it is zero from the start.
    movl %esi, %ebx
    shll $12, %ebx
    addl $first_vcpu_page, %ebx
    leaq v_kernel_stack(%rbx), %rsp
    movl %esi, %esi
    movq %rsi, v_number(%rbx)
    movq %rbp, v_is_td(%rbx)
    jmp prepare_vcpu

    # There is no memory for it. HLT would raise #VE in a TD.
wait:
    pause
    jmp wait
