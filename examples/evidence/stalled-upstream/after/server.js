import express from "express";

const app = express();

app.get("/rates/:currency", async (req, res, next) => {
  try {
    const answer = await fetch(`${process.env.RATES_URL}/v1/${encodeURIComponent(req.params.currency)}`, {
      signal: AbortSignal.timeout(500),
    });
    res.json(await answer.json());
  } catch (error) {
    next(error);
  }
});

app.listen(process.env.PORT);
