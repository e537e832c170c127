// Rule L10: what a cluster must have so that exactly-once survives it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/kafka/handle.hpp"
#include "runtime/kafka/requests.hpp"
#include "runtime/stream/stream.hpp"
#include "weir/error.hpp"

namespace weir::kafka {

/// The judgement, apart from the questions: one topic that holds the job's
/// durability.
void judge_topic(const std::string& topic, const topic_settings& found,
                 int brokers, std::vector<cluster_finding>& out);

/// One broker, by its settings.
void judge_broker(int id, const std::map<std::string, std::string>& settings,
                  std::vector<cluster_finding>& out);

/// Asks and judges.
result<std::vector<cluster_finding>>
check_cluster(handle& with, const std::vector<std::string>& changelogs,
              deadline until);

} // namespace weir::kafka
