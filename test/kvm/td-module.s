# Plays the TDX module and the host behind it for the example guest in a plain VM: UD2 and two NOPs are in the place
# of each TDCALL, and the gate for #UD leads here. It takes TDG.VP.VMCALL as the GHCI has it, and nothing that
# deviates from it: then the guest ends by a triple fault. `original` is the handler that the guest has for #UD.
    .text
    # On the stack: RIP, CS, RFLAGS, RSP, SS.
    testb $3, 8(%rsp)
    jnz original
    pushq %rax
    movq 8(%rsp), %rax
    cmpl $0x90900b0f, (%rax)
    popq %rax
    jne original
    addq $4, (%rsp)
    testq %rax, %rax            # TDG.VP.VMCALL
    jnz refuse
    testq %r10, %r10            # a leaf of the GHCI
    jnz refuse
    cmpq $30, %r11
    je io
    cmpq $0x10003, %r11
    je fatal_error
refuse:
    lidt no_table(%rip)
    ud2

# R12: bytes, R13: whether it writes, R14: port, R15: value.
io:
    cmpq $0xfc00, %rcx
    jne refuse
    pushq %rdx
    movq %r14, %rdx
    cmpq $1, %r13
    je 1f
    jnb refuse
    cmpq $1, %r12
    jne refuse
    inb %dx, %al
    movzbl %al, %r11d
    jmp 3f
1:
    movq %r15, %rax
    cmpq $1, %r12
    jne 2f
    outb %al, %dx
    jmp 3f
2:
    cmpq $2, %r12
    jne refuse
    outw %ax, %dx
3:
    # The host may change what it saw.
    movq $-1, %r12
    movq $-1, %r13
    movq $-1, %r14
    movq $-1, %r15
    popq %rdx
    xorl %eax, %eax
    iretq

# R14, R15, RBX, RDI, RSI, R8, R9, RDX: 64 bytes of text. They go to the debug console, then the VM ends.
fatal_error:
    cmpq $0xffcc, %rcx
    jne refuse
    testq %r12, %r12
    jnz refuse
    pushq %rdx
    pushq %r9
    pushq %r8
    pushq %rsi
    pushq %rdi
    pushq %rbx
    pushq %r15
    pushq %r14
    movq %rsp, %rsi
    movl $64, %ecx
    movl $0x402, %edx
    cld
    rep outsb
    movl $0x2000, %eax
    movl $0x604, %edx
    outw %ax, %dx

no_table:
    .word 0
    .quad 0
