#include "test/unit/actors/task/task_rig.hpp"

#include <stdexcept>

#include "actors/base/scheduling.hpp"
#include "actors/bring_up/task_restore.hpp"
#include "actors/task/task_origin.hpp"
#include "runtime/embedded/log/streams.hpp"
#include "runtime/job/topics.hpp"
#include "stores/changelog/raw_key.hpp"

namespace weir::test {

namespace {

template <class T>
T must(result<T> x) {
  if (!x)
    throw std::runtime_error{to_string(x.error())};
  if constexpr (!std::is_void_v<T>)
    return std::move(*x);
}

/// Runs every job at once.
class prompt_executor final : public executor {
public:
  void post(job_options how, std::function<void()> job) override {
    run_job(how, std::move(job));
  }
  void stop() override {}
};

std::shared_ptr<stream_system>
open_log(const std::shared_ptr<environment>& files,
         const std::shared_ptr<outside_world>& world) {
  embedded_options options;
  options.directory = "/data/embedded";
  options.env = &files->native();
  options.run_background = [files] { files->run_scheduled(); };
  auto database = must(open_embedded(options, *world));
  return must(make_embedded_streams(database, world, {.own_threads = false}));
}

} // namespace

std::string sent_record::header(std::string_view name) const {
  for (auto& [known, value] : headers)
    if (known == name)
      return value;
  return {};
}

task_rig::task_rig(settings how, std::shared_ptr<outside_world> world,
                   std::map<std::string, std::string> input,
                   const std::vector<part>& more_inputs)
    : files_(disk_.current()) {
  how.data_directory = "/data";
  outside_systems outside;
  outside.world = std::move(world);
  outside.files = files_;
  outside.streams = open_log(files_, outside.world);
  auto at_once = std::make_shared<prompt_executor>();
  outside.run = {at_once, at_once, at_once, at_once};
  std::vector<part> parts{detail::describe(rig_in), detail::describe(rig_out),
                          detail::describe(rig_store)};
  parts.insert(parts.end(), more_inputs.begin(), more_inputs.end());
  weir::job of{"t", std::move(parts)};
  context_ =
      std::make_shared<node_context>(outside, of, how, process_identity{});
  // Larger records than the other topics take.
  input["max.message.bytes"] = "10000000";
  for (auto& each : of.inputs())
    must(streams().create_topic(each, {1, 1, input}));
  config_.set("scheduler.policy", caf::atom("testing"));
  config_.set("scheduler.max-throughput", scheduler_throughput);
  system_ = std::make_unique<caf::actor_system>(config_);
  scheduler_ =
      dynamic_cast<caf::scheduler::test_coordinator*>(&system_->scheduler());
  lane_ = system_->spawn([this]() -> caf::behavior {
    return {
        [this](const task_sealed& x) { notes_.sealed.push_back(x); },
        [this](const task_applied& x) { notes_.applied.push_back(x); },
        [this](const task_gone& x) { notes_.gone.push_back(x); },
        [this](const task_failed& x) {
          notes_.failures.push_back(x.why);
          notes_.failed.push_back(x);
        },
        [this](const task_rejects& x) {
          notes_.rejections.push_back(x.why);
          notes_.rejected.push_back(x);
        },
        [this](const commit_wanted&) { ++notes_.wanted; },
        [](const outputs_acknowledged&) {},
    };
  });
  run();
}

task_rig::~task_rig() {
  if (running_)
    end(false);
  task_ = nullptr;
  caf::anon_send_exit(lane_, caf::exit_reason::kill);
  lane_ = nullptr;
  scheduler_->clock().cancel_all();
  run();
  producers_.reset();
  system_.reset();
}

void task_rig::run() {
  scheduler_->run();
}

void task_rig::prepare() {
  must(prepare_topics(streams(), context_->job, context_->settings));
}

void task_rig::feed(const std::string& key, const std::string& value,
                    const std::string& topic) {
  auto to = must(streams().open_producer({}));
  outgoing x;
  x.topic = must(to->open_topic(topic));
  x.key = key;
  x.value = value;
  must(to->send(x));
  must(to->flush(std::chrono::seconds{1}));
  run();
}

std::vector<sent_record> task_rig::read(const std::string& topic) {
  reader_options options;
  options.topic = topic;
  auto reader = must(streams().open_reader(options));
  std::vector<sent_record> out;
  record_batch batch;
  do {
    must(reader->poll(batch, 100));
    for (auto& x : batch.records()) {
      auto& copy = out.emplace_back();
      if (x.key())
        copy.key = *x.key();
      if (x.value())
        copy.value = *x.value();
      for (auto& h : x.headers())
        copy.headers.emplace_back(h.name, h.value);
    }
  } while (!reader->at_end());
  return out;
}

result<std::shared_ptr<restored_task>> task_rig::restore(claim_node claim) {
  claim.generation = "generation";
  job_node job;
  job.generation = claim.generation;
  job.stores = {{"s", first_store_number}};
  task_restore steps{context_, 0, claim, job};
  steps.decided(decision_);
  if (auto done = steps.open(false); !done)
    return fail(done.error());
  if (auto done = steps.locate(); !done)
    return fail(done.error());
  for (auto done = result<bool>{false}; !*done;)
    if (done = steps.read_some(); !done)
      return fail(done.error());
  if (auto done = steps.finish(); !done)
    return fail(done.error());
  auto opened = steps.open_inputs();
  fault_ = steps.fault();
  if (!opened)
    return fail(opened.error());
  auto out = steps.take();
  out->output_partitions = {1};
  return out;
}

caf::actor& task_rig::spawn(const task_factory& make) {
  prepare();
  detail::task_origin origin;
  origin.context = context_;
  origin.restored = must(restore());
  origin.restored->decision = decision_;
  origin.restored->careful = careful_;
  origin.restored->suspects = suspects_;
  forced_ = origin.restored->first_commit;
  origin.lane = lane_;
  task_ = make(*system_, detail::task_setup_access::make(origin));
  running_ = true;
  ++epoch_;
  run();
  return task_;
}

// -- as the lane

void task_rig::begin() {
  if (!producers_) {
    auto made = std::make_shared<lane_producers>();
    made->id = "weir.t." + std::string(32, 'a');
    auto bind = [this](bound_producer& x, std::string id) {
      producer_options options;
      options.transactional_id = std::move(id);
      options.transaction_bytes = context_->memory.transaction;
      x.handle = must(streams().open_producer(options));
      x.outputs = {must(x.handle->open_topic("out"))};
      x.changelog = must(x.handle->open_topic(context_->job.changelog()));
      if ((decision_ && writes_dead_letters(*decision_)) ||
          context_->settings.on_bad_record == bad_record_policy::dead_letter)
        x.dead_letter = must(x.handle->open_topic(context_->job.dead_letter()));
    };
    bind(made->transactional, made->id);
    made->plain = std::make_shared<bound_producer>();
    if (context_->settings.guarantee == guarantee::at_least_once)
      bind(*made->plain, {});
    producers_ = made;
  }
  if (!std::exchange(open_, true))
    must(producers_->transactional.handle->begin());
  tell(transaction_begun{++number_, producers_, epoch_});
}

void task_rig::seal(bool last) {
  tell(seal_request{number_, forced_, last});
}

void task_rig::commit() {
  if (commit_transaction())
    apply();
}

bool task_rig::commit_transaction() {
  auto& sealed = notes_.sealed;
  if (sealed.empty() || sealed.back().number != number_ || sealed.back().empty)
    return false;
  must(producers_->transactional.handle->commit());
  open_ = forced_ = false;
  return true;
}

void task_rig::pass() {
  seal();
  commit();
  begin();
}

void task_rig::end(bool clean) {
  tell(end_task{clean});
  running_ = false;
}

void task_rig::wait(std::chrono::milliseconds time) {
  scheduler_->clock().current_time += time;
  scheduler_->clock().trigger_expired_timeouts();
  run();
}

} // namespace weir::test
