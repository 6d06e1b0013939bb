import express from "express";
import pg from "pg";

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 20 });
const app = express();
app.use(express.json({ limit: "10kb" }));

app.post("/members", async (req, res, next) => {
  try {
    const made = await pool.query(
      "INSERT INTO members (email) VALUES ($1) ON CONFLICT (email) DO NOTHING RETURNING id",
      [req.body.email],
    );
    if (made.rows.length === 0) return res.status(409).json({ error: "known already" });
    res.status(201).json(made.rows[0]);
  } catch (error) {
    next(error);
  }
});

app.listen(process.env.PORT);
