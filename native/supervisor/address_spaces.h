// Which threads share an address space. KVM answers EIO to any but that of a VM's creator.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "../util/unique_fd.h"

namespace tdctl::supervisor {

// Numbers address spaces from 1 on; none is used twice, also not after an exec.
using AddressSpace = std::uint32_t;

struct ThreadIdentity {
  pid_t process = 0;
  AddressSpace address_space = 0;
};

// Used by one thread.
class AddressSpaces {
 public:
  // Of a thread that waits for an answer. {0, 0}: it is gone, or out of reach; errno says why.
  ThreadIdentity of(pid_t thread);

 private:
  struct Known {
    AddressSpace number;
    pid_t process;
    // /proc/PID/mem, which stays with the address space it was opened on: once that is gone, by
    // exit or by exec, a read gives nothing.
    UniqueFd memory;
  };

  pid_t process_of(pid_t thread);
  AddressSpace known_by(pid_t process);
  AddressSpace shared_with(pid_t process);

  std::unordered_map<pid_t, pid_t> processes_;
  std::vector<Known> known_;
  AddressSpace last_ = 0;
};

}  // namespace tdctl::supervisor
