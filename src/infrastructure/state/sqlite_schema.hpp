#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>

#include "infrastructure/state/sqlite_connection.hpp"

namespace conductorai::infrastructure {

/// Opens `<state_dir>/state.db` for writing, makes the directory and the tables where they are missing, refuses what is not ours.
/// Throws SqliteFailure. Several processes may do it at once.
std::unique_ptr<Connection> open_state(const std::filesystem::path& state_dir, std::int64_t busy_timeout_ms, bool create);

}  // namespace conductorai::infrastructure
