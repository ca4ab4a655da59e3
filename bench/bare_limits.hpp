#pragma once
// What the machine gives without us: the least that any design must do for the same work.

#include <cstdint>
#include <filesystem>

#include "bench/measurement.hpp"

namespace conductorai::bench {

/// Rows of 1 KB appended to SQLite (WAL, synchronous=FULL), `batch` a transaction.
Measurement bare_appends(const std::filesystem::path& folder, std::int64_t rows, int batch);
/// The same, one row a transaction.
Measurement bare_commits(const std::filesystem::path& folder, std::int64_t rows);
/// Seven coroutine hops through the loop that each keep a string of 1 KB: a workflow without an engine.
Measurement bare_hops(std::int64_t workflows, int in_flight);
/// A look-up of the channel, a shared message of 1 KB, one post to its subscriber.
Measurement bare_bus(std::int64_t messages);

}  // namespace conductorai::bench
