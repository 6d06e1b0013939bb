import express from "express";
import pg from "pg";

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 20 });
const app = express();

app.post("/items/:id/sell", async (req, res, next) => {
  try {
    const { rows } = await pool.query(
      "UPDATE items SET stock = stock - 1 WHERE id = $1 AND stock > 0 RETURNING stock",
      [req.params.id],
    );
    res.json(rows[0]);
  } catch (error) {
    next(error);
  }
});

app.listen(process.env.PORT);
