CREATE TABLE accounts (id int PRIMARY KEY, cents int NOT NULL CHECK (cents >= 0));
INSERT INTO accounts VALUES (1, 0), (2, 1000);
