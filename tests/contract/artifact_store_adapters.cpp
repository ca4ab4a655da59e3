#include "infrastructure/artifacts/file_artifact_store.hpp"
#include "infrastructure/artifacts/memory_artifact_store.hpp"
#include "tests/contract/artifact_store_contract.hpp"

namespace conductorai::test {
namespace {

std::unique_ptr<ArtifactStore> in_memory(const std::filesystem::path&) {
  return std::make_unique<infrastructure::MemoryArtifactStore>();
}

std::unique_ptr<ArtifactStore> in_files(const std::filesystem::path& folder) {
  auto opened = infrastructure::FileArtifactStore::open(folder);
  EXPECT_TRUE(opened) << to_string(opened.error());
  return std::move(*opened);
}

INSTANTIATE_TEST_SUITE_P(Adapters, ArtifactStoreContract,
                         testing::Values(ArtifactAdapter{"Memory", in_memory}, ArtifactAdapter{"Files", in_files}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace conductorai::test
