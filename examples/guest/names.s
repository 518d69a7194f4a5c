# The names of what can be lost, in the order of the numbers in guest.inc.
    .section .rodata
    .globl names
names:
    .asciz "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi"
    .asciz "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"
    .asciz "flags", "tsc", "memory", "xcr0"
    .asciz "x87 control", "x87 status", "x87 tags", "mxcsr"
    .irp at, 0, 1, 2, 3, 4, 5, 6, 7
    .asciz "st\at"
    .endr
    .irp at, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    .asciz "xmm\at"
    .endr
    .irp at, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    .asciz "ymm\at"
    .endr
    .asciz "cr0", "cr2", "cr3", "cr4", "cr8"
    .asciz "dr0", "dr1", "dr2", "dr3"
    .asciz "star", "lstar", "sfmask", "kernel_gs_base", "fs_base", "gs_base"
    .asciz "sysenter_esp", "sysenter_eip"
