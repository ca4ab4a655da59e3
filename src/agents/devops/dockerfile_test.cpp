// A Dockerfile's mistakes are found with their lines; what BuildKit takes is taken.

#include "agents/devops/dockerfile.hpp"

#include <gmock/gmock.h>

namespace conductorai::agents {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> wrong(std::string_view text) {
  std::vector<std::string> out;
  for (const Finding& finding : check_dockerfile("Dockerfile", text).findings)
    if (finding.severity == Severity::error) out.push_back(std::to_string(finding.line) + ": " + finding.message);
  return out;
}

TEST(Dockerfile, TakesWhatBuildKitTakes) {
  EXPECT_THAT(wrong(R"(# syntax=docker/dockerfile:1
# escape=\
ARG VERSION=3.12
FROM --platform=$BUILDPLATFORM python:${VERSION}-slim AS build

# a comment
RUN apt-get update && \
    # a comment inside a continuation

    apt-get install -y git
COPY --chown=app:app . /src
RUN <<EOF
FROMAGE is no instruction here
EOF
RUN --mount=type=cache,target=/root/.cache --mount=type=bind,from=build,source=/a,target=/b true
RUN [ -d /x ] || mkdir /x
from scratch as final
copy --from=build /src /src
COPY --from=0 ["/a b", "/c"]
COPY --from=nginx:1.27 /etc/nginx /etc/nginx
COPY <<-'CONF' /etc/app.conf
	key = value
	CONF
ENV A=1 B="two words" C=three
ENV LEGACY has spaces
LABEL "org.example"="x"
EXPOSE 8080 53/udp 7000-7010 $PORT
HEALTHCHECK --interval=5s CMD ["curl", "-f", "http://localhost/"]
STOPSIGNAL SIGTERM
SHELL ["/bin/bash", "-c"]
ONBUILD RUN true
VOLUME /data
USER nobody
WORKDIR /a b
ENTRYPOINT ["python3"]
CMD ["-m", "http.server"]
)"),
              ::testing::ElementsAre("15: --from=build names its own stage"));
}

struct Mistake {
  std::string text, expected;
};
class DockerfileMistake : public ::testing::TestWithParam<Mistake> {};
TEST_P(DockerfileMistake, IsNamedWithItsLine) {
  const auto found = wrong(GetParam().text);
  ASSERT_FALSE(found.empty()) << GetParam().text;
  EXPECT_THAT(found.front(), HasSubstr(GetParam().expected));
}
INSTANTIATE_TEST_SUITE_P(
    All, DockerfileMistake,
    ::testing::Values(
        Mistake{"", "1: there is no FROM"}, Mistake{"# only a comment\n", "there is no FROM"},
        Mistake{"RUN true\nFROM a\n", "1: RUN stands before the first FROM"},
        Mistake{"FROM a\nCPOY . .\n", "2: unknown instruction 'CPOY'; did you mean COPY?"},
        Mistake{"FROM a\nRUN \\\n  # c\n  true\nBOGUS x\n", "5: unknown instruction"}, Mistake{"FROM a b\n", "FROM takes an image"},
        Mistake{"FROM a AS 1x\n", "a stage cannot be named"}, Mistake{"FROM a AS x\nFROM b AS X\n", "2: there is a stage 'x' already"},
        Mistake{"FROM python:$VERSION\n", "FROM uses $VERSION, which no ARG above declares"},
        Mistake{"FROM a AS one\nFROM b\nCOPY --from=two /x /y\n", "3: --from='two': no stage above"},
        Mistake{"FROM a\nCOPY --from=0 /x /y\n", "2: --from=0: there is no such stage above"},
        Mistake{"FROM a\nCOPY --form=x a b\n", "COPY knows no flag --'form'"}, Mistake{"FROM a\nCOPY onlyone\n", "needs a source"},
        Mistake{"FROM a\nCOPY ../x /y\n", "outside the build context"}, Mistake{"FROM a\nCMD ['a', 'b']\n", "no JSON array"},
        Mistake{"FROM a\nENTRYPOINT [\"a\", \"b\"\n", "no JSON array"}, Mistake{"FROM a\nRUN [\"a\", b]\n", "no JSON array"},
        Mistake{"FROM a\nSHELL bash\n", "SHELL takes a JSON array"}, Mistake{"FROM a\nENV A\n", "ENV needs a value"},
        Mistake{"FROM a\nENV A=1 B\n", "ENV takes key=value, found 'B'"}, Mistake{"FROM a\nEXPOSE 99999\n", "EXPOSE takes a port"},
        Mistake{"FROM a\nEXPOSE http\n", "EXPOSE takes a port"}, Mistake{"FROM a\nHEALTHCHECK curl x\n", "HEALTHCHECK takes NONE"},
        Mistake{"FROM a\nONBUILD FROM b\n", "ONBUILD cannot hold FROM"}, Mistake{"FROM a\nUSER a b\n", "USER takes one argument"},
        Mistake{"FROM a\nRUN <<EOF\ntrue\n", "2: the here-document 'EOF' is never closed"}, Mistake{"FROM a\nWORKDIR\n", "WORKDIR needs"},
        Mistake{"# escape=x\nFROM a\n", "escape directive"}, Mistake{"FROM ${A\n", "never closed"}));

TEST(Dockerfile, OfAHundredThousandLinesIsReadAndRefused) {
  std::string text = "FROM a\n";
  for (int i = 0; i < 100'000; ++i) text += "RUN x\n";
  EXPECT_THAT(wrong(text), ::testing::ElementsAre(HasSubstr("129: the stage has more than 127 layers")));
  text.clear();
  for (int i = 0; i < 50'000; ++i) text += "what is this\n";
  EXPECT_EQ(wrong(text).size(), 50U);
  EXPECT_THAT(wrong(std::string(std::size_t{2} << 20, 'x')), ::testing::ElementsAre(HasSubstr("1 MiB")));
}

TEST(Dockerfile, WarningsNeverHideAnError) {
  std::string text = "FROM a\n";
  for (int i = 0; i < 500; ++i) text += "MAINTAINER x\n";
  EXPECT_THAT(wrong(text + "BOGUS\n"), ::testing::ElementsAre(HasSubstr("502: unknown instruction")));
}

TEST(Dockerfile, SaysWhatItDidNotCheck) {
  EXPECT_EQ(check_dockerfile("Dockerfile", "FROM scratch\n").depth, "checked for syntax only: no container engine used");
}

}  // namespace
}  // namespace conductorai::agents
