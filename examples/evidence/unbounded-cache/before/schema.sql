CREATE TABLE articles (id int PRIMARY KEY, title text NOT NULL);
INSERT INTO articles SELECT n, 'Article ' || n FROM generate_series(1, 100) AS n;
