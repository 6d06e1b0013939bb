import { createReadStream } from "node:fs";
import express from "express";

const app = express();

app.get("/export", (_req, res) => {
  const rows = createReadStream(process.env.EXPORT_FILE);
  rows.on("data", (chunk) => {
    res.write(chunk);
  });
  rows.on("end", () => res.end());
  rows.on("error", () => res.destroy());
});

app.listen(process.env.PORT);
