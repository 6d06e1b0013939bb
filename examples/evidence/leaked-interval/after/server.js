import express from "express";

const app = express();
const prices = new Map([["tea", 3], ["coffee", 4]]);

app.get("/prices/stream", (_req, res) => {
  res.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
  const timer = setInterval(() => {
    res.write(`data: ${JSON.stringify([...prices])}\n\n`);
  }, 1_000);
  res.on("close", () => clearInterval(timer));
});

app.listen(process.env.PORT);
