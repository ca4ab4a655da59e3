#include "report/sections.hpp"

namespace conductorai::report {

namespace {

std::string_view look_of(ReleaseState state) {
  switch (state) {
    case ReleaseState::serving: return "passed";
    case ReleaseState::failed: return "failed";
    case ReleaseState::candidate:
    case ReleaseState::degraded: return "waiting";
    default: return "skipped";
  }
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
  for (const ReleaseInfo& release : page.material.releases)
    rows += html(
        "<tr><td><code>{}</code><div class=\"meta\">{}</div></td><td>{}</td><td>{}</td><td>{}</td><td class=\"n\">{}</td><td>{}</td></tr>",
        one_line(release.id, 120), one_line(release.version, 80), one_line(release.driver, 40),
        pill(look_of(release.state), to_string(release.state)), address(release.url),
        release.restarts < 0 ? "–" : std::to_string(release.restarts), one_line(release.reason, 300));
  return html(
      "<section id=\"releases\"><h2>Releases</h2><div class=\"scroll\" "
      "tabindex=\"0\"><table><thead><tr><th>Release</th><th>Driver</th><th>State</th>"
      "<th>Address</th><th class=\"n\">Restarts</th><th></th></tr></thead><tbody>{}</tbody></table></div></section>",
      rows);
}

}  // namespace conductorai::report
