import express from "express";
import pg from "pg";

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 });
const app = express();

app.get("/notes/:id", async (req, res, next) => {
  try {
    const { rows } = await pool.query("SELECT body FROM notes WHERE id = $1", [req.params.id]);
    res.json(rows[0] ?? null);
  } catch (error) {
    next(error);
  }
});

app.listen(process.env.PORT);
