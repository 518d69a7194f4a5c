// The memory of a VM: slots, guest_memfd, private and shared ranges.
#include <fcntl.h>

#include <memory>
#include <optional>
#include <utility>

#include "guest_memfd.h"
#include "util/wrapped.h"
#include "vm.h"

namespace tdctl {

namespace request = uapi::request;

namespace {

// What both forms of a slot have. A size of 0 deletes the slot and points nowhere.
struct Region {
  std::uint32_t slot;
  std::uint32_t flags;
  std::uint64_t gpa;
  std::uint64_t size_bytes;
  MemoryRange memory;
};

Region read_region(Arguments& arguments, Napi::Value region) {
  arguments.object(region, "region");
  Region read{
      .slot = arguments.uint32(arguments.field(region, "slot"), "slot"),
      .flags = arguments.uint32_or(0, arguments.field(region, "flags"), "flags"),
      .gpa = arguments.uint64(arguments.field(region, "gpa"), "gpa"),
      .size_bytes = arguments.uint64(arguments.field(region, "sizeBytes"), "sizeBytes"),
      .memory = {},
  };
  const std::uint64_t offset =
      arguments.uint64_or(0, arguments.field(region, "memoryOffsetBytes"), "memoryOffsetBytes");
  if (read.size_bytes > 0) {
    read.memory = arguments.memory_range(arguments.field(region, "memory"), "`memory`", offset,
                                         read.size_bytes);
  }
  return read;
}

}  // namespace

Napi::Value Vm::kvm_set_user_memory_region(const Napi::CallbackInfo& info) {
  Arguments arguments(info, request::kvm_set_user_memory_region.name);
  const Region region = read_region(arguments, info[0]);
  return call(
      arguments,
      [region, slots = handle()->slots()](const Kernel& kernel, int fd) {
        uapi::kvm_userspace_memory_region argument{
            .slot = region.slot,
            .flags = region.flags,
            .guest_phys_addr = region.gpa,
            .memory_size = region.size_bytes,
            .userspace_addr = region.memory.address,
        };
        return as_done(slots->update(region.slot, region.memory.mapping, [&] {
          return kernel.ioctl(fd, request::kvm_set_user_memory_region, &argument);
        }));
      },
      to_undefined);
}

Napi::Value Vm::kvm_set_user_memory_region2(const Napi::CallbackInfo& info) {
  Arguments arguments(info, request::kvm_set_user_memory_region2.name);
  Region region = read_region(arguments, info[0]);
  const std::uint64_t guest_memfd_offset = arguments.uint64_or(
      0, arguments.field(info[0], "guestMemfdOffsetBytes"), "guestMemfdOffsetBytes");
  const Napi::Value memfd = arguments.field(info[0], "guestMemfd");
  // The flag without the object would name whatever fd 0 is.
  const bool is_private = !memfd.IsUndefined() || (region.flags & uapi::kvm_mem_guest_memfd) != 0;
  if (is_private) region.flags |= uapi::kvm_mem_guest_memfd;
  std::optional<FdUse> guest_memfd =
      is_private ? arguments.guest_memfd(memfd, "guestMemfd") : std::nullopt;
  return call(
      arguments,
      [region, guest_memfd_offset, guest_memfd = std::move(guest_memfd),
       slots = handle()->slots()](const Kernel& kernel, int fd) {
        uapi::kvm_userspace_memory_region2 argument{};
        argument.slot = region.slot;
        argument.flags = region.flags;
        argument.guest_phys_addr = region.gpa;
        argument.memory_size = region.size_bytes;
        argument.userspace_addr = region.memory.address;
        if (guest_memfd) {
          argument.guest_memfd_offset = guest_memfd_offset;
          argument.guest_memfd = static_cast<std::uint32_t>(guest_memfd->fd());
        }
        return as_done(slots->update(region.slot, region.memory.mapping, [&] {
          return kernel.ioctl(fd, request::kvm_set_user_memory_region2, &argument);
        }));
      },
      to_undefined);
}

namespace {

// The fds of a guest_memfd are the only ones of KVM that are not born O_CLOEXEC. A child that inherited
// one would pin the VM, and its key slot, for as long as it runs.
Result<UniqueFd> as_guest_memfd(Result<int> answer) {
  Result<UniqueFd> memfd = as_fd(std::move(answer));
  if (memfd.ok()) ::fcntl(memfd.value().get(), F_SETFD, FD_CLOEXEC);
  return memfd;
}

// Makes the JS object of a guest_memfd that belongs to the VM with these slots.
auto guest_memfd_of(std::shared_ptr<MemorySlots> slots, std::uint64_t size_bytes) {
  return [slots = std::move(slots), size_bytes](Napi::Env env, UniqueFd fd) {
    return make<GuestMemfd>(
        env, {std::make_shared<FdHandle>(std::move(fd), "guest_memfd", slots), size_bytes});
  };
}

}  // namespace

Napi::Value Vm::kvm_create_guest_memfd(const Napi::CallbackInfo& info) {
  Arguments arguments(info, request::kvm_create_guest_memfd.name);
  arguments.object(info[0], "options");
  uapi::kvm_create_guest_memfd argument{};
  argument.size = arguments.uint64(arguments.field(info[0], "sizeBytes"), "sizeBytes");
  argument.flags = arguments.uint64_or(0, arguments.field(info[0], "flags"), "flags");
  return call(
      arguments,
      [argument](const Kernel& kernel, int fd) mutable {
        return as_guest_memfd(kernel.ioctl(fd, request::kvm_create_guest_memfd, &argument));
      },
      guest_memfd_of(handle()->slots(), argument.size));
}

Napi::Value Vm::kvm_link_guest_memfd(const Napi::CallbackInfo& info) {
  Arguments arguments(info, request::kvm_link_guest_memfd.name);
  std::optional<FdUse> source = arguments.guest_memfd(info[0], "source");
  const std::uint64_t size_bytes = source ? unwrap<GuestMemfd>(info[0])->size_bytes() : 0;
  return call(
      arguments,
      [source = std::move(source)](const Kernel& kernel, int fd) {
        uapi::kvm_link_guest_memfd argument{};
        argument.fd = static_cast<std::uint64_t>(source->fd());
        return as_guest_memfd(kernel.ioctl(fd, request::kvm_link_guest_memfd, &argument));
      },
      guest_memfd_of(handle()->slots(), size_bytes));
}

Napi::Value Vm::kvm_set_memory_attributes(const Napi::CallbackInfo& info) {
  Arguments arguments(info, request::kvm_set_memory_attributes.name);
  arguments.object(info[0], "range");
  uapi::kvm_memory_attributes argument{};
  argument.address = arguments.uint64(arguments.field(info[0], "gpa"), "gpa");
  argument.size = arguments.uint64(arguments.field(info[0], "sizeBytes"), "sizeBytes");
  argument.attributes = arguments.uint64(arguments.field(info[0], "attributes"), "attributes");
  return tell_struct(arguments, request::kvm_set_memory_attributes, argument);
}

}  // namespace tdctl
