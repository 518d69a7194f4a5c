# The way into CPL 0: every exception comes here. UD2 with the number of a service in RAX is a call; an
# INT would do as well on a CPU, but a KVM that runs CPL 3 alone on the CPU does not emulate it. Anything
# else is an exception that nobody wanted: the vCPU says so, and goes on with its count.
    .include "guest.inc"
    .text
    .globl exceptions

    # 16 bytes for each vector. Some push an error code; for the others, 0 is pushed.
    .balign 16, 0x90
exceptions:
    .set vector, 0
    .rept 32
    .if (0x60227d00 >> vector) & 1
    .else
    pushq $0
    .endif
    pushq $vector
    jmp any_exception
    .balign 16, 0x90
    .set vector, vector + 1
    .endr

    # On the stack: vector, error code, RIP, CS, RFLAGS, RSP, SS.
    .set saved, 8 * 14
any_exception:
    pushq %r15
    pushq %r14
    pushq %r13
    pushq %r12
    pushq %r11
    pushq %r10
    pushq %r9
    pushq %r8
    pushq %rdi
    pushq %rsi
    pushq %rbp
    pushq %rbx
    pushq %rdx
    pushq %rcx
    cld
    movq %rsp, %rbx
    andq $-0x1000, %rbx
    cmpl $6, saved(%rsp)
    jne unwanted
    testb $3, saved + 24(%rsp)
    jz unwanted
    cmpl $services, %eax
    jae unwanted
    addq $2, saved + 16(%rsp)
    leaq service_table(%rip), %r8
    movslq (%r8, %rax, 4), %rax
    addq %r8, %rax
    call *%rax

leave:
    popq %rcx
    popq %rdx
    popq %rbx
    popq %rbp
    popq %rsi
    popq %rdi
    popq %r8
    popq %r9
    popq %r10
    popq %r11
    popq %r12
    popq %r13
    popq %r14
    popq %r15
    addq $16, %rsp
    iretq

    # To unwanted_exception at CPL 3, with the vector in RAX and the address in RDI.
unwanted:
    movl saved(%rsp), %eax
    movq saved + 16(%rsp), %rdi
    movq %rdi, 8 * 5(%rsp)
    leaq unwanted_exception(%rip), %rcx
    movq %rcx, saved + 16(%rsp)
    movq $code_3, saved + 24(%rsp)
    movq $2, saved + 32(%rsp)
    leaq v_user_stack(%rbx), %rcx
    movq %rcx, saved + 40(%rsp)
    movq $data_3, saved + 48(%rsp)
    jmp leave

    .section .rodata
    .balign 4
service_table:
    .long unwanted - service_table
    .long check_privileged - service_table
    .long service_write_port - service_table
    .long service_read_port - service_table
    .long service_triple_fault - service_table
    .long service_fatal_error - service_table
    .set services, 6
