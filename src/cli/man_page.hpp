#pragma once
// The manual page, made from the commands and options that the parser itself knows: it cannot tell of others.

#include <string>
#include <string_view>

namespace CLI {
class App;
}

namespace conductorai::cli {

/// conductorai(1) in man(7) macros.
std::string man_page(const CLI::App& app, std::string_view version);

}  // namespace conductorai::cli
