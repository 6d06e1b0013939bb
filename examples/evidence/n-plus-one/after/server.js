import express from "express";
import pg from "pg";

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 20 });
const app = express();

app.get("/books", async (_req, res, next) => {
  try {
    const { rows: books } = await pool.query("SELECT id, title, author_id FROM books ORDER BY id LIMIT 25");
    const ids = [...new Set(books.map((book) => book.author_id))];
    const { rows: authors } = await pool.query("SELECT id, name FROM authors WHERE id = ANY($1)", [ids]);
    const byId = new Map(authors.map((author) => [author.id, author]));
    res.json(books.map((book) => ({ ...book, author: byId.get(book.author_id) })));
  } catch (error) {
    next(error);
  }
});

app.listen(process.env.PORT);
