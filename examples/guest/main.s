# The count, at CPL 3. A round waits with known values in all registers, then looks whether they are still
# there; after many rounds the vCPU says its count, which goes up by one each time.
    .include "guest.inc"
    .text
    .globl main, unwanted_exception

    .set pauses, 64
    .set rounds_of_count, 0x1000

main:
    find_vcpu %rbx
    call choose_general
    call read_xcr0
    call choose_state
    call load_state
    call fill_pattern
    call say_hello
    rdtsc
    shlq $32, %rdx
    orq %rdx, %rax
    movq %rax, v_tsc(%rbx)

    # RSP is v_user_stack at the top of a round. It is how everything else is found.
    .set here, -v_user_stack
    .set known_r15, v_known + 8 * 15
round:
    # R15 counts rounds, so that old registers with new memory are found out too.
    incq known_r15 + here(%rsp)
    pushq v_known + 8 * lost_flags + here(%rsp)
    .set at, 0
    .irp register, rax, rcx, rdx, rbx, none, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15
    .ifnc \register, none
    movq v_known + 8 * at + 8 + here(%rsp), %\register
    .endif
    .set at, at + 1
    .endr
    popfq
    .rept pauses
    pause
    .endr
    pushfq
    cld
    .set at, 0
    .irp register, rax, rcx, rdx, rbx, none, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15
    .ifnc \register, none
    cmpq %\register, v_known + 8 * at + 8 + here(%rsp)
    je 1f
    btsq $at, v_lost + 8 + here(%rsp)
1:
    .endif
    .set at, at + 1
    .endr
    popq %rax
    find_vcpu %rbx
    call check_flags
    call check_state
    call check_memory
    call check_tsc
    call check_xcr0
    testl $rounds_of_count - 1, known_r15(%rbx)
    jnz 2f
    ask service_check
    call say_count
    call listen
2:
    movq v_lost(%rbx), %rax
    orq v_lost + 8(%rbx), %rax
    jz round
    call say_lost
    jmp round

# CPL 0 sends the vCPU here after an exception that it did not ask for: vector in RAX, address in RDI.
unwanted_exception:
    find_vcpu %rbx
    call say_exception
    jmp round
