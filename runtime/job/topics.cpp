#include "runtime/job/topics.hpp"

#include <algorithm>

#include "runtime/base/log.hpp"

namespace weir {

namespace {

topic_settings kept_for_ever(int partitions, int brokers) {
  topic_settings out;
  out.partitions = partitions;
  out.replication = brokers >= 3 ? 3 : 1;
  out.config["cleanup.policy"] = "delete";
  // Old event times are not a reason to delete: time-based retention looks at
  // the records' own timestamps.
  out.config["retention.ms"] = "-1";
  out.config["retention.bytes"] = "-1";
  if (brokers >= 3) {
    out.config["min.insync.replicas"] = "2";
    out.config["unclean.leader.election.enable"] = "false";
  }
  return out;
}

std::string found(const topic_settings& topic, const std::string& name) {
  auto i = topic.config.find(name);
  return i == topic.config.end() ? std::string{} : i->second;
}

result<void> check_changelog(const std::string& name,
                             const topic_settings& topic) {
  auto policy = found(topic, "cleanup.policy");
  if (policy.find("compact") == std::string::npos)
    return fail(ec::bad_argument,
                "changelog '" + name + "' has cleanup.policy=" + policy +
                    ": it would lose state; set cleanup.policy=compact");
  auto age = found(topic, "retention.ms");
  if (policy.find("delete") != std::string::npos && age != "-1")
    return fail(ec::bad_argument,
                "changelog '" + name + "' has cleanup.policy=" + policy +
                    " and retention.ms=" + age +
                    ": it would lose state; set retention.ms=-1");
  // R9.
  auto stamps = found(topic, "message.timestamp.type");
  if (stamps != "LogAppendTime")
    return fail(ec::bad_argument, "changelog '" + name +
                                      "' has message.timestamp.type=" + stamps +
                                      ": set LogAppendTime, the age of a "
                                      "removal counts from its append");
  auto tombstones = found(topic, "delete.retention.ms");
  if (tombstones.empty() || std::strtoll(tombstones.c_str(), nullptr, 10) <
                                changelog_delete_retention.count())
    return fail(ec::bad_argument,
                "changelog '" + name + "' has delete.retention.ms=" +
                    tombstones + ": set at least " +
                    std::to_string(changelog_delete_retention.count()) +
                    ", so that a restore sees every removal");
  return {};
}

struct preparer {
  stream_system& streams;
  topic_report& report;
  int brokers;

  /// The topic as it is, created if it was missing.
  result<topic_settings> ensure(const std::string& name,
                                const topic_settings& wanted) {
    auto there = streams.describe_topic(name);
    if (!there)
      return fail(there.error());
    if (*there)
      return **there;
    auto made = streams.create_topic(name, wanted);
    // Another node of the job may have been faster.
    if (!made && made.error().code() != ec::already_exists)
      return fail(made.error().within("creating topic '" + name + "'"));
    report.created.push_back(name);
    log_info("topic.created", "topic", name, "partitions", wanted.partitions);
    there = streams.describe_topic(name);
    if (!there)
      return fail(there.error());
    if (!*there)
      return fail(ec::not_found,
                  "topic '" + name + "' vanished after it was created");
    return **there;
  }

  result<topic_settings> ensure_dead_letter(const job& of) {
    return ensure(of.dead_letter(),
                  dead_letter_topic_settings(report.partitions, brokers));
  }

  /// With the inputs' number of partitions, or they would not be the tasks'.
  result<void> ensure_internals(const job& of) {
    for (auto& declared : of.internals()) {
      auto name = of.topic(declared);
      auto made =
          ensure(name, internal_topic_settings(report.partitions, brokers));
      if (!made)
        return fail(made.error());
      if (made->partitions != report.partitions)
        return fail(ec::bad_argument,
                    "internal topic '" + name + "' has " +
                        std::to_string(made->partitions) +
                        " partitions, the inputs have " +
                        std::to_string(report.partitions) +
                        ": `reset` the job or start it under another name");
    }
    return {};
  }

  /// Missing ones are made with the others' number of partitions, or with
  /// `create`; 0: they are not made.
  result<void> ensure_inputs(const job& of, int create) {
    for (auto& declared : of.inputs()) {
      auto there = streams.describe_topic(of.topic(declared));
      if (!there)
        return fail(there.error());
      if (*there && create > 0)
        create = (*there)->partitions;
    }
    if (create == 0)
      return check_inputs(of);
    for (auto& declared : of.inputs())
      if (auto made =
              ensure(of.topic(declared), input_topic_settings(create, brokers));
          !made)
        return fail(made.error());
    return check_inputs(of);
  }

  result<void> check_inputs(const job& of) {
    for (auto& declared : of.inputs()) {
      auto name = of.topic(declared);
      auto there = streams.describe_topic(name);
      if (!there)
        return fail(there.error());
      if (!*there)
        return fail(ec::not_found, "input topic '" + name +
                                       "' does not exist in " +
                                       streams.describe() +
                                       ": create it, or give --partitions N");
      int count = (*there)->partitions;
      if (report.partitions == 0)
        report.partitions = count;
      if (count != report.partitions)
        return fail(ec::bad_argument,
                    "input topic '" + name + "' has " + std::to_string(count) +
                        " partitions, but '" + of.topic(of.inputs().front()) +
                        "' has " + std::to_string(report.partitions) +
                        ": inputs of a job need equal counts");
    }
    return {};
  }
};

} // namespace

topic_settings input_topic_settings(int partitions, int brokers) {
  return kept_for_ever(partitions, brokers);
}

topic_settings output_topic_settings(int partitions, int brokers) {
  return kept_for_ever(partitions, brokers);
}

topic_settings dead_letter_topic_settings(int partitions, int brokers) {
  auto out = output_topic_settings(partitions, brokers);
  // A letter is a bad record and more, and the record may be bad for its size.
  // Below what a broker takes in one request (100 MiB).
  out.config["max.message.bytes"] = "100000000";
  return out;
}

topic_settings internal_topic_settings(int partitions, int brokers) {
  return kept_for_ever(partitions, brokers);
}

topic_settings changelog_topic_settings(int partitions, int brokers) {
  auto out = kept_for_ever(partitions, brokers);
  out.config["cleanup.policy"] = "compact";
  out.config.erase("retention.ms");
  out.config.erase("retention.bytes");
  out.config["message.timestamp.type"] = "LogAppendTime";
  out.config["delete.retention.ms"] =
      std::to_string(changelog_delete_retention.count());
  return out;
}

bool wants_dead_letters(const job& of, const settings& how) {
  auto wants = [&](const part& x) {
    return x.on_bad.value_or(how.on_bad_record) ==
           bad_record_policy::dead_letter;
  };
  return std::any_of(of.parts().begin(), of.parts().end(), wants);
}

result<topic_report> prepare_topics(stream_system& streams, const job& of,
                                    const settings& how) {
  auto brokers = streams.broker_count();
  if (!brokers)
    return fail(brokers.error());
  topic_report report;
  preparer prepare{streams, report, *brokers};
  auto create =
      how.create_inputs.value_or(how.kafka.empty() ? default_partitions : 0);
  if (auto ok = prepare.ensure_inputs(of, create); !ok)
    return fail(ok.error());
  auto outputs = of.outputs();
  for (auto& declared : outputs) {
    auto wanted = output_topic_settings(report.partitions, *brokers);
    if (auto made = prepare.ensure(of.topic(declared), wanted); !made)
      return fail(made.error());
  }
  if (auto done = prepare.ensure_internals(of); !done)
    return fail(done.error());
  if (wants_dead_letters(of, how)) {
    if (auto made = prepare.ensure_dead_letter(of); !made)
      return fail(made.error());
  }
  auto wanted = changelog_topic_settings(report.partitions, *brokers);
  auto changelog = prepare.ensure(of.changelog(), wanted);
  if (!changelog)
    return fail(changelog.error());
  if (changelog->partitions != report.partitions)
    return fail(ec::bad_argument,
                "changelog '" + of.changelog() + "' has " +
                    std::to_string(changelog->partitions) +
                    " partitions, the inputs have " +
                    std::to_string(report.partitions) +
                    ": a job cannot change its partition count; "
                    "`reset` the job or start it under another name");
  if (auto ok = check_changelog(of.changelog(), *changelog); !ok)
    return fail(ok.error());
  return report;
}

result<void> ensure_dead_letter_topic(stream_system& streams, const job& of,
                                      int partitions) {
  auto brokers = streams.broker_count();
  if (!brokers)
    return fail(brokers.error());
  topic_report report;
  report.partitions = partitions;
  auto made = preparer{streams, report, *brokers}.ensure_dead_letter(of);
  if (!made)
    return fail(made.error());
  return {};
}

} // namespace weir
