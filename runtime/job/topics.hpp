// The topics of a job: what must be there, what is created, and with which
// settings (the table in docs/formats.md).
#pragma once

#include <string>
#include <vector>

#include "runtime/job/settings.hpp"
#include "runtime/stream/stream.hpp"
#include "weir/job.hpp"

namespace weir {

/// Settings of the topics that weir creates. `brokers` decides replication.
topic_settings input_topic_settings(int partitions, int brokers);
topic_settings output_topic_settings(int partitions, int brokers);
/// As an output, and takes whatever a broker takes of an input.
topic_settings dead_letter_topic_settings(int partitions, int brokers);
/// What is consumed is deleted by its owner (T46), nothing by its age.
topic_settings internal_topic_settings(int partitions, int brokers);
/// Rule R9: compacted, LogAppendTime, tombstones kept for 7 days.
topic_settings changelog_topic_settings(int partitions, int brokers);

/// How long a changelog keeps tombstones: a source older than half of this is
/// rebuilt (rule R9).
inline constexpr milliseconds changelog_delete_retention{7 * 24 * 3'600'000LL};

struct topic_report {
  /// Tasks of the job: partitions of every input (rule R11).
  int partitions = 0;
  std::vector<std::string> created;
};

/// [blocking] Checks the inputs (and creates them: in the embedded log, and
/// where `create_inputs` says so), creates outputs, dead-letter topic (where
/// the policy wants it) and changelog if they are missing, and checks what
/// exists. Errors: `not_found` naming the missing input;
/// `bad_argument` for unequal partition counts or settings that lose data.
result<topic_report> prepare_topics(stream_system& streams, const job& of,
                                    const settings& how);

/// Whether some input's bad records go to the dead letters.
bool wants_dead_letters(const job& of, const settings& how);

/// [blocking] Creates the dead-letter topic of a job with so many tasks, if it
/// is missing. Errors: those of the stream system.
result<void> ensure_dead_letter_topic(stream_system& streams, const job& of,
                                      int partitions);

} // namespace weir
