import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import express from "express";

const app = express();

app.get("/export", async (_req, res) => {
  try {
    await pipeline(createReadStream(process.env.EXPORT_FILE), res);
  } catch {
    res.destroy();
  }
});

app.listen(process.env.PORT);
