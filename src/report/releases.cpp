#include "report/sections.hpp"

namespace conductorai::report {

namespace {

std::string_view look_of(const std::string& state) {
  if (state == "serving" || state == "healthy") return "passed";
  if (state == "failed" || state == "unhealthy" || state == "rolled_back") return "failed";
  return state == "stopped" || state == "retired" ? "skipped" : "waiting";
}

/// Only what is an address of the web may be followed.
Html address(const std::string& url) {
  if (url.empty()) return html("–");
  if (!url.starts_with("http://") && !url.starts_with("https://")) return html("<code>{}</code>", one_line(url, 200));
  return html("<a rel=\"noreferrer\" href=\"{}\">{}</a>", one_line(url, 200), one_line(url, 200));
}

}  // namespace

Html releases_section(const Page& page) {
  if (page.material.releases.empty()) return {};
  Html rows;
  for (const ReleaseFacts& release : page.material.releases)
    rows += html("<tr><td><code>{}</code></td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>", one_line(release.id, 80),
                 one_line(release.driver, 40), pill(look_of(release.state), one_line(release.state, 40)), address(release.url),
                 one_line(release.detail, 300));
  return html(
      "<section id=\"releases\"><h2>Releases</h2><div class=\"scroll\" "
      "tabindex=\"0\"><table><thead><tr><th>Release</th><th>Driver</th><th>State</th>"
      "<th>Address</th><th></th></tr></thead><tbody>{}</tbody></table></div></section>",
      rows);
}

}  // namespace conductorai::report
