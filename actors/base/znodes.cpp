#include "actors/base/znodes.hpp"

#include <nlohmann/json.hpp>

namespace weir {

namespace {

using nlohmann::json;

constexpr int format_version = 1;

/// Parses an object of our format version; `read` takes its fields and may
/// throw json's own exceptions, which become `bad_format`.
template <class T, class Read>
result<T> parse(const std::string& text, const char* what, Read read) {
  auto document = json::parse(text, nullptr, false);
  if (document.is_discarded() || !document.is_object())
    return fail(ec::bad_format, std::string{what} + " is not a JSON object");
  try {
    int version = document.at("format").get<int>();
    if (version != format_version)
      return fail(ec::bad_format, std::string{what} + " has format " +
                                      std::to_string(version) +
                                      ", this program reads format " +
                                      std::to_string(format_version));
    T out;
    read(document, out);
    return out;
  } catch (const json::exception& problem) {
    return fail(ec::bad_format, std::string{what} + ": " + problem.what());
  }
}

json to_json(const process_identity& x) {
  return {{"host", x.host},
          {"boot", x.boot_id},
          {"pid", x.pid},
          {"start", x.start},
          {"pid_namespace", x.pid_namespace}};
}

process_identity read_process(const json& x) {
  return {x.at("host").get<std::string>(), x.at("boot").get<std::string>(),
          x.at("pid").get<std::int64_t>(), x.at("start").get<std::uint64_t>(),
          x.value("pid_namespace", std::string{})};
}

std::string text_of(const json& x) {
  return x.is_string() ? x.get<std::string>() : x.dump();
}

/// What is bad leaves `into` as it is.
void read_duration(const json& document, const std::string& name,
                   const duration_limits& limits,
                   std::optional<milliseconds>& into, config_node& out) {
  auto i = document.find(name);
  if (i == document.end()) {
    into.reset();
    return;
  }
  auto value = i->is_string() ? parse_duration(i->get<std::string>())
                              : fail(ec::bad_argument, "is no text");
  if (value && limits.check(name, *value))
    into = *value;
  else
    out.ignored.push_back({name, text_of(*i),
                           format_duration(limits.least) + " to " +
                               format_duration(limits.most) + ", in quotes"});
}

} // namespace

bool shares_process_table(const process_identity& a,
                          const process_identity& b) {
  return a.host == b.host && a.boot_id == b.boot_id &&
         a.pid_namespace == b.pid_namespace && !a.pid_namespace.empty();
}

std::string to_string(const process_identity& x) {
  return "process " + std::to_string(x.pid) + " on " + x.host;
}

std::string encode(const job_node& x) {
  json out{{"format", format_version},   {"generation", x.generation},
           {"partitions", x.partitions}, {"inputs", x.inputs},
           {"stores", x.stores},         {"created_ms", x.created_ms}};
  return out.dump();
}

std::string encode(const member_node& x) {
  json out{{"format", format_version},
           {"process", to_json(x.process)},
           {"tasks", x.tasks}};
  return out.dump();
}

std::string encode(const claim_node& x) {
  json out{{"format", format_version},
           {"producer_id", x.producer_id},
           {"epoch", x.epoch},
           {"released", x.released},
           {"born", x.born},
           {"floor", x.floor},
           {"empty_below", x.empty_below},
           {"commits_above", x.commits_above},
           {"generation", x.generation},
           {"partitions", x.partitions},
           {"member", x.member},
           {"process", to_json(x.process)}};
  return out.dump();
}

result<job_node> decode_job(const std::string& text) {
  return parse<job_node>(text, "the job node", [](const json& in, auto& out) {
    in.at("generation").get_to(out.generation);
    in.at("partitions").get_to(out.partitions);
    in.at("inputs").get_to(out.inputs);
    in.at("stores").get_to(out.stores);
    in.at("created_ms").get_to(out.created_ms);
  });
}

result<member_node> decode_member(const std::string& text) {
  return parse<member_node>(text, "a member node",
                            [](const json& in, auto& out) {
                              out.process = read_process(in.at("process"));
                              in.at("tasks").get_to(out.tasks);
                            });
}

result<claim_node> decode_claim(const std::string& text) {
  return parse<claim_node>(text, "a claim", [](const json& in, auto& out) {
    in.at("producer_id").get_to(out.producer_id);
    in.at("epoch").get_to(out.epoch);
    in.at("released").get_to(out.released);
    in.at("born").get_to(out.born);
    in.at("floor").get_to(out.floor);
    out.empty_below = in.value("empty_below", std::int64_t{0});
    out.commits_above = in.value("commits_above", std::uint64_t{0});
    in.at("generation").get_to(out.generation);
    in.at("partitions").get_to(out.partitions);
    in.at("member").get_to(out.member);
    out.process = read_process(in.at("process"));
  });
}

config_node decode_config(const std::string& text, const config_node& last) {
  if (text.empty())
    return {};
  auto out = last;
  out.ignored.clear();
  auto document = json::parse(text, nullptr, false);
  if (document.is_discarded() || !document.is_object()) {
    constexpr std::size_t shown = 100;
    out.ignored.push_back({"(all)", text.substr(0, shown),
                           R"(a JSON object, {"check_interval":"100ms"})"});
    return out;
  }
  read_duration(document, "check_interval", check_interval_limits,
                out.check_interval, out);
  read_duration(document, "sync_interval", sync_interval_limits,
                out.sync_interval, out);
  for (auto& [name, value] : document.items())
    if (name != "check_interval" && name != "sync_interval" && name != "format")
      out.ignored.push_back({name, text_of(value),
                             "left out: there are check_interval and "
                             "sync_interval"});
  return out;
}

} // namespace weir
