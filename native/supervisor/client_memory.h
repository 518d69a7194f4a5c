// The memory of a trapped program.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>

namespace tdctl::supervisor {

// Out of reach: this process has no ptrace rights over the thread (Yama, a thread that made itself
// not dumpable, another user).
enum class Access { done, fault, out_of_reach };

// Whole, or `fault`. A write that faults may have written its first part, as copy_to_user may.
Access read_memory(pid_t thread, std::uint64_t address, std::span<std::byte> into);
Access write_memory(pid_t thread, std::uint64_t address, std::span<const std::byte> bytes);

// How much of `into` could be read from the start of it; -1 where the memory is out of reach.
ssize_t read_start(pid_t thread, std::uint64_t address, std::span<std::byte> into);

}  // namespace tdctl::supervisor
