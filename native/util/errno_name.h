#pragma once

#include <string>

namespace tdctl {

// `EINVAL`, or `errno N` for a number without a known name: the same words as src/abi/errno.ts.
std::string errno_name(int error_number);

}  // namespace tdctl
