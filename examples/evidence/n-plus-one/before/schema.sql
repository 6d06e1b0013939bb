CREATE TABLE authors (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE books (id int PRIMARY KEY, title text NOT NULL, author_id int NOT NULL REFERENCES authors);
INSERT INTO authors SELECT n, 'Author ' || n FROM generate_series(1, 50) AS n;
INSERT INTO books SELECT n, 'Book ' || n, 1 + n % 50 FROM generate_series(1, 200) AS n;
