#include "client_memory.h"

#include <sys/uio.h>

#include <cerrno>
#include <cstring>

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

// Most paths are short, and end in the page they begin in. A read that comes to the end of the memory
// gives what there is.
Access read_path(pid_t thread, std::uint64_t address, PathBuffer& buffer, std::string_view* path) {
  constexpr std::size_t of_most = 128;
  std::size_t length = 0;
  while (length < buffer.size()) {
    const std::size_t wanted = length == 0 ? of_most : buffer.size() - length;
    const iovec local = {.iov_base = buffer.data() + length, .iov_len = wanted};
    const iovec remote = {.iov_base = pointer(address + length), .iov_len = wanted};
    const ssize_t done = ::process_vm_readv(thread, &local, 1, &remote, 1, 0);
    if (done <= 0) return done < 0 && errno == EPERM ? Access::out_of_reach : Access::fault;
    const void* end = std::memchr(buffer.data() + length, 0, static_cast<std::size_t>(done));
    length += static_cast<std::size_t>(done);
    if (end == nullptr) continue;
    *path = {buffer.data(), static_cast<const char*>(end)};
    return Access::done;
  }
  return Access::fault;
}

}  // namespace tdctl::supervisor
