#include "address_spaces.h"

#include <fcntl.h>
#include <linux/kcmp.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "thread_status.h"

namespace tdctl::supervisor {

namespace {

constexpr std::size_t most_threads = 4096;

UniqueFd memory_of(pid_t process) {
  char path[48];
  std::snprintf(path, sizeof path, "/proc/%d/mem", process);
  return UniqueFd(::open(path, O_RDONLY | O_CLOEXEC));
}

// Address 0 is mapped in no program: EIO as long as the address space lives, then end of file.
bool is_alive(int memory) {
  char byte;
  return ::pread(memory, &byte, 1, 0) != 0;
}

bool is_thread_of(pid_t process, pid_t thread) {
  return ::syscall(__NR_tgkill, process, thread, 0) == 0;
}

}  // namespace

ThreadIdentity AddressSpaces::of(pid_t thread) {
  const pid_t process = process_of(thread);
  if (process == 0) return {};
  AddressSpace number = known_by(process);
  if (number == 0) number = shared_with(process);
  if (number != 0) return {process, number};

  UniqueFd memory = memory_of(process);
  if (!memory.is_open()) return {};
  known_.push_back({.number = ++last_, .process = process, .memory = std::move(memory)});
  return {process, last_};
}

// Asked of the kernel each time, because thread numbers come back; reading /proc is for new ones.
pid_t AddressSpaces::process_of(pid_t thread) {
  const auto found = processes_.find(thread);
  if (found != processes_.end() && is_thread_of(found->second, thread)) return found->second;

  StatusField group = {.name = "Tgid", .base = 10};
  if (!read_status(thread, {&group, 1}) || group.value == 0) return 0;
  const auto process = static_cast<pid_t>(group.value);
  // Threads come and go; those that are asked of again are read anew.
  if (processes_.size() >= most_threads) processes_.clear();
  processes_[thread] = process;
  return process;
}

AddressSpace AddressSpaces::known_by(pid_t process) {
  const auto known = std::find_if(known_.begin(), known_.end(),
                                  [process](const Known& each) { return each.process == process; });
  if (known == known_.end()) return 0;
  if (is_alive(known->memory.get())) return known->number;
  known_.erase(known);
  return 0;
}

// A child of vfork runs in its parent's memory until it calls exec, so what is found here is not
// kept. Where the kernel has no kcmp, such a child counts as another address space. Those that are
// gone are looked for here, and not at each call: their processes may live on in other memory.
AddressSpace AddressSpaces::shared_with(pid_t process) {
  std::erase_if(known_, [](const Known& known) { return !is_alive(known.memory.get()); });
  for (const Known& known : known_) {
    if (::syscall(__NR_kcmp, process, known.process, KCMP_VM, 0, 0) == 0) return known.number;
  }
  return 0;
}

}  // namespace tdctl::supervisor
