#include "fd_message.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace tdctl {

namespace {

constexpr std::size_t room_for(std::size_t fds) { return CMSG_SPACE(fds * sizeof(int)); }

union ControlBuffer {
  cmsghdr header;
  char bytes[room_for(most_fds_of_message)];
};

}  // namespace

ssize_t send_with_fds(int socket, std::span<const std::byte> bytes, std::span<const int> fds,
                      int flags) {
  iovec content = {.iov_base = const_cast<std::byte*>(bytes.data()), .iov_len = bytes.size()};
  ControlBuffer control = {};
  msghdr message = {};
  message.msg_iov = &content;
  message.msg_iovlen = 1;
  if (!fds.empty()) {
    message.msg_control = control.bytes;
    message.msg_controllen = room_for(fds.size());
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(fds.size_bytes());
    std::memcpy(CMSG_DATA(header), fds.data(), fds.size_bytes());
  }
  ssize_t length;
  do {
    length = ::sendmsg(socket, &message, flags | MSG_NOSIGNAL);
  } while (length < 0 && errno == EINTR);
  return length;
}

FdMessage receive_with_fds(int socket, std::span<std::byte> into, std::size_t most_fds,
                           int flags) {
  FdMessage received;
  iovec content = {.iov_base = into.data(), .iov_len = into.size()};
  ControlBuffer control = {};
  msghdr message = {};
  message.msg_iov = &content;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes;
  // Not the space, which is rounded up: one more fd would fit into that.
  const std::size_t room = CMSG_LEN(std::min(most_fds, most_fds_of_message) * sizeof(int));
  do {
    message.msg_controllen = room;
    received.length = ::recvmsg(socket, &message, flags | MSG_CMSG_CLOEXEC);
  } while (received.length < 0 && errno == EINTR);
  if (received.length < 0) return received;
  received.is_truncated = (message.msg_flags & (MSG_CTRUNC | MSG_TRUNC)) != 0;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t bytes = header->cmsg_len - CMSG_LEN(0);
    for (std::size_t at = 0; at + sizeof(int) <= bytes; at += sizeof(int)) {
      int fd;
      std::memcpy(&fd, CMSG_DATA(header) + at, sizeof fd);
      received.fds.emplace_back(fd);
    }
  }
  return received;
}

}  // namespace tdctl
