# What is typed at the guest: vCPU 0 listens whenever it has said its count. RBX is the page of the vCPU;
# other registers may change.
    .include "guest.inc"
    .text
    .globl listen

    .set line_status_data, 1
    .set backspace, 8
    .set delete, 0x7f

listen:
    cmpq $0, v_number(%rbx)
    jne 1f
    movl $com1_line_status, %edx
    call read_com1_port
    # Without a serial port all bits are set.
    cmpb $0xff, %al
    je 1f
    testb $line_status_data, %al
    jz 1f
    movl $com1, %edx
    call read_com1_port
    call take_byte
    jmp listen
1:
    ret

# AL: a byte typed.
take_byte:
    movl v_typed_end(%rbx), %ecx
    cmpb $'\r', %al
    je answer
    cmpb $'\n', %al
    je answer
    cmpb $backspace, %al
    je 2f
    cmpb $delete, %al
    je 2f
    # Other control characters are no part of a line, nor is what is too much for it.
    cmpb $' ', %al
    jb 1f
    cmpl $typed_limit, %ecx
    jae 1f
    movb %al, v_typed(%rbx, %rcx)
    incl v_typed_end(%rbx)
1:
    ret
2:
    testl %ecx, %ecx
    jz 1b
    decl v_typed_end(%rbx)
    ret

# An empty line has no answer: it may be the second half of CR LF.
answer:
    testl %ecx, %ecx
    jz 9f
    movb $0, v_typed(%rbx, %rcx)
    movl $0, v_typed_end(%rbx)
    leaq commands(%rip), %r8
1:
    movslq (%r8), %rax
    testq %rax, %rax
    jz 3f
    leaq commands(%rip), %rsi
    addq %rax, %rsi
    leaq v_typed(%rbx), %rdi
    call begins_with
    je 2f
    addq $8, %r8
    jmp 1b
2:
    movslq 4(%r8), %rax
    leaq commands(%rip), %rcx
    addq %rcx, %rax
    jmp *%rax               # RDI: what follows the word
3:
    leaq you_said(%rip), %rsi
    call put_text
    leaq v_typed(%rbx), %rsi
    jmp say_text
9:
    ret

# RSI: a word; RDI: a line. Equal where the line is the word alone, or the word and a space before more.
# Leaves RDI at that.
begins_with:
    lodsb
    testb %al, %al
    jz 1f
    cmpb (%rdi), %al
    leaq 1(%rdi), %rdi
    je begins_with
    ret
1:
    cmpb $0, (%rdi)
    je 2f
    cmpb $' ', (%rdi)
    leaq 1(%rdi), %rdi
2:
    ret

power_off:
    leaq goodbye(%rip), %rsi
    call say_text
    movl $power_control, %edx
    movl $0x2000, %esi          # SLP_EN, to S5
    movl $2, %ecx
    ask service_out
    ret

reset:
    movl $reset_control, %edx
    movl $1, %ecx
    movl $2, %esi
    ask service_out
    movl $6, %esi
    ask service_out
    ret

crash:
    ask service_crash

# Says the text, and tells it to the host: the first 64 bytes.
panic:
    pushq %rdi
    leaq panic_is(%rip), %rsi
    call put_text
    movq (%rsp), %rsi
    call put_text
    pushq %rsi
    call say
    # Nothing of an earlier line behind it.
    popq %rdi
    leaq v_typed + typed_bytes(%rbx), %rcx
    subq %rdi, %rcx
    xorl %eax, %eax
    rep stosb
    popq %rsi
    ask service_report

spin:
    jmp spin

# Lines as fast as they go, as many as are asked for.
    .set flood_lines, 1000
flood:
    call read_number
    testl %eax, %eax
    jnz 1f
    movl $flood_lines, %eax
1:
    movl %eax, %r15d
    xorl %r14d, %r14d
2:
    incl %r14d
    leaq flood_is(%rip), %rsi
    call put_text
    movl %r14d, %eax
    call put_number
    call say
    cmpl %r15d, %r14d
    jb 2b
    ret

# RDI: digits. Returns the number in EAX, 0 where there are none.
read_number:
    xorl %eax, %eax
1:
    movzbl (%rdi), %ecx
    subl $'0', %ecx
    cmpl $9, %ecx
    ja 2f
    imull $10, %eax, %eax
    addl %ecx, %eax
    incq %rdi
    jmp 1b
2:
    ret

escape:
    leaq escapes(%rip), %rsi
    jmp say_text

help:
    leaq help_is(%rip), %rsi
    jmp say_text

    .section .rodata
    .balign 4
    .macro command word, answer
    .long \word - commands
    .long \answer - commands
    .endm
commands:
    command word_quit, power_off
    command word_poweroff, power_off
    command word_reset, reset
    command word_crash, crash
    command word_panic, panic
    command word_spin, spin
    command word_flood, flood
    command word_escape, escape
    command word_help, help
    .long 0

word_quit: .asciz "quit"
word_poweroff: .asciz "poweroff"
word_reset: .asciz "reset"
word_crash: .asciz "crash"
word_panic: .asciz "panic"
word_spin: .asciz "spin"
word_flood: .asciz "flood"
word_escape: .asciz "escape"
word_help: .asciz "help"

you_said: .asciz "you said: "
goodbye: .asciz "goodbye"
panic_is: .asciz "panic: "
flood_is: .asciz "flood "
help_is: .asciz "help: quit, poweroff, reset, crash, panic TEXT, spin, flood [LINES], escape, help"
# Clear the screen, red, a title, the cursor's place asked for, a bell, a C1 CSI; then all as before.
escapes: .asciz "escape: \033[2J\033[31mred\033]0;a title\007\033[6n\007\2332J\033[0m"
