// What a trapped call that opens a file asks for, and how the kernel answers such a call.
#pragma once

#include <linux/openat2.h>
#include <linux/seccomp.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "client_memory.h"
#include "kvm_paths.h"
#include "trapped_calls.h"

namespace tdctl::supervisor {

// The path that a call names, without the directory's flags.
Access read_named_path(const seccomp_notif& notification, const TrappedCall& call,
                       PathBuffer& buffer, NamedPath* path);

// How a file is to be opened.
struct OpenHow {
  // A page is the most that openat2 takes. The rest is what a later kernel may know.
  std::array<std::byte, 4096> bytes;
  std::size_t size;
  bool is_openat2;

  // It begins with these, whatever its size.
  open_how known() const;
};

// `fault` where the kernel refuses the arguments as they stand.
Access read_open_how(const seccomp_notif& notification, const TrappedCall& call, OpenHow* how);

// By these flags a magic link of /proc gives no new description of the file it leads to, or an error:
// the kernel itself may be left to say so.
bool stops_at_link(const open_how& how);

// How the kernel opens a character device of /dev that is open to all, /dev/null, in the same way.
struct Modelled {
  int error;
  // F_GETFL
  int flags;
};
Modelled open_model(const OpenHow& how);
// The errno of the walk to `path` under the rules of `how`, with the model in the place of /dev/kvm.
int walk_to_model(const NamedPath& path, std::uint64_t resolve);

}  // namespace tdctl::supervisor
