#pragma once

namespace tdctl::supervisor {

// Of a fork that goes on without exec: unmaps the heaps that it has from its parent. Else every page
// that the parent writes to from now on would be copied, and be there twice. What system calls and
// the C library's wrappers need stays. System calls only.
void let_own_memory_go();

}  // namespace tdctl::supervisor
