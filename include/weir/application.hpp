// An application: a job, its task, and the command line round them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "weir/detail/export.hpp"
#include "weir/job.hpp"
#include "weir/task.hpp"

namespace weir {

class record_source;

/// What `generate` was asked for.
struct generate_request {
  std::optional<std::string> file;
  std::optional<std::uint64_t> synthetic;
  std::uint32_t symbols = 2'000;
  std::uint64_t seed = 1;
};

using source_factory = std::function<result<std::unique_ptr<record_source>>(
    const generate_request&)>;

/// The commands of an application's binary: run, produce, consume, generate,
/// get, dump, topology, resume, reset, adopt. A value; `main` does the work.
///
///   int main(int argc, char** argv) {
///     weir::job job{"words", lines, counts, totals};
///     return weir::application{job, weir::task_of<word_count>()}.main(argc,
///                                                                     argv);
///   }
class WEIR_EXPORT application {
public:
  application(weir::job of, task_factory factory)
      : job_(std::move(of)), factory_(std::move(factory)) {}

  /// Enables `generate`.
  application& source(source_factory make) {
    source_ = std::move(make);
    return *this;
  }

  /// Parses the command line, runs one command, answers the exit code.
  int main(int argc, char** argv);

  const weir::job& description() const noexcept { return job_; }
  const task_factory& factory() const noexcept { return factory_; }
  const source_factory& generator() const noexcept { return source_; }

private:
  weir::job job_;
  task_factory factory_;
  source_factory source_;
};

} // namespace weir
