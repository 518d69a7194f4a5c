// Which paths lead to KVM's files, told by their text and by /proc alone: a look into any other file
// system may wait for a server that is itself a trapped program. A symlink is followed only where
// every Linux has it; what others lead to is found out when KVM is asked through them.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

namespace tdctl::supervisor {

// A path as a system call names it.
struct NamedPath {
  pid_t thread;
  // AT_FDCWD, or an fd of the thread.
  int directory;
  // RESOLVE_IN_ROOT: the directory is its root.
  bool in_root;
  std::string_view text;
};

struct Lead {
  enum class To { elsewhere, dev_kvm, link };
  To to;
  // Where this process finds the link of /proc that the path ends in: of an open file, or of a mapped one.
  std::string link = {};
};

// The path may lead there: nearly all may not, by their last component.
bool may_lead_to_kvm(std::string_view path);
Lead lead_of(const NamedPath& path);

// Where this process finds what an fd of a thread refers to.
std::string fd_link(pid_t thread, int fd);
// Where this process finds the directory that a path which is not absolute begins at.
std::string directory_link(const NamedPath& path);

// With another name in place of the last component.
std::string beside(std::string_view path, std::string_view name);

}  // namespace tdctl::supervisor
