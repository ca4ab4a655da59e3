#pragma once
// Kubernetes manifests of a release: found among its files, filled in, checked as YAML. Nothing is asked of a cluster here.

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "conductorai/result.hpp"

namespace conductorai::infrastructure::releases {

/// One object that the manifests describe.
struct ManifestObject {
  std::string kind, name, space;  // `space`: its namespace; empty where it names none
  std::string where;              // "k8s/app.yaml:12"
  bool counted = false;           // says spec.replicas
};

struct Manifests {
  std::string text;  // all of them, as kubectl reads them
  std::vector<ManifestObject> objects;
  std::string space;  // the one namespace that they name; empty: none does
};

struct ManifestRequest {
  std::filesystem::path files;                // of the release
  std::string folder;                         // file or folder among them; empty: the first of k8s, kubernetes, manifests, kube
  std::string image;                          // of the app; empty: as the manifests say
  std::map<std::string, std::string> values;  // for ${NAME}; of characters that mean nothing in YAML. Other names stay as they are
};

/// ${IMAGE} is `image`; where no manifest says that, it replaces the image of those containers whose image has the same last name
/// ("shop:latest" by "registry.example.org/team/shop:1.2"). Links are not followed.
/// Errors: invalid_argument, `where` is "FILE:line:column" (no YAML, no object, several namespaces, an image that nothing uses);
/// not_found (no manifests).
Result<Manifests> render_manifests(const ManifestRequest& request);

/// A name as Kubernetes takes it: lower-case letters, digits and "-", at most 63.
std::string object_name(const std::string& text);
/// The value of a label, or a tag: letters, digits, ".", "_" and "-", at most 63.
std::string label_value(const std::string& text);
bool is_object_name(const std::string& text);
bool is_image_name(const std::string& text);

}  // namespace conductorai::infrastructure::releases
