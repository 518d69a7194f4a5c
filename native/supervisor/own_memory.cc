#include "own_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace tdctl::supervisor {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)

// The sanitizers look at memory of their own with every access.
void let_own_memory_go() {}

#else

namespace {

// A line of /proc/self/maps: `START-END PERMISSIONS OFFSET DEVICE INODE   NAME`.
struct Mapping {
  std::uintptr_t start;
  std::uintptr_t end;
  bool is_file;
  std::string_view name;

  bool holds(std::uintptr_t address) const { return start <= address && address < end; }
};

Mapping parse(std::string_view line) {
  Mapping mapping = {};
  char* rest;
  mapping.start = std::strtoul(line.data(), &rest, 16);
  mapping.end = std::strtoul(rest + 1, &rest, 16);
  const std::size_t device = line.find(':');
  const std::size_t inode = line.find(' ', device) + 1;
  mapping.is_file = line[inode] != '0';
  const std::size_t name = line.find_first_not_of(" 0123456789", inode);
  if (name != std::string_view::npos) mapping.name = line.substr(name);
  return mapping;
}

// [stack], [vdso] and their like are none.
bool is_heap(const Mapping& mapping) {
  return !mapping.is_file && (mapping.name.empty() || mapping.name == "[heap]" ||
                              mapping.name.starts_with("[anon"));
}

// Large enough for a process with thousands of mappings; what does not fit is kept.
char maps[1 << 19];

std::string_view read_maps() {
  const int file = ::open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  if (file < 0) return {};
  std::size_t length = 0;
  for (;;) {
    const ssize_t part = ::read(file, maps + length, sizeof maps - length);
    if (part <= 0) break;
    length += static_cast<std::size_t>(part);
  }
  ::close(file);
  return {maps, length};
}

}  // namespace

void let_own_memory_go() {
  const auto stack = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  const auto thread = reinterpret_cast<std::uintptr_t>(__builtin_thread_pointer());
  std::uintptr_t end_of_library = 0;
  std::string_view rest = read_maps();
  for (std::size_t end; (end = rest.find('\n')) != std::string_view::npos;
       rest.remove_prefix(end + 1)) {
    const Mapping mapping = parse(rest.substr(0, end));
    // The memory right behind a library is its uninitialised data.
    const bool is_library = mapping.is_file || mapping.start == end_of_library;
    if (is_library) end_of_library = mapping.end;
    if (is_library || !is_heap(mapping)) continue;
    if (mapping.holds(stack) || mapping.holds(thread)) continue;
    ::munmap(reinterpret_cast<void*>(mapping.start), mapping.end - mapping.start);
  }
}

#endif

}  // namespace tdctl::supervisor
