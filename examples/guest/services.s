# What CPL 0 does for CPL 3: ports, by TDVMCALL in a TD, and two ways to end. RBX is the page of the vCPU;
# the arguments are as CPL 3 left them in ECX, EDX and RSI. Every register but RAX is put back afterwards.
#
# TDVMCALL is TDCALL with 0 in RAX; RCX says which registers the host sees. Leaves and registers:
# Intel TDX Guest-Host-Communication Interface (GHCI), "TDG.VP.VMCALL".
    .include "guest.inc"
    .text
    .globl service_write_port, service_read_port, service_triple_fault, service_fatal_error

    .set vmcall_io, 30
    .set vmcall_fatal_error, 0x10003
    .set r10_to_r15, 0xfc00

    .macro tdcall
    .byte 0x66, 0x0f, 0x01, 0xcc    # Older assemblers do not know it.
    .endm

# ECX: bytes, 1 or 2. EDX: port. ESI: value.
service_write_port:
    cmpq $0, v_is_td(%rbx)
    jne 2f
    movl %esi, %eax
    cmpl $2, %ecx
    je 1f
    outb %al, %dx
    ret
1:
    outw %ax, %dx
    ret
2:
    movl %esi, %r15d
    movl $1, %r13d
    jmp io

# EDX: port. Returns the byte in RAX.
service_read_port:
    cmpq $0, v_is_td(%rbx)
    jne 1f
    xorl %eax, %eax
    inb %dx, %al
    ret
1:
    movl $1, %ecx
    xorl %r13d, %r13d
    xorl %r15d, %r15d
    call io
    movzbl %r11b, %eax
    ret

# ECX: bytes, R13: whether it writes, EDX: port, R15: value. Returns what was read in R11.
io:
    xorl %r10d, %r10d
    movl $vmcall_io, %r11d
    movl %ecx, %r12d
    movl %edx, %r14d
    movl $r10_to_r15, %ecx
    xorl %eax, %eax
    tdcall
    ret

# No table of exceptions, and an exception.
service_triple_fault:
    subq $16, %rsp
    movq $0, (%rsp)
    movq $0, 8(%rsp)
    lidt (%rsp)
    ud2

# RSI: 64 bytes of text, for the host. In a TD alone. It does not return from that; if it does, the vCPU
# ends by itself.
service_fatal_error:
    cmpq $0, v_is_td(%rbx)
    je service_triple_fault
    movq %rsi, %rax
    xorl %r10d, %r10d
    movl $vmcall_fatal_error, %r11d
    xorl %r12d, %r12d               # the code: what the text says
    xorl %r13d, %r13d
    movq (%rax), %r14
    movq 8(%rax), %r15
    movq 16(%rax), %rbx
    movq 24(%rax), %rdi
    movq 32(%rax), %rsi
    movq 40(%rax), %r8
    movq 48(%rax), %r9
    movq 56(%rax), %rdx
    movl $r10_to_r15 | 0x03cc, %ecx # and RDX, RBX, RSI, RDI, R8, R9
    xorl %eax, %eax
    tdcall
    jmp service_triple_fault
