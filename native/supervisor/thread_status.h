// What /proc/TID/status says of a thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string_view>

namespace tdctl::supervisor {

struct StatusField {
  // Without the colon after it.
  std::string_view name;
  int base;
  // 0 where the kernel does not tell it.
  std::uint64_t value = 0;
};

// Reads the fields, which are asked for in the kernel's order. False, with errno set: the thread is
// gone, or out of reach. Whatever stands between is passed over in little memory: `Groups:` alone
// takes up to 720 KiB, and `Name:` has what the program wrote there, with its line ends escaped.
bool read_status(pid_t thread, std::span<StatusField> fields);

}  // namespace tdctl::supervisor
