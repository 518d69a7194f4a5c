# Tables that the CPU reads, and that nobody writes: accessed and dirty bits are set in advance, so that
# they may lie in read-only memory.
    .include "guest.inc"
    .section .rodata
    .globl gdt, gdt_end, gdt_pointer, idt_pointer, page_tables

    .balign 16
gdt:
    .quad 0
    .quad 0x00af9b000000ffff    # code_0
    .quad 0x00cf93000000ffff    # data_0
    .quad 0x00cff3000000ffff    # data_3
    .quad 0x00affb000000ffff    # code_3
gdt_end:
    # Each vCPU has a copy with its own task state behind.

gdt_pointer:
    .word gdt_end - gdt - 1
    .long gdt

idt_pointer:
    .word 32 * 16 - 1
    .quad idt

# An interrupt gate to CPL 0 for each exception. The linker knows the address as a whole only; its upper
# half is that of the image, below 4 GiB.
    .balign 16
idt:
    .set vector, 0
    .rept 32
    .reloc ., R_X86_64_16, exceptions_offset + 16 * vector
    .word 0
    .word code_0
    .byte 0
    .byte 0x8e
    .word 0xffff
    .long 0
    .long 0
    .set vector, vector + 1
    .endr

# Identity, in pages of 2 MiB, for both levels of privilege: the memory of the guest, and the image.
# Nothing else is mapped: in a TD other memory would have to be accepted first.
    .set table, 0x27            # present, writable, user, accessed
    .set large, 0xe7            # and dirty, and a page
    .section .tables, "a"
    .balign 0x1000
page_tables:
    .quad level3 + table
    .fill 511, 8, 0
level3:
    .quad level2_low + table
    .quad 0, 0
    .quad level2_high + table
    .fill 508, 8, 0
level2_low:
    .fill 4, 8, 0
    .quad 0x800000 + large
    .fill 507, 8, 0
level2_high:
    .fill 511, 8, 0
    .quad 0xffe00000 + large
