// What is filled in, and what is not.
#include "infrastructure/releases/manifests.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "infrastructure/releases/kubernetes_record.hpp"

namespace conductorai::infrastructure::releases {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class ManifestFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "manifests-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    request.files = name;
    request.values = {{"APP", "shop"}};
  }
  void TearDown() override {
    std::error_code ignored;
    fs::remove_all(request.files, ignored);
  }
  void put(const std::string& name, const std::string& text) const {
    fs::create_directories((request.files / name).parent_path());
    std::ofstream(request.files / name) << text;
  }
  [[nodiscard]] std::string rendered() const {
    auto manifests = render_manifests(request);
    return manifests ? manifests->text : to_string(manifests.error());
  }
  ManifestRequest request;
};

TEST_F(ManifestFiles, AreTakenByNameFromTheFirstFolderThatHasSome) {
  put("kubernetes/b.yml", "apiVersion: v1\nkind: Service\nmetadata: { name: b }");
  put("kubernetes/a/x.json", R"({"apiVersion":"v1","kind":"Service","metadata":{"name":"a"}})");
  put("kubernetes/README.md", "# how");
  put("manifests/c.yaml", "not: looked at");
  EXPECT_EQ(rendered(),
            "---\n# kubernetes/a/x.json\n{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"a\"}}\n"
            "---\n# kubernetes/b.yml\napiVersion: v1\nkind: Service\nmetadata: { name: b }\n");
}

TEST_F(ManifestFiles, KeepNamesThatAreNotOurs) {
  put("k8s/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: \"${APP}-${APP}\" }\ndata: { a: \"${PORT} $APP ${APP ${\" }\n");
  EXPECT_THAT(rendered(), HasSubstr("name: \"shop-shop\" }\ndata: { a: \"${PORT} $APP ${APP ${\" }"));
}

TEST_F(ManifestFiles, FindTheObjectsOfAList) {
  put("k8s/a.yaml", "apiVersion: v1\nkind: List\nitems:\n- { apiVersion: v1, kind: Service, metadata: { name: s, namespace: n } }\n");
  const auto manifests = render_manifests(request);
  ASSERT_TRUE(manifests) << to_string(manifests.error());
  ASSERT_EQ(manifests->objects.size(), 1U);
  EXPECT_EQ(manifests->objects[0].name, "s");
  EXPECT_EQ(manifests->space, "n");
}

TEST_F(ManifestFiles, ReplaceAnImageInItsOwnPlaceOnly) {
  request.image = "r/shop:2";
  put("k8s/a.yaml",
      "apiVersion: v1\nkind: Pod\nmetadata: { name: shop }\nspec:\n  initContainers: [{ name: shop, image: 'shop' }]\n"
      "  containers: [{ image: shop, name: größe }, { name: grün, image: shop:1 }]\n  image: shop\n");
  EXPECT_THAT(rendered(), HasSubstr("initContainers: [{ name: shop, image: 'r/shop:2' }]\n"
                                    "  containers: [{ image: r/shop:2, name: größe }, { name: grün, image: r/shop:2 }]\n  image: shop\n"));
}

TEST(KubernetesNames, AreMadeOfWhatIsAllowed) {
  EXPECT_EQ(object_name("URL Shortener (v2)"), "url-shortener--v2");
  EXPECT_EQ(object_name("äöü"), "app");
  EXPECT_EQ(object_name(std::string(62, 'a') + "--b"), std::string(62, 'a'));
  EXPECT_EQ(label_value("1.0.0+x_y"), "1.0.0-x_y");
  EXPECT_TRUE(is_object_name("shop-2"));
  for (const char* wrong : {"", "Shop", "-a", "a-", "a.b", "a b"}) EXPECT_FALSE(is_object_name(wrong)) << wrong;
  EXPECT_TRUE(is_image_name("reg:5000/a/b_c:1.2@sha256:00"));
  for (const char* wrong : {"", "a b", "-x", "a\nb", "a\"b", "a#b", "${X}"}) EXPECT_FALSE(is_image_name(wrong)) << wrong;
}

TEST(KubernetesNames, TellRevisionsAndKinds) {
  EXPECT_EQ(newest_revision("deployment.apps/x \nREVISION  CHANGE-CAUSE\n9         <none>\n10        new image\n"), "10");
  EXPECT_EQ(newest_revision("no history"), "");
  EXPECT_TRUE(is_workload("daemonset.apps/x"));
  EXPECT_FALSE(is_workload("service/x"));
  EXPECT_EQ(without_ready_pods("Deployment   a   1        <none>\nService   b   <none>   <none>\nDaemonSet   c   <none>   3\n"), "");
  EXPECT_EQ(without_ready_pods("Deployment   a   1        <none>\nStatefulSet   b   <none>   <none>\n"),
            "no pod of StatefulSet b is ready");
  EXPECT_EQ(without_ready_pods("DaemonSet   c   <none>   0\n"), "no pod of DaemonSet c is ready");
  EXPECT_TRUE(outlives_release("customresourcedefinition.apiextensions.k8s.io/x"));
  EXPECT_FALSE(outlives_release("deployment.apps/namespace"));
}

}  // namespace
}  // namespace conductorai::infrastructure::releases
