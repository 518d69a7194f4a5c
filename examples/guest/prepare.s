# What CPL 0 does once for each vCPU: its tables, its extended state, the registers that only CPL 0
# reaches. RBX is the page of the vCPU.
    .include "guest.inc"
    .text
    .globl prepare_vcpu
prepare_vcpu:
    call load_tables
    call enable_extended_state
    call choose_privileged
    call load_privileged
    # To CPL 3: the count runs there.
    pushq $data_3
    leaq v_user_stack(%rbx), %rax
    pushq %rax
    pushq $2
    pushq $code_3
    leaq main(%rip), %rax
    pushq %rax
    iretq

load_tables:
    # The GDT, and behind it the descriptor of the task state.
    leaq gdt(%rip), %rsi
    leaq v_gdt(%rbx), %rdi
    movl $gdt_quads, %ecx
    cld
    rep movsq
    # Limit 15:0, base 23:0, type, base 31:24.
    leaq v_tss(%rbx), %rax
    movq %rax, %rdx
    shlq $16, %rax
    movq $0x0000890000000000 + tss_bytes + io_bitmap_bytes - 1, %rcx
    movl $0xffffff, %r9d
    shlq $16, %r9
    andq %r9, %rax
    orq %rcx, %rax
    movq %rax, (%rdi)
    movq $0, 8(%rdi)
    andl $0xff000000, %edx
    orl %edx, 4(%rdi)

    subq $16, %rsp
    movw $(gdt_quads * 8 + 16 - 1), (%rsp)
    leaq v_gdt(%rbx), %rax
    movq %rax, 2(%rsp)
    lgdt (%rsp)
    addq $16, %rsp
    lidt idt_pointer(%rip)

    # The stack for traps, and the bitmap: it is all zero, so CPL 3 may use the ports below 0x400. The
    # privilege by RFLAGS.IOPL does not do: a KVM that runs CPL 3 alone on the CPU may drop it.
    leaq v_kernel_stack(%rbx), %rax
    movq %rax, v_tss + 4(%rbx)
    movw $tss_bytes, v_tss + 0x66(%rbx)
    movl $task, %eax
    ltr %ax
    ret

# XCR0: x87, SSE, AVX and AVX-512, as far as CPUID has them; in a TD, its XFAM says.
    .set xsave_features, 0xe7
enable_extended_state:
    movq %rbx, %rdi
    movl $1, %eax
    xorl %ecx, %ecx
    cpuid
    btl $26, %ecx               # XSAVE
    jnc 1f
    movq %cr4, %rax
    orl $0x40000, %eax          # OSXSAVE
    movq %rax, %cr4
    movl $0xd, %eax
    xorl %ecx, %ecx
    cpuid
    andl $xsave_features, %eax
    movq %rax, v_xcr0(%rdi)
    xorl %ecx, %ecx
    xorl %edx, %edx
    xsetbv
1:
    movq %rdi, %rbx
    ret
