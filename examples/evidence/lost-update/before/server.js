import express from "express";
import pg from "pg";

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 20 });
const app = express();

app.post("/items/:id/sell", async (req, res, next) => {
  try {
    const { rows } = await pool.query("SELECT stock FROM items WHERE id = $1", [req.params.id]);
    const stock = rows[0].stock - 1;
    await pool.query("UPDATE items SET stock = $1 WHERE id = $2", [stock, req.params.id]);
    res.json({ stock });
  } catch (error) {
    next(error);
  }
});

app.listen(process.env.PORT);
