import express from "express";
import pg from "pg";

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 20 });
const app = express();

app.get("/books", async (_req, res, next) => {
  try {
    const { rows: books } = await pool.query("SELECT id, title, author_id FROM books ORDER BY id LIMIT 25");
    for (const book of books) {
      const author = await pool.query("SELECT name FROM authors WHERE id = $1", [book.author_id]);
      book.author = author.rows[0];
    }
    res.json(books);
  } catch (error) {
    next(error);
  }
});

app.listen(process.env.PORT);
