CREATE TABLE orders (id int PRIMARY KEY);
CREATE FUNCTION slowly(text, double precision) RETURNS text LANGUAGE sql AS 'SELECT $1 FROM pg_sleep($2)';
