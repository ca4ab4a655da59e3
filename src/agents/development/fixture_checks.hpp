#pragma once
// Whether a data file is what its name says: strict JSON, JSON lines, CSV and TSV with even rows, SQL that SQLite takes, YAML.

#include <optional>
#include <string>
#include <string_view>

namespace conductorai::agents {

/// Names that test data may have.
bool is_data_file(std::string_view path);
/// Whether a folder above it is one where tests keep their data.
bool is_in_test_folder(std::string_view path);
/// What is wrong, empty when it is sound; nullopt for kinds that nothing checks (text, XML, …).
std::optional<std::string> check_fixture(std::string_view path, std::string_view content);

/// SQL in an empty in-memory database that reaches no file, under limits of steps and pages. What is wrong, empty when it is sound.
std::string check_sql(std::string_view sql);

}  // namespace conductorai::agents
