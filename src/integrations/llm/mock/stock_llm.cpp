#include "integrations/llm/mock/stock_llm.hpp"

#include <cctype>

#include "core/json.hpp"

namespace conductorai::integrations {
namespace {

std::string prompt_of(const LLMRequest& request) {
  std::string all;
  for (const ChatMessage& message : request.messages) all += message.text + "\n";
  return all;
}

// The first line between the tags our prompts put around it.
std::string requirement_line(const std::string& prompt) {
  constexpr std::string_view kOpen = "<requirement>";
  const auto open = prompt.find(kOpen);
  if (open == std::string::npos) return "a dry run";
  const auto start = prompt.find_first_not_of(" \r\n\t", open + kOpen.size());
  if (start == std::string::npos) return "a dry run";
  return prompt.substr(start, std::min<std::size_t>(prompt.find('\n', start) - start, 200));
}

// "dryrun_" and the task id as an identifier: tasks that run side by side never write the same file.
std::string module_of(const LLMCaller& caller) {
  std::string name = "dryrun_";
  for (const char c : caller.attempt.task.str()) name += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  return name;
}

constexpr std::string_view kModule = R"(

def double(number):
    """Twice the number; TypeError for what is none."""
    if isinstance(number, bool) or not isinstance(number, (int, float)):
        raise TypeError("expected a number")
    return number * 2
)";

constexpr std::string_view kMain = R"(
import argparse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"ok\n"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    ThreadingHTTPServer(("127.0.0.1", parser.parse_args().port), Handler).serve_forever()
)";

constexpr std::string_view kTest = R"(
import glob
import importlib
import os
import unittest

ROOT = os.path.dirname(os.path.abspath(__file__))
MODULES = sorted(os.path.basename(os.path.dirname(p)) for p in glob.glob(os.path.join(ROOT, "dryrun_*", "__init__.py")))


class DryRun(unittest.TestCase):
    def test_every_module_doubles_numbers(self):
        for name in MODULES:
            module = importlib.import_module(name)
            self.assertEqual(module.double(21), 42)
            self.assertEqual(module.double(-1), -2)

    def test_every_module_refuses_text(self):
        for name in MODULES:
            module = importlib.import_module(name)
            with self.assertRaises(TypeError):
                module.double("21")


if __name__ == "__main__":
    unittest.main()
)";

// A different round gives different files: an unchanged answer would be an empty diff.
void coding(const LLMRequest& request, LLMResponse& response) {
  const std::string module = module_of(request.caller);
  const std::string round = std::to_string(request.caller.attempt.round);
  response.text = "A small module, so that the workflow can be dry-run.";
  response.files[module + "/__init__.py"] = "ROUND = " + round + "\n" + std::string(kModule);
  response.files[module + "/__main__.py"] = std::string(kMain.substr(1));
  response.files[module + "/README.md"] = "# " + module + "\n\n" + requirement_line(prompt_of(request)) + "\n";
}

void test(const LLMRequest& request, LLMResponse& response) {
  response.text = "Tests of the dry run's modules.";
  response.files["test_" + module_of(request.caller) + ".py"] =
      "# Round " + std::to_string(request.caller.attempt.round) + "\n" + std::string(kTest.substr(1));
}

void test_data(const LLMRequest& request, LLMResponse& response) {
  const std::string folder = "fixtures/" + module_of(request.caller) + "/";
  const std::string round = std::to_string(request.caller.attempt.round);
  response.text = "Numbers with their doubles, edge and hostile cases among them.";
  response.files[folder + "cases.json"] =
      R"([{"round":)" + round +
      R"(,"input":21,"output":42},{"input":0,"output":0},{"input":"'; DROP TABLE x; --","error":"TypeError"}])"
      "\n";
  response.files[folder + "cases.csv"] = "input,output\n21,42\n0,0\n-1,-2\n\"a \"\"quoted\"\" text\",TypeError\n";
}

constexpr std::string_view kDockerfile = R"(FROM python:3.12-slim
WORKDIR /app
COPY . .
USER nobody
ENV PORT=8080
EXPOSE 8080
CMD ["python3", "-m", "http.server", "8080"]
)";

constexpr std::string_view kCi = R"(name: ci
on:
  push:
  pull_request:
permissions:
  contents: read
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with:
          python-version: "3.12"
      - run: python3 -m unittest discover -v
)";

constexpr std::string_view kCompose = R"(services:
  app:
    build: .
    environment:
      PORT: "8080"
    ports:
      - "8080:8080"
    restart: unless-stopped
)";

constexpr std::string_view kManifests = R"(apiVersion: apps/v1
kind: Deployment
metadata:
  name: app
spec:
  replicas: 1
  selector:
    matchLabels: { app: app }
  template:
    metadata:
      labels: { app: app }
    spec:
      containers:
        - name: app
          image: app:latest
          ports:
            - containerPort: 8080
          readinessProbe:
            httpGet: { path: /, port: 8080 }
          resources:
            limits: { cpu: 500m, memory: 128Mi }
---
apiVersion: v1
kind: Service
metadata:
  name: app
spec:
  selector: { app: app }
  ports:
    - port: 80
      targetPort: 8080
)";

void devops(const LLMRequest& request, LLMResponse& response) {
  const std::string round = "# Dry run, round " + std::to_string(request.caller.attempt.round) + "\n";
  response.text = "Delivery files of the dry run.";
  response.files["Dockerfile"] = round + std::string(kDockerfile);
  response.files[".dockerignore"] = ".git\n__pycache__\n";
  response.files[".github/workflows/ci.yml"] = std::string(kCi);
  response.files["compose.yaml"] = std::string(kCompose);
  response.files["k8s/app.yaml"] = std::string(kManifests);
}

constexpr std::string_view kReview = R"({"findings":[],"summary":"nothing to object to in a dry run"})";
constexpr std::string_view kDiagnosis = R"({"affected_tasks":[],"diagnosis":"dry run","findings":[],"recommendations":[]})";

}  // namespace

task<Result<LLMResponse>> StockLLM::chat(LLMRequest request) {
  LLMResponse response;
  const std::string& agent = request.caller.agent_type;
  if (agent == "coding")
    coding(request, response);
  else if (agent == "test")
    test(request, response);
  else if (agent == "test_data")
    test_data(request, response);
  else if (agent == "devops")
    devops(request, response);
  else if (agent == "monitor")
    response.text = kDiagnosis;
  else if (agent == "review" || !request.answer_schema.empty())
    response.text = kReview;
  else
    response.text = "Understood (dry run).";
  std::size_t out = response.text.size();
  for (const auto& [path, content] : response.files) out += path.size() + content.value_or("").size();
  response.usage = {.calls = 1,
                    .input_tokens = static_cast<std::int64_t>((prompt_of(request).size() + 3) / 4),
                    .output_tokens = static_cast<std::int64_t>((out + 3) / 4)};
  response.model = "stock";
  response.provider = "mock";
  co_return response;
}

}  // namespace conductorai::integrations
