#include "report/page.hpp"

#include <openssl/evp.h>

#include "base/sha256.hpp"
#include "report/sections.hpp"
#include "report/style.hpp"

namespace conductorai::report {

namespace {

/// Only this very style sheet is let through; no script, image, font or address is.
std::string policy() {
  Sha256 hash;
  hash.update(kStyle);
  const Sha256::Bytes digest = hash.bytes();
  std::string text(4 * ((digest.size() + 2) / 3) + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), digest.data(), static_cast<int>(digest.size()));
  text.resize(static_cast<std::size_t>(length));
  return "default-src 'none'; style-src 'sha256-" + text + "'; base-uri 'none'; form-action 'none'";
}

struct Named {
  const char* anchor;
  const char* title;
  Html body;
};

Html links(const std::vector<Named>& sections) {
  Html out;
  for (const Named& section : sections)
    if (!section.body.empty()) out += html("<a href=\"#{}\">{}</a>", section.anchor, section.title);
  return html("<nav aria-label=\"Sections\">{}</nav>", out);
}

}  // namespace

std::optional<std::int64_t> time_to_repair_ms(const Material& material) {
  return make_history(material).repair_ms;
}

std::string make_page(const Material& material) {
  const History history = make_history(material);
  Shelf shelf(material);
  Page page{.material = material, .history = history, .shelf = shelf, .index = {}};
  for (std::size_t i = 0; i < material.view.tasks.size(); ++i) page.index[material.view.tasks[i].id] = i;
  std::vector<Named> sections;
  sections.push_back({"timeline", "Timeline", timeline_section(page)});
  sections.push_back({"graph", "Graph", graph_section(page)});
  sections.push_back({"rounds", "Rounds", rounds_section(page)});
  sections.push_back({"probes", "Probes", probes_section(page)});
  sections.push_back({"releases", "Releases", releases_section(page)});
  sections.push_back({"tasks", "Tasks", tasks_section(page)});
  sections.push_back({"usage", "Usage", usage_section(page)});
  sections.push_back({"journal", "Journal", journal_section(page)});
  std::string out(kMark);
  out +=
      html(
          "<html lang=\"en\"><head><meta charset=\"utf-8\"><meta http-equiv=\"Content-Security-Policy\" content=\"{}\"><meta "
          "name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"referrer\" content=\"no-referrer\"><title>{} · "
          "{}</title><style>",
          policy(), one_line(material.view.name, 160), to_string(material.view.status))
          .str();
  out += kStyle;
  out += "</style></head><body>\n";
  out += header_section(page).str() + links(sections).str() + "<main>\n";
  for (const Named& section : sections)
    if (!section.body.empty()) out += section.body.str() + "\n";
  out += html("</main><footer>Made by ConductorAI {} on {} from the journal and the artifacts of {}.</footer></body></html>\n",
              material.version, time_text(material.made_at), material.view.id.str())
             .str();
  return out;
}

}  // namespace conductorai::report
