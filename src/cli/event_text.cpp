#include "cli/event_text.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "cli/text.hpp"
#include "report/event_words.hpp"

namespace conductorai::cli {

std::string event_text(const EventRecord& record) {
  return clean_line(fmt::format("{:<18} {}", record.event, report::event_words(record)));
}

std::string event_text_with_time(const EventRecord& record) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(record.at);
  return fmt::format("{:%H:%M:%S}  {}", fmt::localtime(seconds), event_text(record));
}

}  // namespace conductorai::cli
