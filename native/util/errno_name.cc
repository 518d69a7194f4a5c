#include "errno_name.h"

#include <cerrno>

namespace tdctl {

std::string errno_name(int error_number) {
  switch (error_number) {
#define NAME(code) \
  case code:       \
    return #code
    NAME(EPERM);
    NAME(ENOENT);
    NAME(EINTR);
    NAME(EIO);
    NAME(ENXIO);
    NAME(E2BIG);
    NAME(EBADF);
    NAME(EAGAIN);
    NAME(ENOMEM);
    NAME(EACCES);
    NAME(EFAULT);
    NAME(EBUSY);
    NAME(EEXIST);
    NAME(ENODEV);
    NAME(ENOTDIR);
    NAME(EISDIR);
    NAME(EINVAL);
    NAME(ENFILE);
    NAME(EMFILE);
    NAME(ENOTTY);
    NAME(ENOSPC);
    NAME(EROFS);
    NAME(ENAMETOOLONG);
    NAME(ENOSYS);
    NAME(ELOOP);
    NAME(EOVERFLOW);
    NAME(EOPNOTSUPP);
    NAME(EHWPOISON);
#undef NAME
    default:
      return "errno " + std::to_string(error_number);
  }
}

}  // namespace tdctl
