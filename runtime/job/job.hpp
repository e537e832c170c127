// The description of a job: its name, inputs, outputs and stores.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "weir/error.hpp"

namespace weir {

/// What an application is: a value, checked and printed before anything runs.
/// `weir::job("stock").input("ticks").output("changes").store("quotes")`.
class job {
public:
  explicit job(std::string name) : name_(std::move(name)) {}

  /// A topic to read. All inputs of a job have the same number of partitions
  /// (rule R11); partition p of each goes to task p.
  job& input(std::string topic);
  /// A topic to write; created with the inputs' partition count if missing.
  job& output(std::string topic);
  /// A named store. Its number in the database is fixed at the job's creation.
  job& store(std::string name);
  /// Renames for one run: `--input-topic`, `--output-topic`, `--job`.
  job& rename(std::string name);
  job& bind_topic(const std::string& declared, std::string actual);

  const std::string& name() const noexcept { return name_; }
  /// As declared; `topic` tells the actual name.
  const std::vector<std::string>& inputs() const noexcept { return inputs_; }
  const std::vector<std::string>& outputs() const noexcept { return outputs_; }
  const std::vector<std::string>& stores() const noexcept { return stores_; }
  const std::string& topic(const std::string& declared) const;
  std::string changelog() const { return name_ + "-changelog"; }
  std::string dead_letter() const { return name_ + "-dead-letter"; }

  /// Names are [A-Za-z0-9_-]{1,100} for the job (no dot: rule C8), legal topic
  /// names, no duplicates, at least one input.
  result<void> validate() const;

private:
  std::string name_;
  std::vector<std::string> inputs_;
  std::vector<std::string> outputs_;
  std::vector<std::string> stores_;
  std::map<std::string, std::string> bound_;
};

} // namespace weir
