import express from "express";
import pg from "pg";

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 20 });
const app = express();

app.get("/dashboard", async (_req, res, next) => {
  try {
    const orders = await pool.query("SELECT slowly('orders', 0.2) LIMIT 1");
    const visits = await pool.query("SELECT slowly('visits', 0.2) LIMIT 1");
    const stock = await pool.query("SELECT slowly('stock', 0.2) LIMIT 1");
    res.json({ orders: orders.rows, visits: visits.rows, stock: stock.rows });
  } catch (error) {
    next(error);
  }
});

app.listen(process.env.PORT);
