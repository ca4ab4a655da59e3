#include <fmt/chrono.h>
#include <fmt/format.h>

#include "report/event_words.hpp"
#include "report/sections.hpp"

namespace conductorai::report {

namespace {

std::string clock_text(Timestamp at) {
  const auto ms = at.time_since_epoch().count();
  return fmt::format("{:%H:%M:%S}.{:03}", fmt::gmtime(static_cast<std::time_t>(ms / 1000)), ms % 1000);
}

Html row(const EventRecord& record) {
  return html(
      "<tr><td class=\"n dim\">{}</td><td class=\"mono dim\"><time datetime=\"{}\">{}</time></td><td class=\"mono\">{}</td><td "
      "class=\"words\">{}</td></tr>",
      record.seq, time_text(record.at), clock_text(record.at), one_line(record.event, 60), one_line(event_words(record), 240));
}

}  // namespace

Html journal_section(const Page& page) {
  const auto& events = page.material.events;
  const std::size_t limit = page.material.limits.journal_rows;
  const std::size_t head = events.size() <= limit ? events.size() : limit / 2;
  const std::size_t tail = events.size() <= limit ? events.size() : events.size() - limit / 2;
  Html rows;
  for (std::size_t i = 0; i < head; ++i) rows += row(events[i]);
  if (tail > head)
    rows += html("<tr><td class=\"dim\" colspan=\"4\">{} events left out: <code>conductorai events {}</code></td></tr>", tail - head,
                 page.material.view.id.str());
  for (std::size_t i = tail; i < events.size(); ++i) rows += row(events[i]);
  return html(
      "<section id=\"journal\"><h2>Journal</h2><details class=\"fold\"><summary>{} recorded facts</summary><div class=\"scroll\" "
      "tabindex=\"0\"><table class=\"journal\"><thead><tr><th class=\"n\">#</th><th>UTC</th><th>Event</th><th></th></tr></thead><tbody>{}"
      "</tbody></table></div></details></section>",
      grouped(static_cast<std::int64_t>(events.size())), rows);
}

}  // namespace conductorai::report
