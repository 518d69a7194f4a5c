# Lines on COM1. A line is put together in the page of the vCPU, then goes out whole under a lock that all
# vCPUs have in common. RBX is the page of the vCPU; other registers may change.
#
# The transmitter is not asked whether it is empty: the serial port of a virtual machine takes a byte at once.
    .include "guest.inc"
    .text
    .globl put_text, put_number, put_byte, say, say_text, read_com1_port, release_lock

# A line begins at v_line wherever the last one was said.
# RSI: text that ends with 0. Leaves RSI behind it.
put_text:
    lodsb
    testb %al, %al
    jz 1f
    call put_byte
    jmp put_text
1:
    ret

# AL. What is more than a line has is dropped; two bytes are kept for its end.
put_byte:
    movq v_line_end(%rbx), %rdi
    cmpl $line_limit - 2, %edi
    jae 1f
    movb %al, v_line(%rbx, %rdi)
    incq v_line_end(%rbx)
1:
    ret

# RAX, in decimal digits.
put_number:
    movl $10, %ecx
    xorl %edx, %edx
    divq %rcx
    pushq %rdx
    testq %rax, %rax
    jz 1f
    call put_number
1:
    popq %rax
    addb $'0', %al
    jmp put_byte

# RSI: text that ends with 0, as a line of its own.
say_text:
    call put_text
# Ends the line and sends it.
say:
    movq v_line_end(%rbx), %rdi
    movw $0x0a0d, v_line(%rbx, %rdi)
    leaq 2(%rdi), %rbp
    movq $0, v_line_end(%rbx)
    call take_lock
    leaq v_line(%rbx), %r12
1:
    movzbl (%r12), %esi
    call send
    incq %r12
    decq %rbp
    jnz 1b
# Fall through.
release_lock:
    movl $0, lock
    ret

take_lock:
    movl v_number(%rbx), %edx
    incl %edx
1:
    xorl %eax, %eax
    lock cmpxchgl %edx, lock
    je 2f
    pause
    jmp 1b
2:
    ret

# ESI: a byte.
send:
    movl $com1, %edx
    cmpq $0, v_is_td(%rbx)
    jne 1f
    movl %esi, %eax
    outb %al, %dx
    ret
1:
    movl $1, %ecx
    ask service_out
    ret

# EDX: a port of COM1. Returns in EAX what it reads.
read_com1_port:
    cmpq $0, v_is_td(%rbx)
    jne 1f
    xorl %eax, %eax
    inb %dx, %al
    ret
1:
    ask service_in
    ret
