// A message with fds over a UNIX socket. Without Node.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <span>
#include <vector>

#include "unique_fd.h"

namespace tdctl {

// SCM_MAX_FD of the kernel (include/net/scm.h): no message carries more.
inline constexpr std::size_t most_fds_of_message = 253;

// What sendmsg() returns, with errno. It calls the system only, for a fork that may do nothing else. The fds
// go with the first byte: where not all of the bytes were taken, the rest is sent without.
ssize_t send_with_fds(int socket, std::span<const std::byte> bytes, std::span<const int> fds,
                      int flags = 0);

struct FdMessage {
  // What recvmsg() returned, with errno where it is negative.
  ssize_t length = -1;
  // Close-on-exec.
  std::vector<UniqueFd> fds;
  // There was no room for all fds, or for all bytes of a message: the kernel has dropped what is missing.
  bool is_truncated = false;
};

FdMessage receive_with_fds(int socket, std::span<std::byte> into, std::size_t most_fds,
                           int flags = 0);

}  // namespace tdctl
