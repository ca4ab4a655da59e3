#pragma once
// Delivery files against real parsers and real schemas.

#include <string>
#include <string_view>
#include <vector>

#include "agents/devops/delivery_files.hpp"
#include "conductorai/models.hpp"

namespace conductorai::agents {

struct FileCheck {
  std::string file;
  DeliveryKind kind = DeliveryKind::dockerfile;
  std::string depth;              // how far the check goes, for people: "schema", "checked for syntax only: …"
  std::vector<Finding> findings;  // of severity error: the file is wrong; warnings do not fail it
  [[nodiscard]] bool passed() const;
};

/// Never fails and takes time in proportion to the content, whatever it holds.
FileCheck check_delivery_file(std::string path, DeliveryKind kind, std::string_view content);

}  // namespace conductorai::agents
