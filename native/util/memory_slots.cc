#include "memory_slots.h"

#include <sys/mman.h>

#include <cerrno>
#include <string>

namespace tdctl {

Result<std::shared_ptr<Mapping>> Mapping::map(std::size_t size_bytes) {
  void* address = ::mmap(nullptr, size_bytes, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (address == MAP_FAILED) {
    return Failure{.syscall = "mmap",
                   .subject = "of " + std::to_string(size_bytes) + " bytes",
                   .error_number = errno};
  }
  return std::make_shared<Mapping>(static_cast<std::byte*>(address), size_bytes);
}

Mapping::~Mapping() { ::munmap(address_, size_bytes_); }

}  // namespace tdctl
