// The memory of a trapped program.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace tdctl::supervisor {

// Out of reach: this process has no ptrace rights over the thread (Yama, a thread that made itself
// not dumpable, another user).
enum class Access { done, fault, out_of_reach };

// Whole, or `fault`. A write that faults may have written its first part, as copy_to_user may.
Access read_memory(pid_t thread, std::uint64_t address, std::span<std::byte> into);
Access write_memory(pid_t thread, std::uint64_t address, std::span<const std::byte> bytes);

// Room for the longest path that the kernel takes, with its end.
using PathBuffer = std::array<char, 4096>;
// `fault` also for a path that is longer than any may be.
Access read_path(pid_t thread, std::uint64_t address, PathBuffer& buffer, std::string_view* path);

}  // namespace tdctl::supervisor
