// How a size, an offset and a number are held (layout.cc, layout_guest.cc).
#pragma once

#include <cstddef>
#include <type_traits>

#define HAS_SIZE(type, bytes)                                    \
  static_assert(sizeof(type) == (bytes), #type);                 \
  static_assert(std::is_trivially_copyable_v<type>, #type);      \
  static_assert(std::is_standard_layout_v<type>, #type)
#define IS_AT(type, field, bytes) static_assert(offsetof(type, field) == (bytes), #type "." #field)
#define IS_NUMBER(name, value) static_assert(request::name.number == (value), #name)
#define IS_COMMAND(name, value) static_assert(tdx_command::name.id == (value), #name)
