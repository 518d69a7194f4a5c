#include "new_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>

namespace tdctl::supervisor {

namespace {

// Where vm.memfd_noexec is 2, the kernel makes no other. Before Linux 6.3 it does not know the flag.
UniqueFd new_memfd(const char* name) {
  constexpr unsigned not_executable = 8;  // MFD_NOEXEC_SEAL
  const int made = ::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | not_executable);
  if (made >= 0 || errno != EINVAL) return UniqueFd(made);
  return UniqueFd(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
}

}  // namespace

SharedMapping::~SharedMapping() { ::munmap(address_, size_bytes_); }

NewFile make_file(const FileShape& shape) {
  const UniqueFd file = new_memfd(shape.name);
  if (!file.is_open()) return {.error = errno};
  NewFile made;
  const auto size = static_cast<off_t>(shape.size_bytes);
  if (size > 0 && ::ftruncate(file.get(), size) < 0) return {.error = errno};
  if (shape.mapped) {
    // Where memory is short, it is said here and not by SIGBUS at the first touch.
    if (::posix_fallocate(file.get(), 0, size) != 0) return {.error = ENOMEM};
    void* address =
        ::mmap(nullptr, shape.size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
    if (address == MAP_FAILED) return {.error = errno};
    made.mapping = std::make_shared<SharedMapping>(address, shape.size_bytes);
    std::copy_n(shape.content.begin(), std::min(shape.content.size(), shape.size_bytes),
                static_cast<std::byte*>(address));
  }
  // An empty file is nothing to be written or mapped; memory is.
  const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL | (size == 0 ? F_SEAL_WRITE : 0);
  if (::fcntl(file.get(), F_ADD_SEALS, seals) < 0) return {.error = errno};
  // The mode of KVM's own; and no program executes it.
  if (::fchmod(file.get(), S_IRUSR | S_IWUSR) < 0) return {.error = errno};
  // A second description: that of memfd_create itself is not notified of in every kernel. The way to
  // it is a link, whatever the program said of the links on its own way.
  const int flags = (shape.flags & ~O_NOFOLLOW) | O_CLOEXEC;
  char path[48];
  std::snprintf(path, sizeof path, "/proc/self/fd/%d", file.get());
  made.description = UniqueFd(::open(path, flags));
  if (!made.description.is_open()) return {.error = errno};
  // KVM's files cannot be read or written. From here every byte would end beyond what an offset can
  // be, which the kernel refuses as it does there, with EINVAL; the file of statistics has its end.
  const bool is_for_reading = (shape.flags & O_ACCMODE) == O_RDONLY;
  if (!is_for_reading && ::lseek(made.description.get(), INT64_MAX, SEEK_SET) < 0) {
    return {.error = errno};
  }
  return made;
}

}  // namespace tdctl::supervisor
