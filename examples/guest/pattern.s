# Values that differ for each vCPU and each place: what is kept there, and must come back.
    .include "guest.inc"
    .text
    .globl pattern
# RAX: the number of a place, below 65536. Returns its value in RAX. RBX is the page of the vCPU; only
# RDX changes too.
pattern:
    movq v_number(%rbx), %rdx
    shlq $16, %rdx
    addq %rdx, %rax
    incq %rax
    movabsq $0x9e3779b97f4a7c15, %rdx   # odd, so no two products are alike
    imulq %rdx, %rax
    ret
