#include "infrastructure/releases/manifests.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "core/document/stream.hpp"
#include "core/document/words.hpp"

namespace conductorai::infrastructure::releases {

namespace fs = std::filesystem;

namespace {

using core::document::Node;
using core::document::quote;

constexpr std::array<const char*, 4> kFolders{"k8s", "kubernetes", "manifests", "kube"};
constexpr std::size_t kFilesMax = 200;
constexpr std::size_t kDocumentsMax = 1'000;
constexpr std::size_t kFileBytes = std::size_t{2} << 20;
constexpr std::size_t kNameMax = 63;
constexpr core::document::Limits kLimits{.bytes = kFileBytes, .depth = 64, .nodes = 50'000, .text_bytes = std::size_t{4} << 20};

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

std::string text_of(const Node* node, std::string_view key) {
  const Node* found = node == nullptr ? nullptr : node->find(key);
  return found != nullptr && found->is(Node::Kind::text) ? found->text : std::string();
}

std::string place(const std::string& file, const Node& node) {
  return file + ":" + std::to_string(node.at.line);
}

bool is_manifest_file(const fs::path& path) {
  const std::string ending = path.extension().string();
  return ending == ".yaml" || ending == ".yml" || ending == ".json";
}

/// Of a folder: those in it and in folders below, by name. What is a link leads anywhere, and is none.
std::vector<fs::path> files_below(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end && found.size() <= kFilesMax; it.increment(error))
    if (it->symlink_status(error).type() == fs::file_type::regular && is_manifest_file(it->path())) found.push_back(it->path());
  std::ranges::sort(found);
  return found;
}

/// Whether no part of the way there is a link.
bool is_plain(const fs::path& root, const fs::path& relative) {
  fs::path path = root;
  std::error_code error;
  for (const auto& part : relative) {
    path /= part;
    if (fs::is_symlink(path, error)) return false;
  }
  return true;
}

Result<std::vector<fs::path>> find_files(const ManifestRequest& request) {
  std::vector<std::string> candidates(kFolders.begin(), kFolders.end());
  if (!request.folder.empty()) candidates = {request.folder};
  std::error_code error;
  for (const std::string& name : candidates) {
    const fs::path path = request.files / name;
    if (!is_plain(request.files, name)) continue;
    if (fs::is_regular_file(path, error)) return std::vector<fs::path>{path};
    auto found = files_below(path);
    if (found.size() > kFilesMax)
      return fail(ErrorCode::invalid_argument, "more than " + std::to_string(kFilesMax) + " files of manifests", name);
    if (!found.empty()) return found;
  }
  return fail(ErrorCode::not_found, "the release has no Kubernetes manifests", request.folder.empty() ? "k8s" : request.folder,
              "YAML files below k8s, kubernetes, manifests or kube, or what with.manifests names");
}

/// The text with ${NAME} replaced where the name is known.
std::string filled_in(std::string_view text, const std::map<std::string, std::string>& values, std::set<std::string>& used) {
  std::string out;
  for (auto at = text.find("${"); at != std::string_view::npos; at = text.find("${")) {
    const auto end = text.find('}', at);
    const auto found = end == std::string_view::npos ? values.end() : values.find(std::string(text.substr(at + 2, end - at - 2)));
    out += text.substr(0, at);
    if (found != values.end()) {
      out += found->second;
      used.insert(found->first);
      text.remove_prefix(end + 1);
    } else {
      out += "${";
      text.remove_prefix(at + 2);
    }
  }
  return out += text;
}

/// "registry.example.org:5000/team/shop:1.2@sha256:…" -> "shop"
std::string last_name(std::string image) {
  image = image.substr(0, image.find('@'));
  image = image.substr(image.rfind('/') + 1);
  return image.substr(0, image.find(':'));
}

/// All `image` scalars of containers.
void collect_images(const Node& node, bool in_containers, std::vector<const Node*>& out) {
  for (const auto& member : node.members) {
    if (in_containers && member.key == "image" && member.value.is(Node::Kind::text)) out.push_back(&member.value);
    collect_images(member.value, false, out);
    if (member.key == "containers" || member.key == "initContainers")
      for (const Node& item : member.value.items) collect_images(item, true, out);
  }
  for (const Node& item : node.items) collect_images(item, false, out);
}

class Renderer {
 public:
  explicit Renderer(const ManifestRequest& request) : request_(request), values_(request.values) {
    if (!request.image.empty()) values_["IMAGE"] = request.image;
  }

  Result<void> add(const fs::path& path) {
    const std::string file = path.lexically_relative(request_.files).string();
    auto raw = core::document::read_file(path, file, kFileBytes);
    if (!raw) return fail(raw.error());
    if (request_.image.empty() && raw->find("${IMAGE}") != std::string::npos)
      return fail(ErrorCode::invalid_argument, "the manifest asks for ${IMAGE}, and no image is named", file,
                  "with.image of the deploying task names it");
    File one{.name = file, .text = filled_in(*raw, values_, used_)};
    for (const auto& part : core::document::split_documents(one.text)) {
      auto parsed = core::document::parse_part(part, file, kLimits);
      if (!parsed) return fail(ErrorCode::invalid_argument, parsed.error().message, parsed.error().where, parsed.error().hint);
      if (auto taken = take(*parsed, file); !taken) return taken;
      one.documents.push_back(std::move(*parsed));
    }
    if (out_.objects.size() > kDocumentsMax)
      return fail(ErrorCode::invalid_argument, "more than " + std::to_string(kDocumentsMax) + " objects", file);
    files_.push_back(std::move(one));
    return {};
  }

  Result<Manifests> result() {
    if (out_.objects.empty()) return fail(ErrorCode::invalid_argument, "the manifests describe no object", request_.folder);
    if (!request_.image.empty() && !used_.contains("IMAGE"))
      if (auto set = set_images(); !set) return fail(set.error());
    for (const File& file : files_) out_.text += "---\n# " + file.name + "\n" + file.text + (file.text.ends_with('\n') ? "" : "\n");
    return std::move(out_);
  }

 private:
  struct File {
    std::string name;
    std::string text;
    std::vector<Node> documents;
  };

  Result<void> take(const Node& node, const std::string& file) {
    const std::string kind = text_of(&node, "kind");
    if (kind.empty() || text_of(&node, "apiVersion").empty())
      return fail(ErrorCode::invalid_argument, "a manifest needs apiVersion and kind", place(file, node));
    if (const Node* items = node.find("items"); kind == "List" && items != nullptr) {
      for (const Node& item : items->items)
        if (auto taken = take(item, file); !taken) return taken;
      return {};
    }
    const Node* metadata = node.find("metadata");
    ManifestObject object{.kind = kind,
                          .name = text_of(metadata, "name"),
                          .space = text_of(metadata, "namespace"),
                          .where = place(file, node),
                          .counted = node.find("spec") != nullptr && node.find("spec")->find("replicas") != nullptr};
    if (object.name.empty())
      return fail(ErrorCode::invalid_argument, "the " + kind + " needs a metadata.name: what is applied again must be found again",
                  object.where);
    if (!object.space.empty() && !out_.space.empty() && object.space != out_.space)
      return fail(ErrorCode::invalid_argument, "the manifests name two namespaces, " + quote(out_.space) + " and " + quote(object.space),
                  object.where, "a release lives in one; ${NAMESPACE} is that of with.namespace");
    if (!object.space.empty()) out_.space = object.space;
    out_.objects.push_back(std::move(object));
    return {};
  }

  /// In the text, where the scalar stands; quotes around it stay.
  Result<void> set_images() {
    std::set<std::string> others;
    bool set = false;
    for (File& file : files_) {
      std::vector<const Node*> images;
      for (const Node& document : file.documents) collect_images(document, false, images);
      // From the last to the first: a replacement moves what follows it.
      std::ranges::sort(images, [](const Node* a, const Node* b) { return a->at > b->at; });
      for (const Node* image : images) {
        if (last_name(image->text) != last_name(request_.image)) {
          others.insert(image->text);
        } else if (!replace(file.text, *image)) {
          return fail(ErrorCode::invalid_argument, "this image cannot be replaced where it stands", place(file.name, *image),
                      "write ${IMAGE}");
        } else {
          set = true;
        }
      }
    }
    if (set) return {};
    std::string said;
    for (const std::string& other : others) said += (said.empty() ? "" : ", ") + quote(other);
    return fail(ErrorCode::invalid_argument,
                "no manifest uses the image " + quote(request_.image) + (said.empty() ? "" : "; they say " + said), "with.image",
                "write ${IMAGE} where it belongs");
  }

  bool replace(std::string& text, const Node& scalar) const {
    std::size_t at = 0;
    for (int line = 1; line < scalar.at.line; ++line) at = text.find('\n', at) + 1;
    for (int column = 1; column < scalar.at.column && at < text.size(); ++column) do
        ++at;
      while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U);
    if (at < text.size() && (text[at] == '"' || text[at] == '\'')) ++at;
    if (text.compare(at, scalar.text.size(), scalar.text) != 0) return false;
    text.replace(at, scalar.text.size(), request_.image);
    return true;
  }

  const ManifestRequest& request_;
  std::map<std::string, std::string> values_;
  std::set<std::string> used_;
  std::vector<File> files_;
  Manifests out_;
};

std::string only(const std::string& text, std::string_view others, bool lower) {
  std::string out;
  for (const char c : text) {
    const bool taken = is_letter_or_digit(c) || others.find(c) != std::string_view::npos;
    const char kept = taken ? c : '-';
    out += lower && kept >= 'A' && kept <= 'Z' ? static_cast<char>(kept - 'A' + 'a') : kept;
  }
  out = out.substr(0, kNameMax);
  while (!out.empty() && !is_letter_or_digit(out.back())) out.pop_back();
  while (!out.empty() && !is_letter_or_digit(out.front())) out.erase(0, 1);
  return out;
}

}  // namespace

Result<Manifests> render_manifests(const ManifestRequest& request) {
  auto files = find_files(request);
  if (!files) return fail(files.error());
  Renderer renderer(request);
  for (const fs::path& file : *files)
    if (auto added = renderer.add(file); !added) return fail(added.error());
  return renderer.result();
}

std::string object_name(const std::string& text) {
  const std::string name = only(text, "", true);
  return name.empty() ? "app" : name;
}

std::string label_value(const std::string& text) {
  return only(text, "._-", false);
}

bool is_object_name(const std::string& text) {
  return !text.empty() && text.size() <= kNameMax && is_letter_or_digit(text.front()) && is_letter_or_digit(text.back()) &&
         std::ranges::all_of(text, [](char c) { return c == '-' || (is_letter_or_digit(c) && (c < 'A' || c > 'Z')); });
}

bool is_image_name(const std::string& text) {
  return !text.empty() && text.size() <= 512 && is_letter_or_digit(text.front()) && std::ranges::all_of(text, [](char c) {
    return is_letter_or_digit(c) || std::string_view("._-/:@").find(c) != std::string_view::npos;
  });
}

}  // namespace conductorai::infrastructure::releases
