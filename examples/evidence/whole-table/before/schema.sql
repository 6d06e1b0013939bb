CREATE TABLE events (id int PRIMARY KEY, kind text NOT NULL, body text NOT NULL);
INSERT INTO events SELECT n, 'kind ' || n % 7, repeat('x', 200) FROM generate_series(1, 20000) AS n;
