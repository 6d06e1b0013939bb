import express from "express";
import pg from "pg";

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 });
const app = express();

app.get("/events", async (_req, res, next) => {
  try {
    const { rows } = await pool.query("SELECT id, kind, body FROM events ORDER BY id");
    res.json(rows);
  } catch (error) {
    next(error);
  }
});

app.listen(process.env.PORT);
