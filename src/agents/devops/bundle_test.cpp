// The parts of a bundle: archive, sums, dependencies, what the project tells of itself.

#include "agents/devops/bundle.hpp"

#include <gmock/gmock.h>

#include <filesystem>

#include "agents/devops/dependencies.hpp"
#include "agents/devops/project_facts.hpp"
#include "agents/devops/statements.hpp"
#include "agents/devops/tar.hpp"

namespace conductorai::agents {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Texts = std::map<std::string, std::string>;

std::vector<std::string> names(const Texts& files) {
  std::vector<std::string> out;
  for (const auto& [path, text] : files) out.push_back(path);
  return out;
}
ReadText reader(const Texts& files) {
  return [&files](const std::string& path) {
    const auto found = files.find(path);
    return found == files.end() ? std::nullopt : std::optional(found->second);
  };
}

TEST(Tar, IsWholeBlocksOfPosixHeaders) {
  TarWriter tar;
  tar.add({.path = "a.txt"}, "hello");
  const std::string bytes = tar.finish();
  ASSERT_EQ(bytes.size(), 512U + 512U + 1024U);
  EXPECT_EQ(bytes.substr(257, 5), "ustar");
  EXPECT_EQ(bytes.substr(100, 7), "0000644");
  EXPECT_EQ(bytes.substr(124, 11), "00000000005");
  EXPECT_EQ(bytes.substr(512, 5), "hello");
  unsigned sum = 8 * ' ';
  for (std::size_t i = 0; i < 512; ++i)
    if (i < 148 || i >= 156) sum += static_cast<unsigned char>(bytes[i]);
  EXPECT_EQ(std::stoul(bytes.substr(148, 6), nullptr, 8), sum);
}

TEST(Tar, LongNamesTravelInPaxHeaders) {
  TarWriter tar;
  tar.add({.path = std::string(99, 'd') + "/" + std::string(99, 'f')}, "");
  const std::string bytes = tar.finish();
  EXPECT_EQ(bytes[156], 'x');
  EXPECT_THAT(bytes, HasSubstr("209 path=" + std::string(99, 'd') + "/"));
}

TEST(Checksums, EscapeNamesAsSha256sumDoes) {
  EXPECT_EQ(checksums({{.path = "a b", .sha256 = "00", .size = 1}, {.path = "x\ny", .sha256 = "11", .size = 1}, {.path = "link"}}),
            "00  a b\n\\11  x\\ny\n");
}

std::vector<std::string> urls(const Texts& files) {
  std::vector<std::string> out;
  for (const Dependency& dependency : dependencies_of(names(files), reader(files)))
    out.push_back(package_url(dependency) + (dependency.wanted.empty() ? "" : " " + dependency.wanted));
  return out;
}

TEST(Dependencies, AreReadFromEveryKindOfList) {
  EXPECT_THAT(urls({{"requirements.txt",
                     "# c\nFlask==3.0.0  # pinned\nzope.interface[test] >= 5, <7 ; python_version > '3'\n-r other.txt\n--hash=x\n"
                     "git+https://example.org/x\n./local\nplain\nhashed==1.0 \\\n    --hash=sha256:00\n"}}),
              ElementsAre("pkg:pypi/flask@3.0.0", "pkg:pypi/hashed@1.0", "pkg:pypi/plain", "pkg:pypi/zope-interface >= 5, <7"));
  EXPECT_THAT(urls({{"pyproject.toml",
                     "[build-system]\nrequires = ['no']\n[project]\ndependencies = [\n  \"A_b>=1\", # \"no\"\n  'c==2',\n]\n[x]\n"
                     "dependencies = ['no']\n"}}),
              ElementsAre("pkg:pypi/a-b >=1", "pkg:pypi/c@2"));
  EXPECT_THAT(urls({{"package.json", R"({"dependencies":{"no":"1"}})"},
                    {"package-lock.json", R"({"packages":{"":{"name":"me"},"node_modules/@a/b":{"version":"1.0.0"},
                      "node_modules/x/node_modules/y":{"version":"2.0.0"}}})"},
                    {"web/package.json", R"({"dependencies":{"left":"^1"}})"}}),
              ElementsAre("pkg:npm/%40a/b@1.0.0", "pkg:npm/left ^1", "pkg:npm/y@2.0.0"));
  EXPECT_THAT(urls({{"go.mod", "module m\ngo 1.22\nrequire a.org/x v1.0.0\nrequire (\n\tb.org/y v0.1.0 // indirect\n)\nreplace a => b\n"}}),
              ElementsAre("pkg:golang/a.org/x@v1.0.0", "pkg:golang/b.org/y@v0.1.0"));
  EXPECT_THAT(urls({{"Cargo.lock", "version = 3\n[[package]]\nname = \"serde\"\nversion = \"1.0.1\"\n[metadata]\nname = \"no\"\n"}}),
              ElementsAre("pkg:cargo/serde@1.0.1"));
  EXPECT_THAT(
      urls({{"poetry.lock", "[[package]]\nname = \"Jinja2\"\nversion = \"3\"\n"}, {"pyproject.toml", "[project]\ndependencies=['j']\n"}}),
      ElementsAre("pkg:pypi/jinja2@3"));
}

TEST(Dependencies, BrokenListsGiveNothing) {
  EXPECT_THAT(urls({{"package.json", "{"},
                    {"package-lock.json", "[1]"},
                    {"go.mod", "require"},
                    {"Cargo.lock", "[[package]]\n[[package]]"},
                    {"pyproject.toml", "[project]\ndependencies = ['never closed\n"},
                    {"requirements.txt", "\xff==\n"}}),
              ElementsAre());
}

std::string version(const Texts& files) {
  return declared_version(names(files), reader(files));
}
std::string run_of(const Texts& files) {
  return run_command(names(files), reader(files));
}

TEST(ProjectFacts, TheVersionIsTheProjectsOwn) {
  EXPECT_EQ(version({{"package.json", R"({"version":"1.2.3"})"}}), "1.2.3");
  EXPECT_EQ(version({{"pyproject.toml", "[tool.x]\nversion = '9'\n[project]\nname = 'a'\nversion = \"1.4.0\"\n"}}), "1.4.0");
  EXPECT_EQ(version({{"Cargo.toml", "[package]\nversion = \"0.3.0-rc.1\"\n[dependencies]\nversion = \"9\"\n"}}), "0.3.0-rc.1");
  EXPECT_EQ(version({}), "0.0.0");
  EXPECT_EQ(version({{"package.json", R"({"version":"../../etc"})"}}), "0.0.0");
}

TEST(ProjectFacts, TheRunCommandIsFoundOnlyWhereThereIsAService) {
  EXPECT_EQ(run_of({{"Procfile", "worker: x\nweb: gunicorn app\n"}}), "gunicorn app");
  EXPECT_EQ(run_of({{"package.json", R"({"scripts":{"start":"node ."}})"}}), "npm start --silent");
  EXPECT_EQ(run_of({{"shop/__main__.py", "add_argument('--port')"}}), "python3 -m shop --port \"$PORT\"");
  EXPECT_EQ(run_of({{"shop/__main__.py", "os.environ['PORT']"}}), "python3 -m shop");
  EXPECT_EQ(run_of({{"shop/__main__.py", "print(1)"}}), "");
  EXPECT_EQ(run_of({{"a/__main__.py", "PORT"}, {"b/__main__.py", "PORT"}}), "");
  EXPECT_EQ(run_of({{"package.json", R"({"scripts":{}})"}}), "");
}

}  // namespace
}  // namespace conductorai::agents
