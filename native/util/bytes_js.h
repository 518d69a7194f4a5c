#pragma once

#include <napi.h>

#include <cstddef>
#include <span>
#include <vector>

namespace tdctl {

using Bytes = std::vector<std::byte>;

// A Uint8Array of its own. Empty, with the exception pending, where JS has no room for it.
Napi::Value bytes_to_js(Napi::Env env, std::span<const std::byte> bytes);

template <typename Struct>
std::span<const std::byte> bytes_of(const Struct& value) {
  return std::as_bytes(std::span(&value, 1));
}

}  // namespace tdctl
