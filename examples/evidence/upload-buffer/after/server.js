import { createReadStream } from "node:fs";
import { unlink } from "node:fs/promises";
import { createHash } from "node:crypto";
import { pipeline } from "node:stream/promises";
import express from "express";
import multer from "multer";

const app = express();
const upload = multer({ dest: process.env.UPLOADS, limits: { fileSize: 20 * 1024 * 1024, files: 1 } });

app.post("/files", upload.single("file"), async (req, res, next) => {
  try {
    const hash = createHash("sha1");
    await pipeline(createReadStream(req.file.path), hash);
    await unlink(req.file.path);
    res.json({ sha1: hash.digest("hex") });
  } catch (error) {
    next(error);
  }
});

app.listen(process.env.PORT);
