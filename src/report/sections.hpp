#pragma once
// The sections of a page, one file each. A section with nothing to say is empty.

#include <map>

#include "report/history.hpp"
#include "report/html.hpp"
#include "report/shelf.hpp"

namespace conductorai::report {

/// What all sections look at.
struct Page {
  const Material& material;
  const History& history;
  Shelf& shelf;
  std::map<TaskId, std::size_t> index;  // place of each task in the view: its anchor is "t" and this number

  [[nodiscard]] const TaskView* find(const TaskId& id) const {
    const auto at = index.find(id);
    return at == index.end() ? nullptr : &material.view.tasks[at->second];
  }
};

/// Places of the tasks worth showing when there is no room for all, at most `limit`, in definition order: what failed, runs or waits
/// first, then what took more than one try, then what took longest.
std::vector<std::size_t> tasks_worth_showing(const Page& page, std::size_t limit);

Html header_section(const Page& page);
Html timeline_section(const Page& page);
Html graph_section(const Page& page);
Html rounds_section(const Page& page);
Html tasks_section(const Page& page);
Html probes_section(const Page& page);
Html usage_section(const Page& page);
Html releases_section(const Page& page);
Html journal_section(const Page& page);

// Smaller pieces that several sections use.
Html pill(std::string_view look, std::string_view text);
Html task_link(const Page& page, const TaskId& id);
Html findings_list(const std::vector<Finding>& findings, std::size_t limit);
Html evidence_list(const Page& page, const std::vector<Evidence>& evidence);
Html diff_lines(std::string_view text);
/// "2026-11-22 16:54:24 UTC"
std::string time_text(Timestamp at);
/// "1 234 567"
std::string grouped(std::int64_t number);

}  // namespace conductorai::report
