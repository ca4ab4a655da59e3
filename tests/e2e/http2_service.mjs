// A model's service over TLS and HTTP/2. Arguments: key, certificate, the answer, then how the requests get it in order, the last for ever:
// "length" (which it says), "open" (which it does not), "short" (less than it said), "reset". Prints its port.
import fs from "node:fs";
import http2 from "node:http2";

const [key, certificate, answer, ...script] = process.argv.slice(2);
const half = answer.slice(0, answer.length / 2);

const server = http2.createSecureServer({ key: fs.readFileSync(key), cert: fs.readFileSync(certificate) });
server.on("stream", (stream) => {
  const how = script.length > 1 ? script.shift() : script[0];
  stream.on("error", () => {});
  stream.resume();
  stream.on("end", () => {
    const headers = { ":status": 200, "content-type": "text/event-stream" };
    if (how === "length" || how === "short") headers["content-length"] = Buffer.byteLength(answer);
    stream.respond(headers);
    if (how === "reset") return stream.write(half, () => stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR));
    stream.end(how === "short" ? half : answer);
  });
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
