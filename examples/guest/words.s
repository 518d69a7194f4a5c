# What the guest says by itself. README.md has the grammar. RBX is the page of the vCPU; other registers
# may change.
    .include "guest.inc"
    .text
    .globl say_hello, say_count, say_lost, say_exception

say_hello:
    leaq hello_from(%rip), %rsi
    call put_vcpu
    leaq of_td(%rip), %rsi
    cmpq $0, v_is_td(%rbx)
    jne say_text
    leaq of_plain_vm(%rip), %rsi
    jmp say_text

say_count:
    incq v_count(%rbx)
    leaq vcpu(%rip), %rsi
    call put_vcpu
    leaq count(%rip), %rsi
    call put_text
    movq v_count(%rbx), %rax
    call put_number
    jmp say

# A line for each bit of v_lost, which are all clear afterwards.
say_lost:
    leaq names(%rip), %r13
    xorl %r14d, %r14d
1:
    btrq %r14, v_lost(%rbx)
    jnc 2f
    leaq vcpu(%rip), %rsi
    call put_vcpu
    leaq lost(%rip), %rsi
    call put_text
    movq %r13, %rsi
    call say_text
2:
    cmpb $0, (%r13)
    leaq 1(%r13), %r13
    jne 2b
    incl %r14d
    cmpl $lost_msr + msrs, %r14d
    jb 1b
    ret

# RAX: vector, RDI: where.
say_exception:
    movq %rdi, %r14
    movq %rax, %r13
    movq $0, v_line_end(%rbx)
    # It may have come while this vCPU printed.
    movl v_number(%rbx), %eax
    incl %eax
    cmpl %eax, lock
    jne 1f
    call release_lock
1:
    leaq vcpu(%rip), %rsi
    call put_vcpu
    leaq lost(%rip), %rsi
    call put_text
    leaq exception(%rip), %rsi
    call put_text
    movq %r13, %rax
    call put_number
    leaq at_address(%rip), %rsi
    call put_text
    movq %r14, %rax
    call put_number
    jmp say

# RSI: the words before the number of the vCPU.
put_vcpu:
    call put_text
    movq v_number(%rbx), %rax
    jmp put_number

    .section .rodata
hello_from: .asciz "hello from vcpu "
of_td: .asciz " of a TD"
of_plain_vm: .asciz " of a plain VM"
vcpu: .asciz "vcpu "
count: .asciz " count "
lost: .asciz " LOST "
exception: .asciz "exception "
at_address: .asciz " at "
