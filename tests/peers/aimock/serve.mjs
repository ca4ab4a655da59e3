// Serves a file of fixtures on a free port of the loopback; prints the address once it listens. What comes over the wire goes line by line to
// the second file as it came: the journal of aimock holds it in a form of aimock's own.
//   node serve.mjs FIXTURES WIRE
import { appendFileSync } from "node:fs";
import http from "node:http";
import { LLMock } from "@copilotkit/aimock";

const [fixtures, wire] = process.argv.slice(2);

let requests = 0;
const emit = http.Server.prototype.emit;
http.Server.prototype.emit = function (event, request, ...rest) {
  if (event === "request" && request.method === "POST") {
    // The journal keeps this header, so that an entry finds what it was made of.
    request.headers["x-request-id"] = `wire-${++requests}`;
    const pieces = [];
    const push = request.push;
    request.push = function (piece, ...more) {
      if (piece) pieces.push(piece);
      else {
        const { method, url, headers } = request;
        appendFileSync(wire, JSON.stringify({ method, url, headers, body: Buffer.concat(pieces).toString("utf8") }) + "\n");
      }
      return push.call(this, piece, ...more);
    };
  }
  return emit.call(this, event, request, ...rest);
};

const mock = new LLMock({ host: "127.0.0.1", port: 0, logLevel: "warn", strict: true, chunkSize: 40 });
mock.loadFixtureFile(fixtures);
await mock.start();
console.log(mock.url);
