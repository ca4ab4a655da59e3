#include "integrations/llm/wire/service.hpp"

namespace conductorai::integrations {

std::string joined_url(std::string_view base, std::string_view path) {
  const auto query = base.find('?');
  std::string url(base.substr(0, query));
  while (url.ends_with('/')) url.pop_back();
  url += path;
  if (query != std::string_view::npos) url += base.substr(query);
  return url;
}

}  // namespace conductorai::integrations
