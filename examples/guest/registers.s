# What CPL 3 keeps in general registers, flags, XCR0, TSC and memory, and how it is checked. RBX is the
# page of the vCPU; other registers may change.
    .include "guest.inc"
    .text
    .globl choose_general, read_xcr0, fill_pattern, check_flags, check_memory, check_tsc, check_xcr0

    # ID, OF, DF, SF, ZF, AF, PF, CF; all but ZF are set. Not AC: a KVM that runs CPL 3 alone on the CPU does
    # so with its own CR0.AM, and would raise #AC.
    .set flags_checked, 0x200cd5
    .set flags_known, 0x200c95

choose_general:
    xorl %ecx, %ecx
1:
    movl %ecx, %eax
    call pattern
    movq %rax, v_known(%rbx, %rcx, 8)
    incl %ecx
    cmpl $16, %ecx
    jb 1b
    movq $flags_known, v_known + 8 * lost_flags(%rbx)
    # R15 counts.
    movq $0, v_known + 8 * 15(%rbx)
    ret

# RAX: the flags that were seen.
check_flags:
    andl $flags_checked, %eax
    cmpl $flags_known, %eax
    je 1f
    btsq $lost_flags, v_lost(%rbx)
1:
    ret

    .set pattern_place, 0x8000
fill_pattern:
    xorl %ecx, %ecx
1:
    leal pattern_place(%rcx), %eax
    call pattern
    movq %rax, v_pattern(%rbx, %rcx, 8)
    incl %ecx
    cmpl $pattern_words, %ecx
    jb 1b
    ret

# A word in each round.
check_memory:
    movl v_word(%rbx), %ecx
    leal pattern_place(%rcx), %eax
    call pattern
    cmpq %rax, v_pattern(%rbx, %rcx, 8)
    je 1f
    movq %rax, v_pattern(%rbx, %rcx, 8)
    btsq $lost_memory, v_lost(%rbx)
1:
    incl %ecx
    cmpl $pattern_words, %ecx
    jb 2f
    xorl %ecx, %ecx
2:
    movl %ecx, v_word(%rbx)
    ret

# It never runs backwards.
check_tsc:
    rdtsc
    shlq $32, %rdx
    orq %rdx, %rax
    cmpq v_tsc(%rbx), %rax
    movq %rax, v_tsc(%rbx)
    jae 1f
    btsq $lost_tsc, v_lost(%rbx)
1:
    ret

# As CPL 3 sees it. That is what CPL 0 has set, but for a KVM that runs CPL 3 with an XCR0 of its own.
read_xcr0:
    cmpq $0, v_xcr0(%rbx)
    je 1f
    xorl %ecx, %ecx
    xgetbv
    movl %eax, v_xcr0(%rbx)
1:
    ret

# It cannot be put back at CPL 3: what it has become is known from then on.
check_xcr0:
    movl v_xcr0(%rbx), %esi
    call read_xcr0
    cmpl v_xcr0(%rbx), %esi
    je 1f
    btsq $lost_xcr0, v_lost(%rbx)
1:
    ret
