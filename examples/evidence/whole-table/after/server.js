import express from "express";
import pg from "pg";

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 });
const app = express();

app.get("/events", async (req, res, next) => {
  try {
    const after = Number(req.query.after) || 0;
    const { rows } = await pool.query("SELECT id, kind, body FROM events WHERE id > $1 ORDER BY id LIMIT 50", [after]);
    res.json(rows);
  } catch (error) {
    next(error);
  }
});

app.listen(process.env.PORT);
