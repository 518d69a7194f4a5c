// A memfd that stands for one of KVM's files. Its seals keep its size, which this process's own mapping
// relies on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "../util/unique_fd.h"

namespace tdctl::supervisor {

// Numbers files from 1 on; none is used twice.
using FileNumber = std::uint32_t;

// Memory that a file shares with the programs; unmapped with its last owner.
class SharedMapping {
 public:
  SharedMapping(void* address, std::size_t size_bytes)
      : address_(address), size_bytes_(size_bytes) {}
  SharedMapping(const SharedMapping&) = delete;
  SharedMapping& operator=(const SharedMapping&) = delete;
  ~SharedMapping();

  void* address() const { return address_; }
  std::size_t size_bytes() const { return size_bytes_; }

 private:
  void* address_;
  std::size_t size_bytes_;
};

// How a program may map the file.
enum class Mappable { any, shared, no };

struct FileShape {
  // /proc shows it.
  const char* name;
  std::uint64_t size_bytes = 0;
  // Its content is shared with this process.
  bool mapped = false;
  // What it begins with, where it is mapped; the rest are zeros.
  std::span<const std::byte> content = {};
  Mappable mappable = Mappable::any;
  // F_GETFL gives them: the access mode and the status flags.
  int flags = 0;
};

struct NewFile {
  // 0, or why it could not be made.
  int error = 0;
  FileNumber number = 0;
  // The watched description: install it in a program, then let it go.
  UniqueFd description = {};
  // Where it was asked for.
  std::shared_ptr<SharedMapping> mapping = {};
};

// Has no number, and is not watched yet. No description but that is open.
NewFile make_file(const FileShape& shape);

}  // namespace tdctl::supervisor
