#include "memory_slots.h"

#include <fcntl.h>
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

Result<Done> punch_hole(int fd, std::uint64_t offset, std::uint64_t length) {
  if (::fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                  static_cast<off_t>(length)) != 0) {
    return refused("fallocate", length);
  }
  return Done{};
}

// Of a private mapping, madvise() drops the pages; of a file it only unmaps them here.
Result<Done> Mapping::discard(std::size_t offset, std::size_t length) {
  if (fd_.is_open()) return punch_hole(fd_.get(), offset, length);
  if (::madvise(address_ + offset, length, MADV_DONTNEED) != 0) return refused("madvise", length);
  return Done{};
}

Mapping::~Mapping() { ::munmap(address_, size_bytes_); }

}  // namespace tdctl
