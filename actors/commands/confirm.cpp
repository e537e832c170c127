#include "actors/commands/confirm.hpp"

#include <cstdio>
#include <iostream>

#include <unistd.h>

namespace weir {

result<bool> confirm(const std::string& what, const std::string& job) {
  if (isatty(STDIN_FILENO) == 0)
    return fail(ec::bad_argument, what + ". Standard input is no terminal to "
                                         "confirm that at: give --yes");
  std::fprintf(stderr, "%s. Type its name to go on: ", what.c_str());
  std::string answer;
  std::getline(std::cin, answer);
  return answer == job;
}

} // namespace weir
