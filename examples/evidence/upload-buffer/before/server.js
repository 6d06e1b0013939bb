import { createHash } from "node:crypto";
import express from "express";
import multer from "multer";

const app = express();
const upload = multer({ storage: multer.memoryStorage() });

app.post("/files", upload.single("file"), (req, res) => {
  res.json({ sha1: createHash("sha1").update(req.file.buffer).digest("hex") });
});

app.listen(process.env.PORT);
