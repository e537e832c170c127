// How much memory each task of a node may use: one budget a kind, divided.
#pragma once

#include <cstddef>

#include "runtime/job/settings.hpp"

namespace weir {

/// Budgets of a node, by kind. Each is divided by the tasks that the node may
/// come to hold, so that 500 tasks need no more than 50; the sum stays well
/// below a gigabyte. The limits of a share keep few tasks from waste and many
/// from starving: a floor of 64 KiB on 1,000 tasks is 64 MiB.
struct memory_budgets {
  /// Uncommitted changes, decoded. A task may hold twice its share while a
  /// commit is applied.
  std::size_t overlay = 128u << 20;
  /// Committed values, decoded.
  std::size_t cache = 64u << 20;
  /// What is held back between a seal and the next begin (L5).
  std::size_t held = 32u << 20;
  /// LevelDB's tables that collect writes; up to two exist a database.
  std::size_t write_buffers = 64u << 20;
  /// Changes that a restore collects before it writes them.
  std::size_t restore = 32u << 20;
  /// Keys and values that are read ahead. What keeps a record of 100 bytes in
  /// librdkafka's queue is three times as large as the record.
  std::size_t read_ahead = 32u << 20;
  /// The same of the readers of changelogs, which exist while a task restores.
  /// Not as large as that of inputs: so the Kafka client has a handle of its
  /// own for them, whose requests do not wait in the long polls of partitions
  /// that are at their end.
  std::size_t restore_ahead = 16u << 20;
  /// Of the embedded log, whose open transactions are in memory.
  std::size_t transactions = 64u << 20;
  /// Keys and values in the queues of the lanes' producers.
  std::size_t producers = 128u << 20;
};

/// What one task, one reader and one lane of a node may use, in bytes.
struct memory_shares {
  std::size_t overlay = 0;
  std::size_t cache = 0;
  std::size_t held = 0;
  std::size_t write_buffer = 0;
  std::size_t restore = 0;
  /// Of one reader.
  std::size_t read_ahead = 0;
  std::size_t restore_ahead = 0;
  /// Of one lane's producer.
  std::size_t transaction = 0;
  /// Of one producer: a lane has one, and at-least-once two.
  std::size_t producer = 0;
};

/// Divides the budgets. The settings that speak of one task (`overlay_bytes`,
/// `cache_bytes`, `held_bytes`) are the most that it gets, however few there
/// are. `tasks` and `inputs` (of each task) count as 1 if they are less.
memory_shares share_memory(const settings& how, int tasks, int inputs,
                           const memory_budgets& of = {});

} // namespace weir
