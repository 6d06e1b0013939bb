import express from "express";
import pg from "pg";

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 });
const app = express();

app.post("/accounts/:id/charge", async (req, res, next) => {
  try {
    const client = await pool.connect();
    try {
      await client.query("UPDATE accounts SET cents = cents - 100 WHERE id = $1", [req.params.id]);
    } finally {
      client.release();
    }
    res.json({ ok: true });
  } catch (error) {
    next(error);
  }
});

app.listen(process.env.PORT);
