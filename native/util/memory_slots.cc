#include "memory_slots.h"

#include <sys/mman.h>

#include <cerrno>
#include <string>
#include <utility>

namespace tdctl {

namespace {

Failure refused(const char* syscall, std::size_t size_bytes) {
  return Failure{.syscall = syscall,
                 .subject = "of " + std::to_string(size_bytes) + " bytes",
                 .error_number = errno};
}

Result<std::shared_ptr<Mapping>> map_fd(std::size_t size_bytes, int flags, UniqueFd fd) {
  void* address = ::mmap(nullptr, size_bytes, PROT_READ | PROT_WRITE, flags | MAP_NORESERVE,
                         fd.get(), 0);
  if (address == MAP_FAILED) return refused("mmap", size_bytes);
  return std::make_shared<Mapping>(static_cast<std::byte*>(address), size_bytes, std::move(fd));
}

}  // namespace

Result<std::shared_ptr<Mapping>> Mapping::map(std::size_t size_bytes) {
  return map_fd(size_bytes, MAP_PRIVATE | MAP_ANONYMOUS, {});
}

Result<std::shared_ptr<Mapping>> Mapping::map_shared(std::size_t size_bytes) {
  UniqueFd fd(::memfd_create("tdctl-guest", MFD_CLOEXEC));
  if (!fd.is_open()) return refused("memfd_create", size_bytes);
  if (::ftruncate(fd.get(), static_cast<off_t>(size_bytes)) != 0) {
    return refused("ftruncate", size_bytes);
  }
  return map_fd(size_bytes, MAP_SHARED, std::move(fd));
}

Mapping::~Mapping() { ::munmap(address_, size_bytes_); }

}  // namespace tdctl
