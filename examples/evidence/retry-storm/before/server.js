import axios from "axios";
import axiosRetry from "axios-retry";
import express from "express";

const client = axios.create({ baseURL: process.env.PAYMENTS_URL, timeout: 1_000 });
axiosRetry(client, { retries: 3, retryCondition: () => true });

const app = express();
app.use(express.json({ limit: "10kb" }));

async function balance(account) {
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      const answer = await client.get(`/accounts/${encodeURIComponent(account)}`);
      return answer.data;
    } catch (error) {
      if (attempt === 2) throw error;
    }
  }
}

app.get("/balance/:account", async (req, res, next) => {
  try {
    res.json(await balance(req.params.account));
  } catch (error) {
    next(error);
  }
});

app.listen(process.env.PORT);
