# The extended state: x87, SSE, and the upper halves of AVX where XCR0 has them. Nothing else here touches
# these registers, so they hold their values from the start. RBX is the page of the vCPU; other registers
# may change.
    .include "guest.inc"
    .text
    .globl choose_state, load_state, check_state

    .set known_st, v_state_known + 32
    .set known_xmm, v_state_known + 160
    .set known_ymm, v_state_known + 512

# The image that FXRSTOR takes (Intel SDM, "FXSAVE Area").
choose_state:
    # Control: all exceptions masked, double precision, towards zero. Status: three registers were pushed
    # since the stack wrapped, C3 and C0. All registers are in use.
    movl $0x59000e7f, v_state_known(%rbx)
    movl $0x000000ff, v_state_known + 4(%rbx)
    # Flush to zero, round towards zero, all exceptions masked, IE and PE seen.
    movl $0x0000ffa1, v_state_known + 24(%rbx)
    xorl %ecx, %ecx
1:
    leal lost_st(%rcx), %eax
    call pattern
    btsq $63, %rax              # a normal number has its integer bit
    movl %ecx, %edi
    shll $4, %edi
    movq %rax, known_st(%rbx, %rdi)
    andl $0x3fff, %eax
    incl %eax
    movw %ax, known_st + 8(%rbx, %rdi)
    incl %ecx
    cmpl $8, %ecx
    jb 1b

    # 8 bytes each: 32 of xmm0 to xmm15, then 32 of the upper halves.
    xorl %ecx, %ecx
2:
    leal 0x100(%rcx), %eax
    call pattern
    movq %rax, known_xmm(%rbx, %rcx, 8)
    leal 0x200(%rcx), %eax
    call pattern
    movq %rax, known_ymm(%rbx, %rcx, 8)
    incl %ecx
    cmpl $32, %ecx
    jb 2b
    ret

    .set avx, 4
load_state:
    fxrstor64 v_state_known(%rbx)
    testl $avx, v_xcr0(%rbx)
    jz 1f
    .irp at, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    vinsertf128 $1, known_ymm + 16 * \at(%rbx), %ymm\at, %ymm\at
    .endr
1:
    ret

check_state:
    fxsave64 v_state_seen(%rbx)
    movl $fields_without_avx, %ecx
    testl $avx, v_xcr0(%rbx)
    jz 1f
    .irp at, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    vextractf128 $1, %ymm\at, v_state_seen + 512 + 16 * \at(%rbx)
    .endr
    movl $fields_with_avx, %ecx
1:
    leaq fields(%rip), %rsi
    xorl %r8d, %r8d             # whether anything was lost
2:
    movzwl (%rsi), %edi
    movzwl 2(%rsi), %edx
    movq v_state_known(%rbx, %rdi), %rax
    xorq v_state_seen(%rbx, %rdi), %rax
    andq 8(%rsi), %rax
    jz 3f
    btsq %rdx, v_lost(%rbx)
    incl %r8d
3:
    addq $16, %rsi
    decl %ecx
    jnz 2b
    testl %r8d, %r8d
    jnz load_state
    ret

    # Where something lies in the state, which of the 64 bits there are of it, and what it is.
    .section .rodata
    .balign 8
    .macro field offset, lost, bits
    .word \offset
    .word \lost
    .long 0
    .quad \bits
    .endm
fields:
    field 0, lost_x87_control, 0xffff
    field 0, lost_x87_status, 0xffff0000
    field 0, lost_x87_tags, 0xff00000000
    field 24, lost_mxcsr, 0xffffffff
    .irp at, 0, 1, 2, 3, 4, 5, 6, 7
    field (32+16*\at), (lost_st+\at), -1
    field (40+16*\at), (lost_st+\at), 0xffff
    .endr
    .irp at, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    field (160+16*\at), (lost_xmm+\at), -1
    field (168+16*\at), (lost_xmm+\at), -1
    .endr
    .set fields_without_avx, (. - fields) / 16
    .irp at, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    field (512+16*\at), (lost_ymm+\at), -1
    field (520+16*\at), (lost_ymm+\at), -1
    .endr
    .set fields_with_avx, (. - fields) / 16
