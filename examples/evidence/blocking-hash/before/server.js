import { pbkdf2Sync, timingSafeEqual } from "node:crypto";
import express from "express";

const app = express();
app.use(express.json({ limit: "10kb" }));

const users = { ada: { salt: "c2FsdA", hash: pbkdf2Sync("correct horse", "c2FsdA", 210_000, 32, "sha512") } };

app.post("/login", (req, res) => {
  const user = users[req.body.name] ?? users.ada;
  const hash = pbkdf2Sync(String(req.body.password), user.salt, 210_000, 32, "sha512");
  res.json({ ok: timingSafeEqual(hash, user.hash) });
});

app.get("/health", (_req, res) => {
  res.json({ ok: true });
});

app.listen(process.env.PORT);
