# Registers that only CPL 0 reaches: each holds a value of its own for each vCPU, and is looked at when
# the vCPU says its count. What is lost is put back. RBX is the page of the vCPU.
    .include "guest.inc"
    .text
    .globl choose_privileged, load_privileged, check_privileged

    # Where the known value of control register, debug register or MSR number `at` lies.
    .set known_cr, v_known_privileged
    .set known_dr, v_known_privileged + 8 * (lost_dr - lost_cr)
    .set known_msr, v_known_privileged + 8 * (lost_msr - lost_cr)

choose_privileged:
    movq %cr0, %rax
    movq %rax, known_cr(%rbx)
    movq %cr3, %rax
    movq %rax, known_cr + 16(%rbx)
    movq %cr4, %rax
    movq %rax, known_cr + 24(%rbx)
    # The task priority: 1 to 8. No interrupt is ever let in.
    movl v_number(%rbx), %eax
    andl $7, %eax
    incl %eax
    movq %rax, known_cr + 32(%rbx)
    movl $lost_cr + 1, %eax
    call pattern
    movq %rax, known_cr + 8(%rbx)

    # Canonical addresses. No breakpoint is enabled: DR7 stays as it was.
    movabsq $0x00007ffffffffff8, %r9
    .irp at, 0, 1, 2, 3
    movl $lost_dr + \at, %eax
    call pattern
    andq %r9, %rax
    movq %rax, known_dr + 8 * \at(%rbx)
    .endr

    leaq msr_table(%rip), %r10
    leaq known_msr(%rbx), %rdi
    movl $lost_msr, %r11d
1:
    movl %r11d, %eax
    call pattern
    andq 8(%r10), %rax
    movq %rax, (%rdi)
    addq $8, %rdi
    addq $16, %r10
    incl %r11d
    cmpl $lost_msr + msrs, %r11d
    jb 1b
    ret

load_privileged:
    movq known_cr + 8(%rbx), %rax
    movq %rax, %cr2
    movq known_cr + 32(%rbx), %rax
    movq %rax, %cr8
    .irp at, 0, 1, 2, 3
    movq known_dr + 8 * \at(%rbx), %rax
    movq %rax, %db\at
    .endr
    leaq msr_table(%rip), %r10
    leaq known_msr(%rbx), %rdi
    movl $msrs, %r11d
1:
    movl (%r10), %ecx
    movl (%rdi), %eax
    movl 4(%rdi), %edx
    wrmsr
    addq $8, %rdi
    addq $16, %r10
    decl %r11d
    jnz 1b
    ret

    .macro check_register register, number, known
    movq %\register, %rax
    cmpq \known(%rbx), %rax
    je 1f
    btsq $\number - 64, v_lost + 8(%rbx)
1:
    .endm

check_privileged:
    check_register cr0, lost_cr, known_cr
    check_register cr2, lost_cr + 1, known_cr + 8
    check_register cr3, lost_cr + 2, known_cr + 16
    check_register cr4, lost_cr + 3, known_cr + 24
    check_register cr8, lost_cr + 4, known_cr + 32
    .irp at, 0, 1, 2, 3
    check_register db\at, (lost_dr + \at), (known_dr + 8 * \at)
    .endr
    leaq msr_table(%rip), %r10
    leaq known_msr(%rbx), %rdi
    movl $lost_msr - 64, %r11d
2:
    movl (%r10), %ecx
    rdmsr
    shlq $32, %rdx
    orq %rdx, %rax
    cmpq (%rdi), %rax
    je 3f
    btsq %r11, v_lost + 8(%rbx)
3:
    addq $8, %rdi
    addq $16, %r10
    incl %r11d
    cmpl $lost_msr + msrs - 64, %r11d
    jb 2b
    cmpq $0, v_lost + 8(%rbx)
    jne load_privileged
    ret

    # The MSRs, in the order of names.s, and which bits of a pattern they can hold. All are the guest's own
    # in a TD too, where reading or writing them raises no #VE.
    .section .rodata
    .balign 16
    .macro msr index, bits
    .quad \index
    .quad \bits
    .endm
msr_table:
    msr 0xc0000081, 0xffff000000000000      # STAR, the selectors of SYSRET
    msr 0xc0000082, 0x00007fffffffffff      # LSTAR
    msr 0xc0000084, 0x00000000003f7fd5      # SFMASK, of flags that there are
    msr 0xc0000102, 0x00007fffffffffff      # KERNEL_GS_BASE
    msr 0xc0000100, 0x00007fffffffffff      # FS_BASE
    msr 0xc0000101, 0x00007fffffffffff      # GS_BASE
    msr 0x00000175, 0x00007fffffffffff      # SYSENTER_ESP
    msr 0x00000176, 0x00007fffffffffff      # SYSENTER_EIP
