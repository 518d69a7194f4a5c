#include "msrs.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace tdctl {

namespace request = uapi::request;

namespace {

// MAX_IO_MSRS (arch/x86/kvm/x86.c): more at once are refused with E2BIG.
constexpr std::size_t most_at_once = 256;
// Four times what any kernel lists: one that still wants more is not to be believed.
constexpr std::uint32_t most_indices = 4096;

struct Buffer {
  uapi::kvm_msrs header;
  uapi::kvm_msr_entry entries[most_at_once];
};

// Asks for `entries` in as many goes as it takes; `done` gets those that one go was about.
template <typename WhenDone>
Result<Done> for_all(const Kernel& kernel, int fd, const uapi::Request& asked,
                     std::span<const uapi::kvm_msr_entry> entries,
                     std::vector<std::uint32_t>* refused, WhenDone done) {
  while (!entries.empty()) {
    Buffer buffer{};
    const std::size_t count = std::min(entries.size(), most_at_once);
    buffer.header.nmsrs = static_cast<std::uint32_t>(count);
    std::copy_n(entries.begin(), count, buffer.entries);
    Result<int> answer = kernel.ioctl(fd, asked, &buffer);
    if (!answer.ok()) return std::move(answer.failure());
    const std::size_t got = std::min<std::size_t>(count, answer.value() < 0 ? 0 : answer.value());
    done(std::span<const uapi::kvm_msr_entry>(buffer.entries, got));
    if (got < count) refused->push_back(entries[got].index);
    entries = entries.subspan(got < count ? got + 1 : got);
  }
  return Done{};
}

}  // namespace

Result<std::vector<uapi::kvm_msr_entry>> get_msrs(const Kernel& kernel, int fd,
                                                  std::span<const std::uint32_t> indices,
                                                  std::vector<std::uint32_t>* refused) {
  std::vector<uapi::kvm_msr_entry> wanted;
  wanted.reserve(indices.size());
  for (const std::uint32_t index : indices) wanted.push_back({index, 0, 0});
  std::vector<uapi::kvm_msr_entry> entries;
  entries.reserve(indices.size());
  Result<Done> answer =
      for_all(kernel, fd, request::kvm_get_msrs, wanted, refused, [&entries](const auto got) {
        entries.insert(entries.end(), got.begin(), got.end());
      });
  if (!answer.ok()) return std::move(answer.failure());
  return entries;
}

Result<Done> set_msrs(const Kernel& kernel, int fd, std::span<const uapi::kvm_msr_entry> entries,
                      std::vector<std::uint32_t>* refused) {
  return for_all(kernel, fd, request::kvm_set_msrs, entries, refused, [](const auto) {});
}

Result<std::vector<std::uint32_t>> get_msr_index_list(const Kernel& kernel, int fd) {
  std::uint32_t room = 256;
  while (true) {
    // The header, and then the indices.
    std::vector<std::uint32_t> list(1 + room);
    list[0] = room;
    Result<int> answer = kernel.ioctl(fd, request::kvm_get_msr_index_list, list.data());
    const std::uint32_t count = list[0];
    if (answer.ok()) return std::vector(list.begin() + 1, list.begin() + 1 + std::min(count, room));
    if (answer.failure().error_number != E2BIG || count <= room || count > most_indices) {
      return std::move(answer.failure());
    }
    room = count;
  }
}

}  // namespace tdctl
