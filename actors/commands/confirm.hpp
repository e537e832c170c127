// The question before state is given up.
#pragma once

#include <string>

#include "weir/error.hpp"

namespace weir {

/// [blocking] Says `what` will happen and asks for the name of the job; whether
/// it was typed. Errors: `bad_argument` where nobody can be asked.
result<bool> confirm(const std::string& what, const std::string& job);

} // namespace weir
