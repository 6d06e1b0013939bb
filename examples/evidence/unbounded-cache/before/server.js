import express from "express";
import pg from "pg";

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 20 });
const app = express();
const results = new Map();

app.get("/search", async (req, res, next) => {
  try {
    const words = String(req.query.q);
    if (!results.has(words)) {
      const { rows } = await pool.query("SELECT id, title FROM articles WHERE title ILIKE $1 ORDER BY id LIMIT 10", [`${words}%`]);
      results.set(words, rows);
    }
    res.json(results.get(words));
  } catch (error) {
    next(error);
  }
});

app.listen(process.env.PORT);
