#include "client_memory.h"

#include <sys/uio.h>

#include <cerrno>

namespace tdctl::supervisor {

namespace {

void* pointer(std::uint64_t address) { return reinterpret_cast<void*>(address); }

Access judged(ssize_t done, std::size_t wanted) {
  if (done >= 0) return static_cast<std::size_t>(done) == wanted ? Access::done : Access::fault;
  // ESRCH: the thread is gone, and nobody waits for what its memory held.
  return errno == EPERM ? Access::out_of_reach : Access::fault;
}

}  // namespace

Access read_memory(pid_t thread, std::uint64_t address, std::span<std::byte> into) {
  const iovec local = {.iov_base = into.data(), .iov_len = into.size()};
  const iovec remote = {.iov_base = pointer(address), .iov_len = into.size()};
  return judged(::process_vm_readv(thread, &local, 1, &remote, 1, 0), into.size());
}

Access write_memory(pid_t thread, std::uint64_t address, std::span<const std::byte> bytes) {
  const iovec local = {.iov_base = const_cast<std::byte*>(bytes.data()), .iov_len = bytes.size()};
  const iovec remote = {.iov_base = pointer(address), .iov_len = bytes.size()};
  return judged(::process_vm_writev(thread, &local, 1, &remote, 1, 0), bytes.size());
}

ssize_t read_start(pid_t thread, std::uint64_t address, std::span<std::byte> into) {
  const iovec local = {.iov_base = into.data(), .iov_len = into.size()};
  const iovec remote = {.iov_base = pointer(address), .iov_len = into.size()};
  const ssize_t done = ::process_vm_readv(thread, &local, 1, &remote, 1, 0);
  if (done >= 0) return done;
  return errno == EPERM ? -1 : 0;
}

}  // namespace tdctl::supervisor
