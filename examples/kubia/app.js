// Kubia: answers every request with the name of the host it runs on, which in Kubernetes is the pod's name.
const http = require("node:http");
const os = require("node:os");

console.log("Kubia server starting...");
const server = http.createServer((request, response) => {
  console.log(`Received request from ${request.socket.remoteAddress}`);
  response.end(`You've hit ${os.hostname()}\n`);
});
server.listen(8080);
process.on("SIGTERM", () => process.exit(0));
